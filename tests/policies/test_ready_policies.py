"""Released policies by name, against numbers and formulas read in the released code.

Sums and single entries were computed from the repositories at the commits in the tables, not from
our tables. The formulas of values are restated here as the released code computes them.
"""

from __future__ import annotations

import json
from dataclasses import replace
from math import fsum

import numpy as np
import pytest
from click.testing import CliRunner

from automorph.cli import app
from automorph.errors import PolicyError
from automorph.operations import Stream
from automorph.policies import NAMED, Step, load_policy, save_policy
from automorph.policies.published import PBA, RANDAUGMENT, _pba_value, _table

RELEASED = {
    # name: sub-policies, sum of probabilities, sum of levels, first step, last step
    "fast-autoaugment-cifar10": (
        493, 501.723192, 505.279116,
        "Contrast 0.8320659688593578/0.49884310562180767",
        "ShearX 0.5844942417320858/0.36051195083380105",
    ),
    "fast-autoaugment-svhn": (
        497, 477.230778, 492.907268,
        "TranslateX 0.001576965129744562/0.43180488809874773",
        "Posterize 0.9033014136780437/0.5745902253320527",
    ),
    "fast-autoaugment-imagenet": (
        498, 459.76766, 501.826415,
        "ShearY 0.14143816458479197/0.513124791615952",
        "Equalize 0.05649876539221024/0.5628180219887216",
    ),
    "dada-cifar10": (
        25, 24.337226, 25.028268,
        "TranslateX 0.5183464288711548/0.5752825736999512",
        "TranslateX 0.4761257469654083/0.49035176634788513",
    ),
    "dada-cifar100": (
        25, 25.423698, 19.906434,
        "ShearY 0.5558360815048218/0.2755777835845947",
        "Posterize 0.5513173341751099/0.3414877951145172",
    ),
    "dada-svhn": (
        25, 25.335714, 24.336725,
        "Solarize 0.6144442558288574/0.5266356468200684",
        "Equalize 0.5241876244544983/0.5",
    ),
    "dada-imagenet": (
        25, 25.033817, 24.808302,
        "TranslateY 0.8485236167907715/0.6384843587875366",
        "Color 0.49619558453559875/0.5923987030982971",
    ),
}  # fmt: skip
LENGTHS = {
    "cifar10": [12, 22, 20, 20, 1, 6, 3, 27, 6, 21, 6, 9, 7, 17, 6, 12, 5],
    "svhn": [9, 15, 6, 8, 7, 24, 6, 25, 4, 4, 39, 6, 6, 1],
}
SUMS = {"cifar10": (1905, 1947), "svhn": (1710, 1629)}
EVERY = (
    *(f"fast-autoaugment:{name}" for name in ("cifar10", "cifar100", "svhn", "imagenet")),
    *(f"dada:{name}" for name in ("cifar10", "cifar100", "svhn", "imagenet")),
    *(f"pba:{name}" for name in ("cifar10", "cifar100", "svhn")),
    "pba:svhn(epochs=30)",
    "pba:cifar10(epochs=30,fill=0,interpolation=bilinear)",
    *(f"randaugment:{name}" for name in RANDAUGMENT),
)


def split(line: str) -> list[tuple[str, float, float]]:
    words = line.split()
    pairs = zip(words[::2], words[1::2], strict=True)
    return [(name, *map(float, setting.split("/"))) for name, setting in pairs]


@pytest.mark.parametrize("name", RELEASED)
def test_tables_are_the_released_ones(name):
    count, probabilities, levels, first, last = RELEASED[name]
    paper, _, data = name.rpartition("-")
    lines = _table(paper, data)["subpolicies"]
    steps = [step for line in lines for step in split(line)]
    assert len(lines) == count
    assert len(steps) == 2 * count
    assert fsum(step[1] for step in steps) == pytest.approx(probabilities, abs=1e-6)
    assert fsum(step[2] for step in steps) == pytest.approx(levels, abs=1e-6)
    assert lines[0].startswith(first)
    assert lines[-1].endswith(last)


