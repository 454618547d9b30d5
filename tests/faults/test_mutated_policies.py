"""Policy files are data: any content is either read or rejected, and never executed."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from fuzzing import COUNT, misvalued, mutated, outcomes
from hypothesis import given, settings
from hypothesis import strategies as st

from automorph import load_policy
from automorph.errors import AutomorphError, PolicyError
from automorph.policies import policy_from_dict, policy_to_dict, read_policy

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
GOLDEN = sorted((Path(__file__).parent.parent / "policies" / "golden").rglob("*.json"))
NAMES = ("autoaugment:cifar10", "augmix", "flip-crop + randaugment(n=2,m=9) + cutout(4) + mixup")


def originals():
    plain = [policy_to_dict(load_policy(name)) for name in NAMES]
    return [*(json.loads(path.read_text("utf-8")) for path in GOLDEN), *plain]


def use(policy):
    """A policy that was read can be used and written again."""
    if getattr(policy, "space", None) is not None and policy.space.domain == "image":
        labels = np.eye(4, dtype=np.float32)
        policy.augment(IMAGES, labels=labels, seed=1)
    assert policy_from_dict(policy_to_dict(policy)) == policy


@pytest.mark.parametrize("way", ["bytes", "values"])
def test_mutated_policy_files_are_read_or_refused(way, tmp_path):
    rng, files, path = random.Random(0), originals(), tmp_path / "policy.json"

    def attempts():
        for _ in range(COUNT):
            original = rng.choice(files)
            text = json.dumps(misvalued(original, rng) if way == "values" else original)
            content = mutated(text.encode(), rng) if way == "bytes" else text.encode()

            def attempt(content=content):
                path.write_bytes(content)
                policy = read_policy(path)
                try:
                    use(policy)
                except AutomorphError:
                    return "read, and unfit for these images"
                return "read"

            yield content, attempt

    for file in files:
        use(policy_from_dict(file))
    ends = outcomes(attempts(), (PolicyError,))
    assert sum(ends.values()) == COUNT
    assert ends["refused: PolicyError"] > COUNT / 4


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=30,
)


@settings(max_examples=COUNT, deadline=None)
@given(st.sampled_from([1, 2]), JSON)
def test_any_data_in_the_place_of_a_policy_is_refused(version, content):
    with pytest.raises(PolicyError):
        policy_from_dict({"format": "automorph-policy", "version": version, "policy": content})


def test_a_policy_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "policy.json"
    with path.open("wb") as file:
        file.truncate(17 * 2**20)
    with pytest.raises(PolicyError, match="16 MiB"):
        read_policy(path)


@pytest.mark.parametrize(
    "kernel", ["Masked:evil/model", "BackTranslation:evil/forth | evil/back", "Masked:../../x"]
)
def test_a_policy_file_fetches_no_language_model(kernel):
    plain = policy_to_dict(load_policy("eda"))
    text = json.dumps(plain).replace('"kernel": "Swap"', f'"kernel": "{kernel}"')
    assert kernel in text
    with pytest.raises(PolicyError, match="not on this machine"):
        policy_from_dict(json.loads(text))
