"""Policies called as transforms: any form of image, draws from the process's random state."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from automorph import load_policy
from automorph.errors import DataError, UsageError

PIXELS = np.random.default_rng(0).integers(0, 256, (10, 8, 3), np.uint8)
PLANES = torch.from_numpy(PIXELS).movedim(-1, 0)
FORMS = {
    "PIL": Image.fromarray(PIXELS),
    "grey PIL": Image.fromarray(PIXELS[..., 0]),
    "array": PIXELS,
    "grey array": PIXELS[..., 0],
    "batch": PIXELS[None].repeat(3, 0),
    "tensor": PLANES,
    "grey tensor": PLANES[0],
    "floats": PLANES / 255,
    "grey floats": PLANES[0] / 255,
    "batch of floats": (PLANES / 255)[None].repeat(2, 1, 1, 1),
}


@pytest.mark.parametrize(
    "policy", ["none", "trivialaugment", "flip-crop + randaugment + cutout(4)"]
)
@pytest.mark.parametrize("image", FORMS.values(), ids=FORMS)
def test_the_form_stays(image, policy):
    out = load_policy(policy)(image)
    assert type(out) is type(image)
    for what in ("size", "mode", "shape", "dtype"):
        if not callable(getattr(image, what, None)):
            assert getattr(out, what, None) == getattr(image, what, None)


def test_images_of_torchvision_stay_what_they_are():
    tv_tensors = pytest.importorskip("torchvision.tv_tensors")
    for shape in ((3, 8, 8), (2, 3, 8, 8)):
        image = tv_tensors.Image(torch.rand(shape))
        assert type(load_policy("trivialaugment")(image)) is tv_tensors.Image


def test_every_form_gets_the_same_draw():
    policy = load_policy("trivialaugment")
    out = []
    for image in (FORMS["PIL"], PIXELS, PLANES, PLANES / 255):
        torch.manual_seed(3)
        out.append(policy(image))
    pil, array, tensor, floats = out
    assert (array != PIXELS).any()
    assert (np.asarray(pil) == array).all()
    assert (tensor.movedim(0, -1).numpy() == array).all()
    assert ((floats * 255).round() == tensor).all()


def test_draws_follow_the_generator_of_torch():
    policy = load_policy("trivialaugment")
    torch.manual_seed(1)
    first = [policy(PIXELS) for _ in range(20)]
    assert len({image.tobytes() for image in first}) > 10
    torch.manual_seed(1)
    assert all((policy(PIXELS) == image).all() for image in first)


def test_examples_of_a_batch_draw_separately():
    out = load_policy("trivialaugment")(PIXELS[None].repeat(20, 0))
    assert len({image.tobytes() for image in out}) > 10


@pytest.mark.parametrize("image", [PIXELS, FORMS["batch"]], ids=["image", "batch"])
def test_every_policy_takes_the_same_random_numbers(image):
    """Otherwise the order of a training with one policy would differ from that with another."""
    states = []
    for name in ("none", "trivialaugment", "flip-crop + randaugment", "augmix"):
        torch.manual_seed(0)
        load_policy(name)(image)
        states.append(torch.get_rng_state())
    assert all(torch.equal(state, states[0]) for state in states)


class Equal(torch.utils.data.Dataset):
    """The same image again and again, transformed."""

    transform = load_policy("trivialaugment")

    def __len__(self):
        return 16

    def __getitem__(self, number):
        return self.transform(PLANES)


@pytest.mark.parametrize("persistent", [False, True])
def test_workers_and_epochs_draw_differently_and_a_seed_repeats_them(persistent):
    def epochs():
        torch.manual_seed(5)
        loader = DataLoader(Equal(), 4, num_workers=2, persistent_workers=persistent)
        return [torch.cat(list(loader)) for _ in range(2)]

    first, second = epochs()
    assert len({image.numpy().tobytes() for image in (*first, *second)}) > 20
    again = epochs()
    assert torch.equal(torch.cat(again), torch.cat([first, second]))


def test_a_policy_may_be_sent_to_workers():
    policy = load_policy("trivialaugment")
    policy(PIXELS)
    assert pickle.loads(pickle.dumps(policy)) == policy


def test_torch_is_not_needed():
    program = """
import random, sys
import numpy as np
from automorph import load_policy
policy, image = load_policy("trivialaugment"), np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
random.seed(1)
first = [policy(image).tobytes() for _ in range(20)]
random.seed(1)
assert len(set(first)) > 10 and first == [policy(image).tobytes() for _ in range(20)]
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_with_torch_the_generator_of_python_stays():
    random.seed(0)
    before = random.getstate()
    load_policy("trivialaugment")(PIXELS)
    assert random.getstate() == before


def test_texts():
    policy = load_policy("eda").fitted(["the film was very good", "the plot was bad"])
    assert isinstance(policy("the film was very good"), str)
    assert len(policy(["the film was very good", "bad"])) == 2


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("flip + mixup", ["mixes labels", "automorph.Collate"]),
        ("flip + schedule(1:none,2:crop)", ["changes with the epoch", "set_epoch"]),
        ("flip + random", ["drawn by the seed", "random(seed=0)"]),
        ("random(seed=1)", ["SamplePairing", "pass a batch", "random(space=randaugment)"]),
    ],
)
def test_policies_that_need_more_are_refused(policy, words):
    with pytest.raises(UsageError) as error:
        load_policy(policy)(PIXELS)
    assert all(
        word in str(error.value) for word in (f"the policy {load_policy(policy).name!r}", *words)
    )


@pytest.mark.parametrize("name", ["random", "flip + random", "schedule(2:random,2:none)"])
def test_a_policy_with_its_seed_draws_as_the_seed_would(name):
    policy = load_policy(name)
    fixed = policy.with_seed(7)
    assert (policy.needs_seed, fixed.needs_seed) == (True, False)
    assert fixed.with_seed(8) == fixed
    batch = PIXELS[None].repeat(20, 0)
    assert (fixed.augment(batch, seed=7) == policy.augment(batch, seed=7)).all()


def test_a_batch_has_partners():
    assert load_policy("random(seed=1)")(FORMS["batch"]).shape == FORMS["batch"].shape


@pytest.mark.parametrize("policy", ["none", "trivialaugment"])
@pytest.mark.parametrize(
    "image",
    [
        [PIXELS], PIXELS / 255, PIXELS.transpose(2, 0, 1), PLANES.movedim(0, -1), PLANES.int(),
        Image.fromarray(PIXELS).convert("CMYK"),
    ],
    ids=["list", "float array", "channels first", "channels last", "int32", "CMYK"],
)  # fmt: skip
def test_other_images_are_refused(image, policy):
    with pytest.raises(DataError, match=r"got .*expected"):
        load_policy(policy)(image)
