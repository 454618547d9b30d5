"""Exported files run on their own and give the stated results."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from peer_images import photos
from PIL import Image

from automorph.errors import PolicyError
from automorph.interop import PEERS, convert_policy, export_policy, peer_operation
from automorph.operations import CATALOGUE, SearchSpace, named_space
from automorph.policies import (
    AugMix,
    Chain,
    Generated,
    Mixture,
    Policy,
    Schedule,
    Shuffled,
    Step,
    Uniform,
    load_policy,
    policy_from_dict,
    policy_to_dict,
)
from strategies import IMAGE_SPACES

THOROUGH = settings(
    deadline=None, derandomize=True, database=None, phases=(Phase.explicit, Phase.generate)
)
shares = st.floats(0, 1)
renderings = st.fixed_dictionaries(
    {
        "fill": st.sampled_from((0, 128, 255)),
        "interpolation": st.sampled_from(("nearest", "bilinear")),
    }
)


@st.composite
def spaces(draw: st.DrawFn) -> SearchSpace:
    if draw(st.booleans()):
        chosen = named_space(draw(st.sampled_from(IMAGE_SPACES))).operations
    else:
        chosen = tuple(draw(st.permutations(CATALOGUE))[: draw(st.integers(1, 6))])
    kept = tuple(operation for operation in chosen if not operation.partner)
    return SearchSpace("drawn", kept or CATALOGUE[:1])


@st.composite
def singles(draw: st.DrawFn) -> Policy:
    space, style = draw(spaces()), draw(renderings)
    steps = st.lists(st.builds(Step, st.sampled_from(space.names), shares, shares), max_size=3)
    low, high = sorted(draw(st.tuples(shares, shares)))
    kind = draw(st.sampled_from(("uniform", "mixture", "shuffled", "augmix", "generated")))
    if kind == "uniform":
        return Uniform(
            operations=space, length=draw(st.integers(0, 4)), low=low, high=high,
            levels=draw(st.sampled_from((0, 1, 31))), spread=draw(st.sampled_from((0.0, 0.1))),
            probability=draw(shares), **style,
        )  # fmt: skip
    if kind == "mixture":
        subpolicies = draw(st.lists(steps, min_size=1, max_size=4))
        weights = draw(st.one_of(st.none(), st.just((0.5, 3.0, 1.0, 2.0))))
        return Mixture(
            label="drawn", operations=space, subpolicies=tuple(map(tuple, subpolicies)),
            weights=weights and weights[: len(subpolicies)], **style,
        )  # fmt: skip
    if kind == "shuffled":
        return Shuffled(label="drawn", operations=space, steps=tuple(draw(steps)), **style)
    if kind == "augmix":
        return AugMix(operations=space, width=draw(st.integers(1, 3)),
                      depth=draw(st.integers(0, 3)), **style)  # fmt: skip
    network, length = draw(st.sampled_from(("mean-field", "per-position"))), draw(st.integers(1, 3))
    count = len(space) * (length if network == "per-position" else 1)
    logits = draw(st.lists(st.floats(-3, 3, width=32), min_size=count, max_size=count))
    return Generated(label="drawn", operations=space, network=network, length=length,
                     parameters=tuple(logits), **style)  # fmt: skip


policies = st.one_of(
    singles(), singles(), st.lists(singles(), min_size=2, max_size=3).map(
        lambda stages: Chain(stages=tuple(stages)))
)  # fmt: skip


def check_python(policy: Policy, seed: int, epoch: int) -> None:
    augment = convert_policy(policy, "python")
    images = photos(2, 17, 21)
    for batch in (images, np.ascontiguousarray(images[..., :1]),
                  np.concatenate([images, images[..., :1]], axis=3)):  # fmt: skip
        if isinstance(getattr(policy, "fill", 0), tuple):
            continue
        index = [7, 1234567]
        expected = policy.augment(batch, seed=seed, epoch=epoch, index=index)
        for image, result, number in zip(batch, expected, index, strict=True):
            ours = augment(image, number, epoch, seed)
            np.testing.assert_array_equal(ours, result, err_msg=policy.name[:300])


def every_draw(examples: int):
    @settings(THOROUGH, max_examples=examples)
    @given(policies, st.integers(0, 2**40), st.integers(0, 1000))
    def check(policy, seed, epoch):
        check_python(policy, seed, epoch)
        again = policy_from_dict(json.loads(json.dumps(policy_to_dict(policy))))
        assert again == policy.with_mean(128)

    check()


def test_python_files_draw_the_same_pixels():
    every_draw(40)


@pytest.mark.slow
def test_a_thousand_policies_through_json_and_python():
    every_draw(1000)


@pytest.mark.parametrize("name", [
    "none", "flip-crop + randaugment(n=2,m=9) + cutout(5)", "autoaugment:cifar10",
    "trivialaugment-wide", "random(seed=3,space=randaugment)", "rand-m9-mstd0.5-inc1",
    "augmix-m3-w3-d2", "composition(n=3,p=0.7,space=augmix)",
    "flip-crop + augmix + randaugment", "resized-crop + random-erasing(p=1)",
    "crop + schedule(2:none,3:randaugment(n=2,m=9),1:cutout(4))", "schedule(1:flip,2:crop)",
])  # fmt: skip
@pytest.mark.parametrize("epoch", [0, 2, 9])
def test_named_policies_as_python(name, epoch):
    check_python(load_policy(name), 5, epoch)


def test_a_python_file_runs_without_automorph(tmp_path):
    path = tmp_path / "augment.py"
    path.write_text(export_policy("flip-crop + randaugment(n=2,m=9)", "python"))
    assert "automorph" not in path.read_text().split('"""')[2]
    program = (
        "import sys; sys.path.insert(0, '.'); import augment, numpy as np\n"
        "from PIL import Image\n"
        "image = Image.fromarray(np.arange(3072, dtype=np.uint8).reshape(32, 32, 3))\n"
        "out = augment.augment(image, index=3, epoch=1, seed=2)\n"
        "assert not {'automorph', 'torch'} & set(sys.modules)\n"
        "sys.stdout.buffer.write(np.asarray(out).tobytes())\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", program], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    image = np.arange(3072, dtype=np.uint8).reshape(1, 32, 32, 3)
    expected = load_policy("flip-crop + randaugment(n=2,m=9)").augment(
        image, seed=2, epoch=1, index=[3]
    )
    assert done.stdout == expected.tobytes()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("library", ["torchvision", "albumentations", "kornia"])
