"""Files of version 1 replay for ever, and no default of the code decides what a file does."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from policy_strategies import EVERY_NAME, policies

import automorph
from automorph.errors import PolicyError
from automorph.operations import OPERATIONS, SearchSpace, named_space, operation
from automorph.policies import (
    Mixed,
    Mixture,
    RandomPolicy,
    Shuffled,
    Step,
    Uniform,
    identity_form,
    load_policy,
    policy_from_dict,
    policy_to_dict,
    save_policy,
)
from automorph.policies.definitions import KERNEL_CONSTANTS, KIND_CONSTANTS
from automorph.policies.file import _KINDS, SCHEMA
from automorph.policies.file_v1 import upgraded

TESTS = Path(__file__).parent.parent
RECORDED = TESTS / "golden"
FIRST_VERSION = [
    *sorted((RECORDED / "policies").glob("v1-*.json")),
    *sorted((TESTS / "policies" / "golden").glob("v1-*.json")),
]
SECOND_VERSION = sorted((TESTS / "policies" / "golden").glob("v2-*.json"))
VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))


@operation(range=(-30, 10), unit="deg", identity=0, whole=True)
def wave(image, value):
    """Waves."""
    return image


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8"))


def name_of(path: Path) -> str:
    return f"{path.parent.parent.name}-{path.stem}"


@pytest.mark.parametrize("path", FIRST_VERSION, ids=name_of)
def test_a_file_of_version_1_is_upgraded_once_and_means_the_same(path):
    content = read(path)
    before = deepcopy(content)
    full = upgraded(content)
    assert content == before
    assert full["version"] == 2
    assert upgraded(full) == full
    VALIDATOR.validate(full)
    policy = load_policy(path)
    assert policy_from_dict(full) == policy
    assert policy_from_dict(policy_to_dict(policy)) == policy


def test_there_are_files_that_leave_everything_out():
    assert len(FIRST_VERSION) == 39
    assert sum("unsaid" in path.stem for path in FIRST_VERSION) == 18


def test_files_saved_anew_replay_to_the_recording(tmp_path):
    """The recorded pixels of files of version 1, from the same policies saved as version 2."""
    shutil.copytree(RECORDED, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("runs"))
    for path in (tmp_path / "policies").iterdir():
        save_policy(path, path)
        assert read(path)["version"] == 2
    place = {"PYTHONPATH": str(Path(automorph.__file__).parents[1]), "AUTOMORPH_WORDNET": "wordnet"}
    done = subprocess.run(
        [sys.executable, "golden_record.py", "measure", "files"],
        cwd=tmp_path, env=os.environ | place, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not done.returncode, done.stderr[-3000:]
    now, before = json.loads(done.stdout)["files"], read(RECORDED / "files.json")["cases"]
    assert now.keys() == before.keys()
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.syspath_prepend(str(RECORDED))
    try:
        from test_golden import alike, kept

        same = kept("files")[1]
        assert [k for k in now if not alike("files", before[k], now[k], same_machine=same)] == []
    finally:
        monkeypatch.undo()


@pytest.mark.parametrize("name", EVERY_NAME)
def test_the_file_of_a_name_is_the_upgrade_of_its_first_form(name):
    check_upgrade(load_policy(name))


@settings(max_examples=50, deadline=None)
@given(policies)
def test_the_file_of_a_policy_is_the_upgrade_of_its_first_form(policy):
    check_upgrade(policy)


def has_own_fill(form):
    """Whether an operation paints in another level than the grey of version 1."""
    if isinstance(form, dict):
        return ("kernel" in form and "fill" in form) or any(map(has_own_fill, form.values()))
    return isinstance(form, list) and any(map(has_own_fill, form))


def check_upgrade(policy):
    content = policy_to_dict(policy)
    assert content["version"] == 2
    form = identity_form(policy.with_mean(128))
    if has_own_fill(form):
        return  # Version 1 had no such policies.
    assert upgraded({**content, "version": 1, "policy": form}) == content


def test_a_users_operation_in_a_file_of_version_1_is_as_it_was_declared(tmp_path):
    least = {"kernel": "user", "low": -30, "high": 10, "identity": 0}
    space = {"name": "mine", "operations": [{"name": n, **least} for n in ("wave", "wave[3]")]}
    node = {"kind": "uniform", "operations": space}
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"format": "automorph-policy", "version": 1, "policy": node}))
    first, second = load_policy(path, operations=[wave]).space
    assert first == wave
    assert second == replace(wave, name="wave[3]")
    with pytest.raises(PolicyError, match="never runs code"):
        load_policy(path)


def test_operations_of_our_own_spaces_are_as_they_were():
    policy = Uniform(operations=named_space("disc-axes"))
    content = {"format": "automorph-policy", "version": 1, "policy": identity_form(policy)}
    for entry in content["policy"]["operations"]["operations"]:
        assert entry["function"].startswith("automorph.space.vectors:")
        for key in ("unit", "whole", "domain"):
            del entry[key]
    assert policy_from_dict(content) == policy


def kinds() -> dict[str, dict[str, Any]]:
    """A file of every kind, by kind."""
    contents = (read(path) for path in SECOND_VERSION)
    return {content["policy"]["kind"]: content for content in contents}


def places(node: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Every key of every object in a node, with the way there."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield way, key
            yield from places(value, (*way, key))
    elif isinstance(node, list):
        # The first and the last stand for the others.
        for number in sorted({0, len(node) - 1} if node else ()):
            yield from places(node[number], (*way, number))


def test_there_is_a_file_of_version_2_of_every_kind():
    assert set(kinds()) == set(_KINDS)


@pytest.mark.parametrize("kind", _KINDS)
def test_a_missing_field_is_refused_with_its_name_and_place(kind):
    content = kinds()[kind]
    for way, key in places(content["policy"]):
        changed = deepcopy(content)
        node = changed["policy"]
        for part in way:
            node = node[part]
        del node[key]
        where = "policy" + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in way)
        missing = f"{where}.kind is None" if key == "kind" else f"{where} has no {key}; a policy"
        with pytest.raises(PolicyError) as caught:
            policy_from_dict(changed)
        assert missing in str(caught.value)
        assert "expected one of" in str(caught.value) or "Add the missing ones" in str(caught.value)
        assert not VALIDATOR.is_valid(changed), (way, key)


@pytest.mark.parametrize("kind", _KINDS)
def test_every_field_of_a_kind_is_required(kind):
    """A new field needs a new version of the format, and an upgrade that fills it in."""
    required = set(VALIDATOR.schema["$defs"][kind]["required"])
    constants = {"constants"} if kind in KIND_CONSTANTS else set()
    assert required == {"kind", *constants, *(field.name for field in fields(_KINDS[kind]))}
    assert required == set(kinds()[kind]["policy"])


@pytest.mark.parametrize("kind", _KINDS)
def test_every_field_and_constant_is_documented(kind):
    page = (TESTS.parent / "docs" / "policy-files.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("|")]

    def documented(row: str, key: str) -> bool:
        return any(line.startswith(f"| {row} |") and f"`{key}`" in line for line in rows)

    required = VALIDATOR.schema["$defs"][kind]["required"]
    assert all(documented(f"`{kind}`", field) for field in required if field != "kind")
    assert all(
        documented("an operation", key)
        for key in VALIDATOR.schema["$defs"]["operation"]["required"]
    )
    for key, constants in (KERNEL_CONSTANTS | KIND_CONSTANTS).items():
        assert all(re.search(rf"^\| .*`{key}`.*`{one}`", page, re.M) for one in constants)


def test_the_schema_knows_the_constants_of_every_kernel():
    space = SearchSpace("all", tuple(OPERATIONS.values()))
    content = policy_to_dict(Uniform(operations=space))
    VALIDATOR.validate(content)
    for entry in content["policy"]["operations"]["operations"]:
        assert entry.get("constants", {}) == KERNEL_CONSTANTS.get(entry["kernel"], {})
        unlike = {"constants": {"fill": 128}} if "constants" not in entry else {"constants": {}}
        changed = deepcopy(content)
        changed["policy"]["operations"]["operations"] = [entry | unlike]
        assert not VALIDATOR.is_valid(changed), entry["kernel"]
        with pytest.raises(PolicyError, match="constants"):
            policy_from_dict(changed)


@pytest.mark.parametrize("path", SECOND_VERSION, ids=name_of)
def test_files_of_version_2_are_read_and_written_alike(path):
    policy, content = load_policy(path), read(path)
    VALIDATOR.validate(content)
    assert policy_to_dict(policy)["policy"] == content["policy"]
    first = path.with_name(path.name.replace("v2-", "v1-"))
    assert load_policy(first) == policy


def test_another_default_in_the_code_changes_no_file(monkeypatch):
    paths = [*FIRST_VERSION, *SECOND_VERSION]
    before = [load_policy(path) for path in paths]
    typed = policy_to_dict(load_policy("randaugment(n=2,m=9)"))
    batch = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), np.uint8)
    pixels = policy_from_dict(typed).augment(batch)
    changes: dict[type, dict[str, Any]] = {
        Uniform: {"fill": 99, "interpolation": "bilinear", "length": 4, "probability": 0.5,
                  "low": 0.25, "high": 0.75, "levels": 3, "spread": 0.1},
        RandomPolicy: {"fill": 99, "interpolation": "bilinear", "count": 3, "length": 1, "seed": 1},
        Mixed: {"alpha": 2.0, "probability": 0.5},
        Mixture: {"fill": 99, "interpolation": "bilinear", "weights": (1.0,)},
        Shuffled: {"fill": 99, "interpolation": "bilinear", "counts": (1.0,)},
        _KINDS["augmix"]: {"fill": 99, "interpolation": "bilinear", "severity": 5.0, "weakest": 0.2,
                           "width": 2, "depth": 1, "alpha": 2.0, "share": 0.5},
        _KINDS["generated"]: {"fill": 99, "network": "per-position", "length": 2, "bound": 1.0},
        _KINDS["schedule"]: {"label": "x"},
    }  # fmt: skip
    for cls, defaults in changes.items():
        known = cls.__init__.__kwdefaults__ or {}
        for key, value in defaults.items():
            if key in known:
                monkeypatch.setitem(known, key, value)
    monkeypatch.setattr(Step.__init__, "__defaults__", (0.5, 0.5))
    for name, one in OPERATIONS.items():
        other = replace(one, low=1.0, high=2.0, identity=None, unit="px", whole=not one.whole)
        monkeypatch.setitem(OPERATIONS, name, other)
    # The changes are felt where nothing is stated.
    assert Uniform(operations=named_space("augmix")).fill == 99
    assert Mixed(mix="cutmix").alpha == 2
    assert [load_policy(path) for path in paths] == before
    assert np.array_equal(policy_from_dict(typed).augment(batch), pixels)


def one(kernel: str, value: float) -> Mixture:
    """A policy of one operation at one value."""
    space = SearchSpace("one", (OPERATIONS[kernel].between(value, value),))
    return Mixture(label="one", operations=space, subpolicies=((Step(kernel, 1.0, 1.0),),))


def test_pixels_are_those_of_the_stated_constants():
    """The table is typed by hand; the engine has constants of its own."""
    ramp = np.broadcast_to(np.arange(256, dtype=np.uint8)[None, :, None], (1, 256, 256, 1)).copy()
    grey = KERNEL_CONSTANTS["Cutout"]["fill"]
    covered = one("Cutout", 2.0).augment(np.zeros_like(ramp))
    assert set(np.unique(covered)) <= {0, grey}
    assert (covered == grey).any()
    assert KERNEL_CONSTANTS["Posterize"]["min_bits"] == 0
    assert not one("Posterize", 0.0).augment(ramp).any()
    lifted = one("SolarizeAdd", 10.0).augment(ramp) != ramp
    assert lifted.sum() == 256 * KERNEL_CONSTANTS["SolarizeAdd"]["below"]
    assert not lifted[:, :, KERNEL_CONSTANTS["SolarizeAdd"]["below"] :].any()
    flat = np.full((64, 8, 8, 1), 7, np.uint8)
    assert (one("Zoom", 0.5).augment(flat) == 7).all()
    assert (one("Blur", 3.0).augment(flat) == 7).all()


def test_draws_are_those_of_the_stated_constants():
    drawn = RandomPolicy(operations=named_space("augmix"), count=1000, seed=0)
    steps = [step for sub in drawn.mixture(0).subpolicies for step in sub]
    constants = KIND_CONSTANTS["drawn"]
    assert len({step.probability for step in steps}) == constants["probabilities"]
    assert len({step.magnitude for step in steps}) == constants["magnitudes"]
    chains = load_policy("augmix").sample(stream(100))
    assert chains.length == KIND_CONSTANTS["augmix"]["longest"]


def stream(n: int):
    from automorph.operations import Stream

    return Stream(index=np.arange(n))
