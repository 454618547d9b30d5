"""Joint batches of views, and properties that all training methods share."""

from __future__ import annotations

import json

import pytest
import torch

from automorph.augmenters import as_treatment
from automorph.errors import PolicyError
from automorph.policies import load_policy
from automorph.testing import augmenter_checks
from automorph.training import AugmenterSpec, PolicyAugmenter, Units, train

CHECKS = {check.name: check for check in augmenter_checks()}
TEXTS = [
    "views(m=2)",
    "views(m=3,policy=randaugment(n=1,m=5)) + mixup",
    "flip-crop + uncertainty(c=3,s=2,rule=top) + cutout(16)",
    "uncertainty(c=4,rule=adaptive,n=3)",
    "uncertainty(c=4,policy=trivialaugment,every=2,size=0.5,precision=bf16,frozen=10,probe=3)",
    "adversarial(m=4)",
    "adversarial(m=2,n=1,every=20,count=3,levels=5,lr=0.01,entropy=0.1,space=augmix) + mixup",
    "augmix-jsd",
    "flip-crop + augmix-jsd(weight=1,m=1,policy=trivialaugment)",
]


def test_views_are_copies_of_one_policy(raw_batch):
    raw, policy = raw_batch(8), load_policy("crop + trivialaugment")
    batch = as_treatment("crop + views(m=3,policy=trivialaugment)").build()(raw)

    for copy in range(3):
        expected = policy.augment(raw.examples, index=raw.index, copy=copy)
        assert torch.equal(batch.inputs[copy::3], raw.encode(expected))


@pytest.mark.parametrize("tail", ["", " + mixup"])
def test_one_view_is_the_policy_bit_for_bit(task, same, tail):
    one = train(task, as_treatment(f"views(m=1,policy=trivialaugment){tail}"), seed=4)

    assert same(one, train(task, f"trivialaugment{tail}", seed=4))


def test_one_view_of_nothing_is_plain_training_bit_for_bit(task, same):
    assert same(
        train(task, as_treatment("views(m=1,policy=none)"), seed=4), train(task, None, seed=4)
    )


def test_views_cost_passes(task):
    assert train(task, as_treatment("views(m=3)")).units == Units(900, 900)


@pytest.mark.parametrize("text", TEXTS)
def test_names_come_back(text):
    arm = as_treatment(text)

    assert as_treatment(arm.name) == arm
    assert as_treatment(arm) is arm
    assert as_treatment(arm.name).name == arm.name == str(arm)


@pytest.mark.parametrize("text", TEXTS)
def test_methods_are_values_that_travel(text):
    arm = as_treatment(text)

    assert isinstance(arm, AugmenterSpec)
    CHECKS["the_method_is_a_value"](arm)
    assert hash(arm) == hash(as_treatment(text))
    assert json.loads(json.dumps(arm.describe()))["name"] == arm.name
    assert arm.table().rows
    assert arm.build().describe() == arm.describe()


@pytest.mark.parametrize(
    "text",
    [text for text in TEXTS if "probe" not in text] + ["uncertainty(rule=lowest,probe=5,every=2)"],
)
def test_every_method_trains_and_goes_on_after_a_stop(task, text):
    method = as_treatment(text.replace("cutout(16)", "cutout(2)"))
    CHECKS["resumed_training_is_the_same"](method, task=task)


@pytest.mark.parametrize("text", TEXTS)
def test_batches_are_seen_whole_where_examples_meet(text):
    arm = as_treatment(text)
    expected = PolicyAugmenter(arm.policy).whole_batch

    assert arm.build().whole_batch == expected
    assert expected == (
        "mixup" in text or text == "adversarial(m=4)"
    )  # Its space has SamplePairing.


def test_policies_stay_policies():
    assert as_treatment("flip-crop + mixup") == load_policy("flip-crop + mixup")
    assert as_treatment(load_policy("flip")) == load_policy("flip")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("views(m=2) + adversarial", "got 2 in-training methods"),
        ("uncertanty(c=4)", r"unknown policy 'uncertanty'\. Did you mean the method 'uncertainty'"),
        ("uncertainty(c=4", "brackets"),
        ("uncertainty(c=4)x", "cannot read"),
        (
            "uncertainty(k=4)",
            "unknown option 'k' of the in-training method 'uncertainty'.*Expected c=4",
        ),
        ("uncertainty(c=four)", "c='four'; expected a whole number"),
        ("adversarial(space=nowhere)", "unknown search space 'nowhere'"),
        ("views(policy=nonesuch)", "unknown policy 'nonesuch'"),
        ("mixup + views(m=2)", "before views|before uniformaugment|to come last"),
    ],
)
def test_what_cannot_be_read_is_refused(text, words):
    with pytest.raises(PolicyError, match=words):
        as_treatment(text).policy  # noqa: B018
