"""Typed names, and names that policies derive for themselves."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_strategies import EVERY_NAME, TEXT_NAMES, policies

from automorph.errors import PolicyError
from automorph.operations import find_operation, named_space
from automorph.policies import (
    NAMED,
    Chain,
    Schedule,
    Uniform,
    chained,
    list_policies,
    load_policy,
    parse_policy,
    save_policy,
)
from automorph.policies.builtin_text import NAMED_WITH_FILES
from automorph.testing import policy_checks

TYPED = {
    "RandAugment(2, 9)": "randaugment(n=2,m=9)",
    " rand_augment ( M = 9 , N = 2 ) ": "randaugment(n=2,m=9)",
    "rand-augment": "randaugment(n=2,m=9)",
    "RANDAUGMENT": "randaugment(n=2,m=9)",
    "randaugment(3,m=4.5)": "randaugment(n=3,m=4.5)",
    "randaugment()": "randaugment(n=2,m=9)",
    "TrivialAugmentWide": "trivialaugment-wide",
    "trivial": "trivialaugment",
    "trivialaugment(space=trivialaugment-wide)": "trivialaugment-wide",
    "identity": "none",
    "Flip_Crop": "flip-crop",
    "flip-crop(pad=0.125)": "flip-crop",
    "AutoAugment:CIFAR10": "autoaugment:cifar10",
    "autoaugment:CIFAR-10": "autoaugment:cifar10",
    "autoaugment( imagenet )": "autoaugment:imagenet",
    "autoaugment(policy='svhn')": "autoaugment:svhn",
    "cutout(16)": "cutout(16)",
    "cutout(16, p=1)": "cutout(16)",
    "random(seed=none)": "random",
    "random(seed=9007199254740993)": "random(seed=9007199254740993)",
    "composition(n=2,p=0.5)": "uniformaugment(n=2,space=randaugment)",
    "composition(n=2,p=1,low=0.3,high=0.3)": "randaugment(n=2,m=9)",
    "flip+cutout(8)": "flip + cutout(8)",
    "Rand-M9-MStd0.5-Inc1": "rand-m9-mstd0.5-inc1",
    "rand-inc1-n2-m9": "rand-m9-inc1",
    "mixup(0.2)": "mixup(alpha=0.2,p=1)",
    "randaugment(2,9,fill=0)": "randaugment(n=2,m=9)",
    "randaugment(2,9,FILL=(9,8,7))": "randaugment(n=2,m=9,fill=(9,8,7))",
    "trivialaugment(interpolation=bilinear)": "trivialaugment(interpolation=bilinear)",
}

WRONG = {
    "": "which has an empty stage",
    "  ": "which has an empty stage",
    "flip +": "which has an empty stage",
    "flip + + cutout": "which has an empty stage",
    "randaument": "Did you mean 'randaugment'?",
    "trivial-augment-wid": "Did you mean 'trivialaugment-wide'?",
    "nonsense": "Expected one of none, flip",
    "randaugment(n=2": "unbalanced brackets",
    "randaugment)n=2(": "unbalanced brackets",
    "randaugment(n=2))": "unbalanced brackets",
    "randaugment(q=2)": "option 'q' of the policy 'randaugment'. Expected n=2, m=9, space=",
    "randaugment(1,2,3,4)": "got 4 values; expected at most n=2, m=9, space=randaugment",
    "randaugment(n=2,n=3)": "the option n is given twice; give it once",
    "randaugment(n=2,,m=9)": "an option without name or value",
    "randaugment(n=,m=9)": "an option without name or value",
    "randaugment(=2)": "an option without name or value",
    "randaugment(n=2,2)": "got n twice, as 2 and 2; give it once",
    "randaugment(n=two)": "got n='two'; expected a whole number",
    "randaugment(n=2.5)": "got n=2.5; expected a whole number",
    "randaugment(n=none)": "got n=None; expected a whole number",
    "randaugment(n=true)": "got n='true'; expected a whole number",
    "randaugment(n=21)": "got n=21; expected a whole number from 0 to 20",
    "randaugment(n=-1)": "got n=-1; expected a whole number from 0 to 20",
    "randaugment(m=31)": "got m=31; expected a number from 0 to 30",
    "randaugment(m=1e400)": "got m=inf; expected a number from 0 to 30",
    "randaugment(m=nan)": "got m='nan'; expected a number",
    "randaugment(space=moon)": "unknown search space 'moon'",
    "randaugment(space=randaug)": "Did you mean 'randaugment'?",
    "randaugment(space=3)": "got space=3; expected the name of a search space",
    "randaugment(fill=300)": "got fill=300; expected a whole number from 0 to 255",
    "randaugment(fill=red)": "got fill='red'",
    "randaugment(fill=(1,2,3,4,5))": "expected one level, or one per channel",
    "randaugment(fill=())": "expected one level, or one per channel",
    "randaugment(interpolation=cubic)": "expected nearest or bilinear",
    "randaugment:9": "unknown published policy '9' of randaugment",
    "mixup(fill=3)": "has no operations, so it takes no fill",
    "autoaugment:mars": "Expected one of cifar10, svhn, imagenet",
    "cutout(size=none)": "got size=None; expected a number",
    "cutout(-1)": "got size=-1; expected a number from 0",
    "cutout(16) & flip": "cannot read the policy",
    "crop(4)": "got pad=4; expected a number from 0 to 1",
    "augmix(share=2)": "got share=2; expected a number from 0 to 1",
    "augmix(width=99)": "got width=99; expected a whole number from 1 to 8",
    "augmix(space=disc-axes)": "expected a space of image operations",
    "random(count=0)": "got count=0; expected a whole number from 1 to 1000",
    "random(seed=99999999999999999999999999)": "seed=99999999999999999999999999; expected",
    "composition(low=0.5,high=0.2)": "got low=0.5; expected a number from 0 to 0.2",
    "mixup + flip": "expected the stage that mixes labels to come last",
    "mixup + cutmix": "the policy mixes labels 2 times",
    "flip + random(space=disc-axes)": "mixes the domains image, vector",
    "moon.json": "cannot read the policy file moon.json: No such file",
    "flip + moon.json": "cannot read the policy file moon.json: No such file",
    "x" * 20_000: "a policy name of 20000 characters",
    "flip" + " + flip" * 64: "got a chain of 65 policies; expected 2 to 64",
}


@pytest.mark.parametrize("text", TYPED)
def test_what_people_type_is_understood(text):
    assert load_policy(text).name == TYPED[text]


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:40] or "empty")
def test_wrong_names_say_what_is_wrong(text):
    with pytest.raises(PolicyError) as caught:
        load_policy(text)
    assert WRONG[text] in str(caught.value)
    assert caught.value.exit_status == 2


@pytest.mark.parametrize("text", EVERY_NAME + TEXT_NAMES)
def test_a_name_reads_back_as_the_same_policy(text):
    policy = load_policy(text)
    again = parse_policy(policy.name)
    assert again == policy
    assert hash(again) == hash(policy)
    assert again.name == policy.name == str(policy)


def test_every_named_policy_is_among_the_examples():
    known = {text.partition("(")[0].partition(":")[0] for text in EVERY_NAME + TEXT_NAMES}
    assert set(NAMED) <= known
    assert list(list_policies()) == [*NAMED, *NAMED_WITH_FILES]
    assert all(line.endswith(".") for line in list_policies().values())


options = {
    "randaugment": st.tuples(st.integers(0, 20), st.floats(0, 30)),
    "flip": st.tuples(st.floats(0, 1)),
    "crop": st.tuples(st.floats(0, 1)),
    "flip-crop": st.tuples(st.floats(0, 1)),
    "resized-crop": st.tuples(st.floats(0.01, 1)),
    "cutout": st.tuples(st.floats(0, 100), st.floats(0, 1)),
    "random-erasing": st.tuples(st.floats(0, 1), st.floats(0, 1)),
    "uniformaugment": st.tuples(st.integers(0, 20)),
    "augmix": st.tuples(st.floats(0.1, 10), st.integers(1, 8), st.integers(0, 10)),
    "random": st.tuples(st.integers(1, 1000), st.integers(1, 20), st.integers(-(2**60), 2**60)),
    "mixup": st.tuples(st.floats(0.01, 100), st.floats(0, 1)),
    "cutmix": st.tuples(st.floats(0.01, 100), st.floats(0, 1)),
}


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_names_with_any_options_read_back(data):
    name = data.draw(st.sampled_from(sorted(options)))
    arguments = data.draw(options[name])
    policy = parse_policy(f"{name}({','.join(map(repr, arguments))})")
    assert policy == NAMED[name](*arguments)
    assert parse_policy(policy.name) == policy


@settings(max_examples=200, deadline=None)
@given(policies)
def test_a_name_that_reads_back_reads_back_as_this_policy_or_says_own(policy):
    """A derived name always loads as the same policy."""
    parts = policy.stages if isinstance(policy, Chain) else (policy,)
    parts = [
        piece.policy if isinstance(part, Schedule) else part
        for part in parts
        for piece in (part.pieces if isinstance(part, Schedule) else [part])
    ]
    if any(hasattr(part, "label") for part in parts) or "found" in policy.name:
        return  # A label is a title.
    if "own:" in policy.name:
        with pytest.raises(PolicyError):
            parse_policy(policy.name)
    else:
        assert parse_policy(policy.name) == policy


def test_replacing_a_field_changes_the_name():
    policy = load_policy("randaugment(n=2,m=9)")
    assert replace(policy, length=3).name == "randaugment(n=3,m=9)"
    assert replace(policy, fill=128).name == "randaugment(n=2,m=9,fill=128)"
    assert replace(policy, interpolation="bilinear").rendered(interpolation="nearest") == policy
    assert replace(policy, probability=0.5).name.startswith("composition(n=2,p=0.5")
    cutout = load_policy("cutout(16)")
    assert replace(cutout, fill=3).name == "cutout(16,fill=3)"
    timm = load_policy("rand-m9-inc1")
    assert timm.fill == 128
    assert replace(timm, length=3).name == "rand-m9-n3-inc1"


def test_a_chain_is_rendered_stage_by_stage():
    chain = load_policy("flip-crop + trivialaugment + mixup").rendered(fill=9)
    assert chain.name == "flip-crop(fill=9) + trivialaugment(fill=9) + mixup(alpha=1,p=1)"
    assert parse_policy(chain.name) == chain


def test_a_space_that_differs_from_its_name_says_so():
    space = named_space("randaugment").with_operations(find_operation("Blur"))
    assert Uniform(operations=space, low=0.3, high=0.3).name.endswith("space=own:randaugment)")


def test_chains_are_flat():
    flip, crop, cutout = (load_policy(name) for name in ("flip", "crop", "cutout(4)"))
    nested = Chain(stages=(flip, Chain(stages=(crop, cutout))))
    assert nested == Chain(stages=(flip, crop, cutout)) == chained(flip, chained(crop, cutout))
    assert chained(flip) is flip
    with pytest.raises(PolicyError, match="a chain of 0 policies"):
        chained()
    with pytest.raises(PolicyError, match="expected policies"):
        Chain(stages=(flip, "crop"))


def test_a_path_wins_over_a_chain(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_policy(load_policy("cutout(4)"), tmp_path / "a + b.json")
    assert load_policy("a + b.json").name == "cutout(4)"
    save_policy(load_policy("cutout(5)"), tmp_path / "mine.JSON")
    assert load_policy(" flip + mine.JSON ").name == "flip + cutout(5)"


def test_loading_what_is_no_policy_is_an_error():
    policy = load_policy("flip")
    assert load_policy(policy) is policy
    with pytest.raises(PolicyError, match="got 3 as a policy"):
        load_policy(3)
    with pytest.raises(PolicyError, match="only policy files refer to user-defined operations"):
        load_policy("randaugment", operations=[find_operation("Blur")])


@settings(max_examples=100, deadline=None)
@given(policies)
def test_policies_are_values(policy):
    for check in policy_checks():
        if check.name in ("it_is_a_value", "worker_processes_get_it"):
            check(policy)
    assert hash(copy.copy(policy)) == hash(policy)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="randugmetflipco (),=+:-_.0123456789'\n", max_size=40))
def test_any_text_is_a_policy_or_a_policy_error(text):
    try:
        policy = parse_policy(text)
    except PolicyError:
        return
    assert parse_policy(policy.name) == policy