LOW_HIGH = {
    "ShearX": (-0.3, 0.3), "ShearY": (-0.3, 0.3), "TranslateX": (-0.45, 0.45),
    "TranslateY": (-0.45, 0.45), "Rotate": (-30, 30), "Solarize": (0, 256), "Posterize": (4, 8),
    "Contrast": (0.1, 1.9), "Color": (0.1, 1.9), "Brightness": (0.1, 1.9), "Sharpness": (0.1, 1.9),
    "Cutout": (0, 0.2),
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in EVERY if "autoaug" in name or "dada" in name])
def test_values_are_those_of_the_released_code(name):
    """value = low + level (high - low); Posterize truncates; a coin mirrors geometric values."""
    policy = load_policy(name)
    paper, _, data = name.partition(":")
    released = _table(paper, "cifar10" if name == "fast-autoaugment:cifar100" else data)
    for ours, line in zip(policy.subpolicies, released["subpolicies"], strict=True):
        for step, (operation, probability, level) in zip(ours, split(line), strict=True):
            assert (step.operation, step.probability) == (operation, probability)
            declared = policy.space[operation]
            if operation not in LOW_HIGH:
                assert declared.magnitude_free
                continue
            low, high = LOW_HIGH[operation]
            value = low + level * (high - low)
            value = int(value) if operation == "Posterize" else value
            found = declared.values(np.float32(step.magnitude), [1, -1])
            if declared.signed:
                assert found == pytest.approx([abs(value), -abs(value)], abs=1e-5)
            else:
                assert found.item() == pytest.approx(value, abs=1e-4)
            assert declared.signed == (low == -high)


def test_pba_is_the_released_schedule():
    for name, lengths in LENGTHS.items():
        schedule = load_policy(f"pba:{name}")
        assert [piece.epochs for piece in schedule.pieces] == lengths
        rows = [line.split(": ")[1].split() for line in _table("pba", name)["pieces"]]
        assert all(len(row) == 60 for row in rows)
        sums = [sum(int(v) for row in rows for v in row[start::2]) for start in (0, 1)]
        assert tuple(sums) == SUMS[name]
    cifar10 = load_policy("pba:cifar10")
    assert cifar10.epochs == 200
    assert cifar10.at(11).steps == ()
    assert load_policy("pba:svhn").epochs == 160
    last = cifar10.pieces[-1].policy
    assert last.counts == (0.2, 0.3, 0.5)
    # The row ends in 3 3 5 2 7 6: Cutout, Contrast and, before them, AutoContrast.
    assert [(s.operation, s.probability) for s in last.steps[-3:]] == [
        ("AutoContrast", 0.3), ("Cutout", 0.5), ("Contrast", 0.7)
    ]  # fmt: skip
    hundred = load_policy("pba:cifar100")
    pairs = zip(cifar10.pieces, hundred.pieces, strict=True)
    assert all(one.policy.steps == other.policy.steps for one, other in pairs)
    assert [p.pieces[0].policy.fill for p in (cifar10, hundred)] == [
        PBA["cifar10"][1], PBA["cifar100"][1]
    ]  # fmt: skip


PBA_VALUES = {  # at the levels 0, 1, 5, 9, 10, as PIL receives them in the released code
    "Rotate": (0, 3, 15, 27, 30),
    "TranslateX": (0, 1, 5, 9, 10),
    "Cutout": (0, 2, 10, 18, 20),
    "Posterize": (4, 4, 2, 1, 0),
    "Solarize": (256, 231, 128, 26, 0),
    "ShearY": (0, 0.03, 0.15, 0.27, 0.3),
    "Brightness": (0.1, 0.28, 1.0, 1.72, 1.9),
}


@pytest.mark.parametrize("name", PBA_VALUES)
def test_pba_values_are_those_of_the_released_code(name):
    from automorph.policies.published import _pba_space, magnitude_of

    operation = _pba_space((1, 2, 3))[name]
    for level, value in zip((0, 1, 5, 9, 10), PBA_VALUES[name], strict=True):
        assert _pba_value(name, level) == pytest.approx(value)
        magnitude = np.float32(magnitude_of(operation, _pba_value(name, level)))
        found = operation.values(magnitude, 1).item()
        assert found == pytest.approx(value, abs=1e-5)
        if operation.whole:
            assert found == value


def test_pba_stretches_to_the_epochs_of_the_training():
    short = load_policy("pba:cifar10(epochs=20)")
    assert short.epochs == 20
    assert short.at(0).steps == ()
    assert short.at(19) == load_policy("pba:cifar10").at(194)
    assert load_policy("pba:cifar10(epochs=200)") == load_policy("pba:cifar10")


def test_randaugment_settings():
    names = {name: load_policy(f"randaugment:{name}").name for name in RANDAUGMENT}
    assert names["cifar10-wrn-28-10"] == "randaugment(n=3,m=5)"
    assert names["cifar100-wrn-28-10"] == "randaugment(n=2,m=14)"
    assert names["svhn-core-wrn-28-10"] == "randaugment(n=3,m=9)"
    assert names["svhn-wrn-28-10"] == "randaugment(n=3,m=7)"
    imagenet = "space=randaugment-imagenet,fill=128"
    assert names["imagenet-resnet-50"] == f"randaugment(n=2,m=9,{imagenet})"
    assert names["imagenet-efficientnet-b7"] == f"randaugment(n=2,m=28,{imagenet})"