@pytest.mark.parametrize("name", ["flip-crop + randaugment(n=2,m=9,interpolation=bilinear)",
                                  "crop + trivialaugment + cutout(0.3)", "none",
                                  "autoaugment:svhn", "composition(n=2,p=0.4,fill=9)"])  # fmt: skip
def test_files_for_libraries_run_by_themselves(library, name):
    import torch

    if library != "torchvision":
        pytest.importorskip(library)
    size = 32 if "trivial" in name and library == "kornia" else None
    code = export_policy(name, library, size=size)
    assert "automorph" not in code.split('"""')[-1]
    names: dict[str, object] = {"__name__": "exported"}
    exec(compile(code, "exported", "exec"), names)
    augment, image = names["augment"], photos(1, 32, 32)[0]
    changed = 0
    for seed in range(8):
        torch.manual_seed(seed)
        if library == "albumentations":
            augment.set_random_seed(seed)
            out = augment(image=image)["image"]
        elif library == "kornia":
            batch = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
            out = (augment(batch)[0] * 255).round().permute(1, 2, 0).numpy().astype(np.uint8)
        else:
            out = np.asarray(augment(Image.fromarray(image)))
        assert out.shape == image.shape
        changed += bool((out != image).any())
    assert changed >= (0 if name == "none" else 3)


