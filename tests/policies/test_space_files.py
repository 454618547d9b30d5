"""Space files: what a person marked, the space that remains, round trips and invalid files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from referencing import Registry, Resource

from automorph.errors import PolicyError
from automorph.operations import CATALOGUE, Operation, SearchSpace, named_space
from automorph.policies import (
    Mark,
    ReviewedSpace,
    WrongFrom,
    load_policy,
    load_space,
    marked_space,
    read_space,
    reviewed_to_dict,
    sides_of,
    write_space,
)
from automorph.policies.file import SCHEMA as POLICY_SCHEMA
from automorph.policies.space_file import SCHEMA, reviewed_from_dict

SPACE = named_space("randaugment")
MARKS = {"Rotate": Mark(wrong={"+": WrongFrom(0.5, 0.25)}), "Equalize": Mark(never=True)}


def validator() -> jsonschema.Draft202012Validator:
    policy = Resource.from_contents(json.loads(POLICY_SCHEMA.read_text()))
    registry = Registry().with_resource("policy.schema.json", policy)
    return jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()), registry=registry)


def some_mark(operation: Operation, rng: np.random.Generator) -> Mark:
    if rng.random() < 0.2:
        return Mark(never=True)
    wrong = {}
    for side in sides_of(operation):
        magnitude = float(rng.uniform(0.01, 1))
        if rng.random() < 0.6:
            right_to = None if rng.random() < 0.3 else magnitude * float(rng.uniform(0, 0.99))
            wrong[side] = WrongFrom(magnitude, right_to)
    return Mark(wrong=wrong)


@pytest.mark.parametrize("seed", range(5))
def test_a_file_holds_what_was_marked(seed: int) -> None:
    rng = np.random.default_rng(seed)
    full = SearchSpace("everything", CATALOGUE)
    marks = {one.name: some_mark(one, rng) for one in full if rng.random() < 0.9}
    content = json.loads(json.dumps(reviewed_to_dict(ReviewedSpace(full, marks, "digits"))))
    validator().validate(content)
    found = reviewed_from_dict(content)
    assert dict(found.marks) == marks
    assert found.space == marked_space(full, marks)
    assert set(found.space.refused or ()) == set(full.names) - set(found.space.names)
    for operation in found.space:
        whole = full[operation.name]
        assert whole.low <= operation.low <= operation.high <= whole.high


def test_search_spaces_and_policies_come_from_files(tmp_path: Path) -> None:
    path = write_space(ReviewedSpace(SPACE, MARKS, "digits"), tmp_path / "space.json")
    space = load_space(str(path))
    assert space.name == "randaugment-reviewed"
    assert (space["Rotate"].low, space["Rotate"].high) == (-30, 7.5)
    assert "Equalize" not in space.names
    policy = load_policy(f"randaugment(n=2,m=9,space={path})")
    assert policy.space == space
    assert policy.name == "randaugment(n=2,m=9,space=own:randaugment-reviewed)"


def test_a_range_that_a_person_edits_counts(tmp_path: Path) -> None:
    path = write_space(ReviewedSpace(SPACE, MARKS), tmp_path / "space.json")
    content = json.loads(path.read_text())
    rotate = next(one for one in content["space"]["operations"] if one["name"] == "Rotate")
    rotate["high"] = 5
    path.write_text(json.dumps(content))
    assert load_space(path)["Rotate"].high == 5


def changed(where: list[Any], value: Any) -> str:
    content = reviewed_to_dict(ReviewedSpace(SPACE, MARKS))
    place: Any = content
    for key in where[:-1]:
        place = place[key]
    if value is None:
        del place[where[-1]]
    else:
        place[where[-1]] = value
    return json.dumps(content)


MARKED = ["review", "marks"]


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("{", "not a JSON file"),
        ("[]", "no \"format\""),
        (changed(["version"], 2), "version 2"),
        (changed(["review"], None), "no review"),
        (changed(["spac"], {}), "Did you mean 'space'?"),
        (changed([*MARKED, "Rotat"], {}), "Did you mean 'Rotate'?"),
        (changed([*MARKED, "Rotate", "wrong", "+", "from"], 2), "from 0 to 1"),
        (changed([*MARKED, "Rotate", "wrong", "+", "right_to"], 0.7), "the second one smaller"),
        (changed([*MARKED, "Rotate", "wrong", "+"], "far"), "expected an object"),
        (changed([*MARKED, "Posterize"], {"never": False, "wrong": {"-": {}}}), "expected +"),
        (changed([*MARKED, "Equalize", "never"], 1), "wrong type"),
        (changed(["space", "operations", 1, "low"], "x"), "expected a number"),
    ],
)  # fmt: skip
def test_invalid_files_are_refused(tmp_path: Path, text: str, fragment: str) -> None:
    path = tmp_path / "space.json"
    path.write_text(text)
    with pytest.raises(PolicyError, match=r"xpected|upgrade") as error:
        read_space(path)
    assert fragment in str(error.value)


def test_a_space_with_nothing_left_is_refused(tmp_path: Path) -> None:
    none = {name: Mark(never=True) for name in SPACE.names}
    path = write_space(ReviewedSpace(SPACE, none), tmp_path / "space.json")
    with pytest.raises(PolicyError, match="leaves no operation"):
        load_space(path)
    assert read_space(path).marks == none


def test_a_name_from_a_table_is_no_space() -> None:
    with pytest.raises(PolicyError, match="how tables name a space of your own"):
        load_policy("trivialaugment(space=own:randaugment-reviewed)")