@pytest.mark.parametrize("m", [2, 5, 9, 10, 17, 28])
def test_randaugment_for_imagenet_has_the_released_values(m):
    """The formulas of the released code, whose scale is 10 and has no upper end."""
    policy = load_policy(f"randaugment(n=2,m={m},space=randaugment-imagenet)")
    share = m / 10
    expected = {
        "Rotate": share * 30, "ShearX": share * 0.3, "ShearY": share * 0.3,
        "TranslateX": share * 100, "TranslateY": share * 100, "Posterize": int(share * 4),
        "Solarize": int(share * 256), "SolarizeAdd": int(share * 110),
        "Cutout": 2 * int(share * 40), "Color": share * 1.8 + 0.1, "Contrast": share * 1.8 + 0.1,
        "Brightness": share * 1.8 + 0.1, "Sharpness": share * 1.8 + 0.1,
    }  # fmt: skip
    assert set(policy.space.names) == {*expected, "AutoContrast", "Equalize", "Invert"}
    magnitude = np.float32(policy.low)
    for name, value in expected.items():
        found = policy.space[name].values(magnitude, 1).item()
        assert found == pytest.approx(value, abs=1e-4), name


@pytest.mark.parametrize("name", EVERY)
def test_a_ready_policy_saves_and_replays(name, tmp_path):
    policy = load_policy(name)
    assert load_policy(policy.name) == policy
    again = load_policy(save_policy(policy, tmp_path / "policy.json"))
    assert again == policy
    assert again.name == policy.name
    images = np.random.default_rng(0).integers(0, 256, (64, 32, 32, 3), np.uint8)
    for epoch in (0, policy.span):
        first, second = (p.augment(images, seed=3, epoch=epoch) for p in (policy, again))
        assert (first == second).all()
    assert (first != images).any(axis=(1, 2, 3)).mean() > 0.3


def test_colours_are_those_of_the_released_code():
    """Cutout has a colour of its own; PBA has the data mean, outside of moved images, too."""
    for name in ("fast-autoaugment:imagenet", "dada:svhn"):
        policy = load_policy(name)
        assert (policy.fill, policy.space["Cutout"].fill) == (0, (125, 123, 114))
    last = load_policy("pba:svhn").pieces[-1].policy
    assert last.fill == last.space["Cutout"].fill == (110, 110, 114)
    black = np.zeros((200, 32, 32, 3), np.uint8)
    single = replace(
        load_policy("dada:cifar10"), subpolicies=((Step("Cutout", 1.0, 1.0),),), label="one"
    )
    colours = {tuple(colour) for colour in single.augment(black, seed=0).reshape(-1, 3).tolist()}
    assert colours == {(0, 0, 0), (125, 123, 114)}


def test_shares_of_operations_follow_the_table():
    policy = load_policy("dada:cifar100")
    stream = Stream(seed=0, index=np.arange(20_000))
    drawn = policy.sample(stream)
    wanted = fsum(step.probability for steps in policy.subpolicies for step in steps) / 25
    assert drawn.fire.sum(1).mean() == pytest.approx(wanted, abs=0.02)


@pytest.mark.parametrize("name", ["fast-autoaugment:svhn", "dada", "pba:cifar10(fill=0)"])
def test_previews(name, tmp_path):
    out = tmp_path / "sheet.png"
    arguments = ["preview", "digits", "--policy", name, "--out", str(out), "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert out.stat().st_size > 1000
    assert json.loads(result.stdout)["policies"] == [load_policy(name).name]


def test_a_preview_of_a_schedule_shows_its_epochs():
    images = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), np.uint8)
    policy = load_policy("pba:cifar10")
    strip = policy.preview(images, draws=3, seed=0, epochs=policy.span)
    assert (strip[:, 1] == images).all()
    assert (strip[:, 3] != images).any()
    assert load_policy("flip + schedule(5:none,5:flip(1))").span == 6


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fast-autoaugment:cifar", "Did you mean 'cifar10'"),
        ("pba:imagenet", "cifar10, cifar100, svhn"),
        ("randaugment:cifar10", "Did you mean 'cifar10-wrn-28-10'"),
        ("randaugment:svhn-wrn-28-10(m=3)", "takes no further options"),
        ("pba:svhn(epochs=0)", "from 1 to"),
    ],
)
def test_unknown_settings_are_refused(text, expected):
    with pytest.raises(PolicyError, match=expected.replace("(", r"\(")):
        load_policy(text)


def test_the_tables_state_their_source():
    for paper in ("fast-autoaugment", "dada", "pba"):
        source = _table(paper, "cifar10")
        assert source["repository"].count("/") == 1
        assert len(source["commit"]) == 40
        assert NAMED[paper]().name == f"{paper}:cifar10"