@pytest.mark.filterwarnings("ignore")
def test_boxes_and_masks_follow_in_torchvision():
    import torch
    from torchvision import tv_tensors

    augment = convert_policy(
        Mixture(label="move", operations=named_space("randaugment"),
                subpolicies=((Step("TranslateX", 1, 1),),), fill=77),
        "torchvision",
    )  # fmt: skip
    torch.manual_seed(0)
    image = tv_tensors.Image(torch.arange(300, dtype=torch.int64).reshape(3, 10, 10) % 256)
    image = tv_tensors.Image(image.to(torch.uint8))
    mask = tv_tensors.Mask(torch.ones(1, 10, 10, dtype=torch.uint8))
    boxes = tv_tensors.BoundingBoxes(torch.tensor([[4, 4, 6, 6]]), format="XYXY",
                                     canvas_size=(10, 10))  # fmt: skip
    moved, where, covered = augment(image, boxes, mask)
    step = int(where[0, 0]) - 4
    assert abs(step) == 4
    assert (moved[:, :, :4] == 77).all() if step > 0 else (moved[:, :, -4:] == 77).all()
    assert int(covered.sum()) == 60


@pytest.mark.filterwarnings("ignore")
def test_operations_of_libraries_in_a_space():
    import torch
    from torchvision.transforms import v2

    A = pytest.importorskip("albumentations")
    K = pytest.importorskip("kornia.augmentation")
    fog = peer_operation(lambda v: A.RandomFog(fog_coef_range=(v, v), p=1), name="Fog",
                         range=(0.05, 0.7), unit="share")  # fmt: skip
    bend = peer_operation(lambda v: v2.RandomPerspective(v, p=1), name="Perspective",
                          range=(0, 0.5), identity=0)  # fmt: skip
    plasma = peer_operation(lambda v: K.RandomMotionBlur(5, 35.0, v, p=1.0), name="Motion",
                            range=(0.1, 1))  # fmt: skip
    space = named_space("randaugment").with_operations(fog, bend, plasma)
    for own in (fog, bend, plasma):
        policy = Uniform(operations=SearchSpace("own", (own,)), low=0.8, high=0.8)
        images, before = photos(4), torch.random.get_rng_state()
        whole = policy.augment(images, seed=1)
        alone = np.concatenate([policy.augment(images[i : i + 1], seed=1, index=[i])
                                for i in range(4)])  # fmt: skip
        np.testing.assert_array_equal(whole, alone)
        assert (whole != images).any((1, 2, 3)).all(), own.name
        assert torch.equal(before, torch.random.get_rng_state())
    policy = Uniform(operations=space, length=2)
    content = json.loads(json.dumps(policy_to_dict(policy)))
    assert policy_from_dict(content, [fog, bend, plasma]) == policy


def test_the_command(tmp_path):
    from automorph.cli import app

    path = tmp_path / "augment.py"
    done = CliRunner().invoke(app, ["export", "flip-crop", "--to", "python", "--out", str(path)])
    assert done.exit_code == 0
    assert path.read_text() == export_policy("flip-crop", "python")
    for library in PEERS:
        name = "rand-m9-inc1" if library == "timm" else "flip"
        done = CliRunner().invoke(app, ["export", name, "--to", library, "--json"])
        assert json.loads(done.stdout)["code"].strip() == export_policy(name, library).strip()
    shown = CliRunner().invoke(app, ["export", "rand-m9-inc1", "--to", "timm"])
    assert shown.stdout == "rand-m9-inc1\n"


@pytest.mark.parametrize("library", ["python", "torchvision"])
def test_names_from_files_run_no_code(library):
    """A policy file may come from anywhere."""
    label = 'mine """\nraise SystemExit("ran")\n""" \\'
    space = SearchSpace(label, (CATALOGUE[1], CATALOGUE[5]))
    policy = Mixture(label=label, operations=space, subpolicies=((Step("Rotate", 1, 1),),))
    names: dict[str, object] = {"__name__": "exported"}
    exec(compile(export_policy(policy, library), "exported", "exec"), names)
    assert callable(names["augment"])


def test_writing_a_file_needs_no_library():
    program = (
        "import sys, automorph\n"
        "for to in ('python', 'torchvision', 'albumentations', 'kornia'):\n"
        "    automorph.export_policy('flip-crop + randaugment', to)\n"
        "heavy = {'torch', 'torchvision', 'albumentations', 'kornia', 'cv2', 'scipy'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_schedules_of_schedules_do_not_exist():
    """The draws underlying the stages of a Python file."""
    with pytest.raises(PolicyError, match="inside a schedule"):
        load_policy("schedule(1:schedule(1:flip))")
    assert isinstance(load_policy("schedule(1:flip,2:crop)"), Schedule)
