"""Policy files: exact round trips, the schema, old files, and invalid files."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from policy_strategies import EVERY_NAME, policies

from automorph.errors import PolicyError
from automorph.operations import SearchSpace, named_space, operation
from automorph.policies import (
    Generated,
    Mixture,
    Policy,
    Step,
    Uniform,
    load_policy,
    policy_from_dict,
    policy_to_dict,
    read_policy,
    save_policy,
)
from automorph.policies.file import LARGEST_FILE, SCHEMA, parse_json

VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
GOLDEN = Path(__file__).with_name("golden")


@operation(range=(-30, 10), unit="deg", identity=0)
def wave(image, value):
    """Waves."""
    return image


def through_json(policy: Policy, operations=()) -> Policy:
    content = policy_to_dict(policy)
    VALIDATOR.validate(content)
    return policy_from_dict(parse_json(json.dumps(content, allow_nan=False)), operations)


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(VALIDATOR.schema)


@pytest.mark.parametrize("name", EVERY_NAME)
def test_every_named_policy_comes_back_from_its_file(name, tmp_path):
    policy = load_policy(name)
    path = save_policy(policy, tmp_path / "policy.json", provenance={"seed": 1})
    VALIDATOR.validate(json.loads(path.read_text()))
    again = load_policy(path)
    settled = policy.with_mean(128)
    assert again == settled
    assert again.name == settled.name
    assert again.table() == settled.table()
    assert list(tmp_path.iterdir()) == [path]
    first = path.read_bytes()
    save_policy(again, path, provenance={"seed": 1})
    assert path.read_bytes() == first


@settings(max_examples=200, deadline=None)
@given(policies)
def test_every_policy_comes_back_from_json(policy):
    assert through_json(policy) == policy


def test_numpy_numbers_are_written():
    step = Step("Rotate", np.float32(0.5), np.float64(0.1))
    policy = Mixture(
        label="x", operations=named_space("randaugment"), subpolicies=[[step]],
        weights=np.array([1], np.float32),
    )  # fmt: skip
    assert through_json(policy) == policy
    policy = Uniform(operations=named_space("randaugment"), length=np.int64(2), low=np.float32(0.1))
    assert through_json(policy) == policy


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_files_of_earlier_versions_are_read(path):
    name = json.loads(path.read_text())["name"]
    if "augmix" in path.name:  # Its name means what the released code does, since 0.2.
        name = name.replace(")", ",space=own:augmix,interpolation=nearest)")
    assert load_policy(path).name == name


def test_there_are_files_of_earlier_versions():
    assert len(list(GOLDEN.glob("*.json"))) >= 6


def test_a_users_operation_is_named_and_must_be_passed(tmp_path):
    space = SearchSpace("mine", (wave, wave.at(2.5), wave.between(-1, 1).at(0)))
    step = Step("wave[2.5]", 0.5, 1.0)
    policy = Mixture(label="mine", operations=space, subpolicies=((step,),))
    path = save_policy(policy, tmp_path / "policy.json")
    declared = json.loads(path.read_text())["policy"]["operations"]["operations"][0]
    assert declared["kernel"] == "user"
    assert declared["function"].endswith(":wave")
    with pytest.raises(PolicyError, match=r"never runs code.*load_policy\(path, operations=\[wav"):
        load_policy(path)
    assert load_policy(path, operations=[wave]) == policy
    # The range in the file counts, not the operation's current one.
    assert load_policy(path, operations=[wave.between(-5, 5)]) == policy


def test_a_chain_may_hold_a_file_with_a_users_operation(tmp_path):
    policy = Uniform(operations=SearchSpace("mine", (wave,)))
    path = save_policy(policy, tmp_path / "mine.json")
    chain = load_policy(f"flip + {path}", operations=[wave])
    assert chain.stages[1] == policy


def base() -> dict:
    return policy_to_dict(load_policy("flip-crop + randaugment(n=2,m=9)"))


def changed(path: str, value) -> dict:
    """The base policy with one entry changed, or removed (value None)."""
    content = copy.deepcopy(base())
    *way, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    node = content
    for part in way:
        node = node[part]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return content


def generated(key: str, value) -> dict:
    """A learned policy with one entry changed, or removed (value None)."""
    content = policy_to_dict(
        Generated(label="x", operations=named_space("randaugment"), parameters=(0.0,) * 14)
    )
    content["policy"][key] = value
    if value is None:
        del content["policy"][key]
    return content


def grey(level) -> dict:
    """Cutout with another level, or without one (None)."""
    content = policy_to_dict(load_policy("cutout"))
    constants = content["policy"]["operations"]["operations"][0]["constants"]
    constants["fill"] = level
    if level is None:
        del constants["fill"]
    return content


FIRST = "policy/stages/0"
A_STEP = base()["policy"]["stages"][0]["subpolicies"][0][0]
A_PAD_CROP = {**base()["policy"]["stages"][0]["operations"]["operations"][0], "name": "pad_crop"}
STEP = f"{FIRST}/subpolicies/0/0"
OPERATION = f"{FIRST}/operations/operations/0"
REFUSED = {
    "no format": (changed("format", None), 'has no "format"'),
    "other format": (changed("format", "onnx"), 'has no "format"'),
    "newer": (changed("version", 3), "reads only up to 2; upgrade automorph"),
    "version text": (changed("version", "1"), "has version '1'; expected a whole number"),
    "version true": (changed("version", True), "has version True"),
    "version 0": (changed("version", 0), "has version 0"),
    "no policy": (changed("policy", None), "policy is None; expected an object"),
    "no kind": (changed("policy/kind", None), "policy.kind is None; expected one of mixture"),
    "kind": (changed(f"{FIRST}/kind", "generator"), "stages[0].kind is 'generator'"),
    "kind list": (changed(f"{FIRST}/kind", ["mixture"]), "stages[0].kind is ['mixture']"),
    "unknown key": (changed(f"{FIRST}/power", 9), "unknown keys: 'power'"),
    "stages text": (changed("policy/stages", "flip"), "stages is 'flip'; expected a list"),
    "no stages": (changed("policy/stages", []), "a chain of 0 policies"),
    "missing": (changed(f"{FIRST}/operations", None), "stages[0] has no operations; a policy"),
    "label": (changed(f"{FIRST}/label", 3), "label is 3; expected a text"),
    "fill": (changed(f"{FIRST}/fill", "red"), "fill is 'red'; expected a level"),
    "fill mean": (changed(f"{FIRST}/fill", "mean"), "is stored as its resolved number"),
    "fill symbols": (changed(f"{FIRST}/fill", [1, "mean", 3]), "expected a level from 0 to 255"),
    "fill float": (changed(f"{FIRST}/fill", 0.5), "got fill=0.5"),
    "fill list": (changed(f"{FIRST}/fill", [1, 2, 999]), "got fill=999"),
    "interpolation": (changed(f"{FIRST}/interpolation", "cubic"), "expected nearest or bilinear"),
    "interpolation list": (changed(f"{FIRST}/interpolation", []), "expected nearest or bilinear"),
    "step text": (changed(STEP, "flip"), "subpolicies[0][0] is 'flip'; expected an object"),
    "step operation": (changed(f"{STEP}/operation", "Warp"), "unknown operation 'Warp' of"),
    "step key": (changed(f"{STEP}/angle", 3), "unknown keys: 'angle'"),
    "probability": (changed(f"{STEP}/probability", 1.5), "got probability=1.5; expected a number"),
    "probability text": (changed(f"{STEP}/probability", "high"), "got probability='high'"),
    "probability missing": (changed(f"{STEP}/probability", None), "[0][0] has no probability; a"),
    "magnitude true": (changed(f"{STEP}/magnitude", True), "got magnitude=True"),
    "magnitude huge": (changed(f"{STEP}/magnitude", 10**400), "expected a number from 0 to 1"),
    "long": (changed(f"{FIRST}/subpolicies/0", [A_STEP] * 101), "a sub-policy of 101 steps"),
    "weights": (changed(f"{FIRST}/weights", [1, 2]), "got 2 weights for 1 sub-policies"),
    "weights negative": (changed(f"{FIRST}/weights", [-1]), "got a weight=-1"),
    "weights zero": (changed(f"{FIRST}/weights", [0]), "not all 0"),
    "weights text": (changed(f"{FIRST}/weights", "even"), "weights is 'even'; expected a list"),
    "length": (changed("policy/stages/1/length", 10**9), "got length=1000000000; expected"),
    "length float": (changed("policy/stages/1/length", 2.0), "got length=2.0; expected a whole"),
    "low": (changed("policy/stages/1/low", 0.9), "got low=0.9; expected a number from 0 to 0.3"),
    "space": (changed(f"{FIRST}/operations", "mine"), "operations is 'mine'; expected an object"),
    "space name": (changed(f"{FIRST}/operations/name", None), "operations has no name; a policy"),
    "space twice": (changed(f"{FIRST}/operations/operations/1", A_PAD_CROP), "duplicate operat"),
    "space empty": (changed("policy/stages/1/operations/operations", []), "without operations"),
    "space huge": (changed(f"{FIRST}/operations/operations", [{}] * 10_001), "10001 operat"),
    "kernel": (changed(f"{OPERATION}/kernel", "PadCrpo"), "Did you mean 'PadCrop'?"),
    "kernel missing": (changed(f"{OPERATION}/kernel", None), "has no kernel; a policy file of"),
    "user": (changed(f"{OPERATION}/kernel", "user"), "is the user-defined operation 'PadCrop'"),
    "low text": (changed(f"{OPERATION}/low", "0"), "low is '0'; expected a number"),
    "low above high": (changed(f"{OPERATION}/low", 5), "expected low <= high"),
    "identity": (changed(f"{OPERATION}/identity", "none"), "identity is 'none'; expected a number"),
    "whole": (changed(f"{OPERATION}/whole", 1), "whole is 1; expected true or false"),
    "domain": (changed(f"{OPERATION}/domain", "text"), "expected image, the domain of PadCrop"),
    "definition": (changed(f"{OPERATION}/definition", 2), "definition is 2; expected 1, the only"),
    "definition true": (changed(f"{OPERATION}/definition", True), "definition is True; expected 1"),
    "constants": (changed(f"{OPERATION}/constants", {}), "unknown keys: 'constants'"),
    "colour high": (grey(256), "constants.fill is 256; expected a level from 0 to 255, or a list"),
    "colour list": (grey([1, 2, 3, 4, 5]), "constants.fill is [1, 2, 3, 4, 5]; expected a level"),
    "grey mean": (grey("mean"), "fill is 'mean'; expected a level from 0 to 255"),
    "grey mean hint": (grey("mean"), "depends on the data is stored as its resolved number"),
    "grey true": (grey(True), "fill is True; expected a level from 0 to 255"),
    "grey missing": (grey(None), "constants has no fill; a policy file of version 2 lists"),
    "network": (generated("network", "transformer"), "got network='transformer'; expected mean"),
    "network list": (generated("network", ["lstm"]), "got network=['lstm']"),
    "no parameters": (generated("parameters", None), "policy has no parameters; a p"),
    "few parameters": (generated("parameters", [0.5]), "got 1 parameters; expected 14 for mean"),
    "parameter text": (generated("parameters", ["a"] * 14), "parameters[0] is 'a'; expected a n"),
    "parameter huge": (generated("parameters", [1e7] * 14), "or larger in magnitude than 1e+06"),
    "unbounded": (generated("network", "lstm"), "got no bound; lstm needs one"),
    "bound": (generated("bound", -1), "got bound=-1; expected a number from 0.01"),
    "list": ([], 'has no "format"'),
    "nothing": (None, 'has no "format"'),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_content_is_refused_with_its_place(case, tmp_path):
    content, message = REFUSED[case]
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(content))
    with pytest.raises(PolicyError) as caught:
        read_policy(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 1000
    refused = not VALIDATOR.is_valid(content) if case != "space huge" else True
    # A schema cannot express references between names, and sums.
    beyond = {
        "step operation",
        "weights",
        "weights zero",
        "low",
        "kernel",
        "user",
        "low above high",
    }
    beyond |= {
        "few parameters",
        "unbounded",
        "domain",
        "space twice",
        "space empty",
        "length float",
    }
    assert refused or case in beyond


TEXTS = {
    "empty": (b"", "is not a JSON file"),
    "not json": (b"randaugment", "is not a JSON file"),
    "cut": (b'{"format": "automorph-pol', "is not a JSON file"),
    "bytes": (b"\xff\xfe\x00", "is not a JSON file"),
    "nan": (b'{"format": NaN}', "it contains NaN, which is not a finite number"),
    "infinity": (b'{"format": -Infinity}', "it contains -Infinity"),
    "too large": (b'{"format": 1e999}', "it contains 1e999"),
    "digits": (b'{"format": ' + b"9" * 5000 + b"}", "is not a JSON file"),
    "twice": (b'{"format": 1, "format": 2}', "it has the key 'format' twice"),
    "deep list": (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
    "huge": (b" " * (LARGEST_FILE + 1), "is larger than 16 MiB"),
}


@pytest.mark.parametrize("case", TEXTS)
def test_what_is_no_json_is_refused(case, tmp_path):
    text, message = TEXTS[case]
    path = tmp_path / "policy.json"
    path.write_bytes(text)
    with pytest.raises(PolicyError, match=str(path)) as caught:
        load_policy(path)
    assert message in str(caught.value)
    assert caught.value.exit_status == 2


@pytest.mark.parametrize("field", ["low", "high", "identity"])
def test_content_that_was_never_json_may_not_hold_nan(field):
    with pytest.raises(PolicyError, match=f"{field} is nan; expected a number"):
        policy_from_dict(changed(f"{OPERATION}/{field}", math.nan))


@pytest.mark.parametrize("version", [1, 2])
def test_deep_chains_are_refused(version):
    node = policy_to_dict(load_policy("flip"))["policy"]
    for _ in range(5000):
        node = {"kind": "chain", "stages": [node, node]}
    with pytest.raises(PolicyError, match="nested too deeply"):
        policy_from_dict({"format": "automorph-policy", "version": version, "policy": node})


def test_paths_that_cannot_be_read(tmp_path):
    with pytest.raises(PolicyError, match="No such file"):
        read_policy(tmp_path / "moon.json")
    with pytest.raises(PolicyError, match="Is a directory"):
        load_policy(tmp_path)


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path):
    policy = load_policy("flip")
    with pytest.raises(PolicyError, match="an existing folder"):
        save_policy(policy, tmp_path / "nowhere" / "policy.json")
    for provenance in ({"loss": float("nan")}, {"model": object()}, {1: {2}}):
        with pytest.raises(PolicyError, match="as JSON"):
            save_policy(policy, tmp_path / "policy.json", provenance=provenance)
    assert not list(tmp_path.iterdir())


def test_a_name_is_saved_as_its_policy(tmp_path):
    path = save_policy("crop + randaugment(2, 9)", tmp_path / "p.json")
    assert load_policy(path) == load_policy("crop + randaugment(n=2,m=9)")
    with pytest.raises(PolicyError, match="got 3 as a policy; expected a name"):
        save_policy(3, tmp_path / "q.json")


def test_policies_of_other_classes_have_no_file():
    class Mine(Uniform):
        pass

    with pytest.raises(PolicyError, match="policies of the class Mine have no file format"):
        policy_to_dict(Mine(operations=named_space("augmix")))


def test_a_file_names_no_code_to_run(tmp_path):
    content = policy_to_dict(Uniform(operations=SearchSpace("mine", (wave,))))
    content["policy"]["operations"]["operations"][0]["function"] = "os:system"
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(content))
    with pytest.raises(PolicyError, match="never runs code"):
        load_policy(path)
