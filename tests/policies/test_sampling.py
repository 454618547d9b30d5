"""Draws of policies: frequencies, strengths, independence, and what they depend on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from policy_strategies import EVERY_NAME, policies
from scipy import stats

from automorph.errors import PolicyError
from automorph.operations import NOTHING, SearchSpace, Stream, find_operation, named_space
from automorph.policies import Chain, Mixture, RandomPolicy, Step, Uniform, load_policy
from automorph.policies.random_policy import drawn_subpolicies
from automorph.testing import policy_checks

CHECKS = {check.name: check for check in policy_checks()}
MANY = 100_000
LEAST_P = 1e-4
"""Statistical tests have fixed seeds: they fail only if the sampler has changed."""


def stream(n: int = MANY, **options) -> Stream:
    return Stream(index=np.arange(n), **options)


def fits(counts, shares=None) -> bool:
    """Whether counts agree with shares (equal by default), by a chi-square test."""
    expected = None if shares is None else np.sum(counts) * np.asarray(shares)
    return stats.chisquare(counts, expected).pvalue > LEAST_P


def equal(a, b) -> bool:
    return all((getattr(a, k) == getattr(b, k)).all() for k in ("op", "magnitude", "fire"))


def test_randaugment_draws_operations_uniformly_with_replacement():
    sequences = load_policy("randaugment(n=2,m=9)").sample(stream())
    assert fits(np.bincount(sequences.op.ravel(), minlength=14))
    pairs = sequences.op[:, 0] * 14 + sequences.op[:, 1]
    assert fits(np.bincount(pairs, minlength=196))
    assert sequences.fire.all()


def test_randaugment_has_one_strength():
    sequences = load_policy("randaugment(n=3,m=9)").sample(stream(1000))
    assert (sequences.magnitude == np.float32(0.3)).all()


def test_randaugment_of_no_operations_does_nothing():
    assert load_policy("randaugment(n=0)").sample(stream(10)).length == 0


@pytest.mark.parametrize("name", ["trivialaugment", "trivialaugment-wide"])
def test_trivialaugment_draws_one_of_31_strengths_for_each_example(name):
    sequences = load_policy(name).sample(stream())
    assert sequences.length == 1
    assert fits(np.bincount(sequences.op[:, 0], minlength=14))
    levels = sequences.magnitude[:, 0] * 30
    whole = np.rint(levels).astype(int)
    assert np.allclose(levels, whole, atol=1e-5)
    assert fits(np.bincount(whole, minlength=31))
    joint = np.bincount(sequences.op[:, 0] * 31 + whole, minlength=14 * 31)
    assert fits(joint), "operations and strengths are independent"


def test_uniformaugment_tosses_fair_coins_and_draws_any_magnitude():
    sequences = load_policy("uniformaugment(n=2)").sample(stream())
    assert fits(np.bincount(sequences.fire[:, 0] * 2 + sequences.fire[:, 1], minlength=4))
    assert stats.kstest(sequences.magnitude.ravel(), "uniform").pvalue > LEAST_P
    correlation = np.corrcoef(sequences.fire[:, 0], sequences.magnitude[:, 0])[0, 1]
    assert abs(correlation) < 4 / np.sqrt(MANY)


def test_noise_on_the_magnitude_is_normal_and_clipped():
    sequences = load_policy("composition(n=1,p=1,low=0.5,high=0.5,spread=0.1)").sample(stream())
    assert stats.kstest(sequences.magnitude[:, 0], "norm", (0.5, 0.1)).pvalue > LEAST_P
    wide = load_policy("composition(n=2,p=1,low=0.9,high=0.9,spread=0.5)").sample(stream())
    assert wide.magnitude.min() == 0
    assert wide.magnitude.max() == 1
    assert abs(np.corrcoef(wide.magnitude.T)[0, 1]) < 4 / np.sqrt(MANY)


def test_a_mixture_draws_sub_policies_by_weight_and_coins_by_probability():
    space = named_space("randaugment")
    subpolicies = tuple((Step(name, 0.3, 0.5),) for name in space.names[:4])
    even = Mixture(label="even", operations=space, subpolicies=subpolicies)
    assert fits(np.bincount(even.choose(stream()), minlength=4))
    assert fits(np.bincount(even.sample(stream()).fire[:, 0], minlength=2), [0.7, 0.3])
    weighted = replace(even, weights=(0, 1, 3, 0))
    counts = np.bincount(weighted.choose(stream()), minlength=4)
    assert counts[[0, 3]].tolist() == [0, 0]
    assert fits(counts[1:3], [0.25, 0.75])


def test_probabilities_0_and_1_are_certain():
    space = named_space("randaugment")
    steps = (Step("Rotate", 0.0, 0.5), Step("Equalize", 1.0, 0.5))
    sequences = Mixture(label="x", operations=space, subpolicies=(steps,)).sample(stream())
    assert not sequences.fire[:, 0].any()
    assert sequences.fire[:, 1].all()


def test_autoaugment_uses_each_operation_as_often_as_its_table_says():
    policy = load_policy("autoaugment:cifar10")
    sequences = policy.sample(stream())
    fired = sequences.op[sequences.fire]
    expected = np.zeros(len(policy.space))
    for subpolicy in policy.subpolicies:
        for step in subpolicy:
            expected[policy.space.number(step.operation)] += step.probability / 25
    used = expected > 0
    counts = np.bincount(fired, minlength=len(expected))
    assert (counts[~used] == 0).all()
    share = counts[used] / MANY
    deviation = np.sqrt(expected[used] / MANY)
    assert (np.abs(share - expected[used]) < 5 * deviation).all()


def test_augmix_chains_are_uniform_and_their_weights_dirichlet():
    policy = load_policy("augmix")
    sequences = policy.sample(stream())
    lengths = (sequences.op != NOTHING).sum(1)
    assert fits(np.bincount(lengths, minlength=4)[1:])
    assert fits(np.bincount(sequences.op[sequences.op != NOTHING], minlength=9))
    drawn = sequences.magnitude[:, 0]
    assert stats.kstest(drawn, "uniform", (0.01, 0.29)).pvalue > LEAST_P
    weights, share = policy.weights(stream())
    assert np.allclose(weights.sum(1), 1, atol=1e-6)
    # A Dirichlet(1, 1, 1) weight is Beta(1, 2), and m is Beta(1, 1).
    for i in range(3):
        assert stats.kstest(weights[:, i], "beta", (1, 2)).pvalue > LEAST_P
    assert stats.kstest(share, "uniform").pvalue > LEAST_P


def test_augmix_with_another_alpha_is_dirichlet_of_it():
    weights, share = load_policy("augmix(alpha=0.5)").weights(stream(20_000))
    assert stats.kstest(weights[:, 1], "beta", (0.5, 1)).pvalue > LEAST_P
    assert stats.kstest(share, "beta", (0.5, 0.5)).pvalue > LEAST_P


def test_random_policies_are_drawn_anew_for_every_seed():
    policy = load_policy("random")
    tables = {policy.mixture(seed).subpolicies for seed in range(20)}
    assert len(tables) == 20
    again = drawn_subpolicies(policy.operations, policy.count, policy.length, 3)
    # The mixture itself is cached and would be equal.
    assert policy.mixture(3).subpolicies == again
    fixed = load_policy("random(seed=3)")
    assert {fixed.mixture(seed).subpolicies for seed in range(5)} == {policy.mixture(3).subpolicies}
    a, b = (policy.sample(stream(100, seed=seed)) for seed in (1, 2))
    assert not equal(a, b)


def test_random_policies_have_autoaugments_prior():
    mixtures = [load_policy("random(count=1000)").mixture(seed) for seed in range(20)]
    steps = [step for m in mixtures for subpolicy in m.subpolicies for step in subpolicy]
    names = named_space("autoaugment").names
    assert fits(np.bincount([names.index(step.operation) for step in steps], minlength=16))
    assert fits(np.bincount([round(step.probability * 10) for step in steps], minlength=11))
    assert fits(np.bincount([round(step.magnitude * 9) for step in steps], minlength=10))


def test_operations_that_differ_by_a_sign_are_kept_apart():
    mixture = load_policy("random(count=200,seed=1,space=tanda-mnist)").mixture(0)
    op = mixture.arrays[0]
    for i, subpolicy in enumerate(mixture.subpolicies):
        for j, step in enumerate(subpolicy):
            assert mixture.space.names[op[i, j]] == step.operation


def test_one_more_operation_moves_no_other_choice():
    space = named_space("randaugment")
    more = space.with_operations(find_operation("Blur"))
    a = Uniform(operations=space, length=2).sample(stream(5000))
    b = Uniform(operations=more, length=2).sample(stream(5000))
    kept = b.op != len(space)
    assert (a.op[kept] == b.op[kept]).all()
    assert (a.magnitude == b.magnitude).all()
    assert 0.03 < (~kept).mean() < 0.1


def test_stages_draw_independently():
    chain = load_policy(" + ".join(["trivialaugment"] * 3))
    sequences = chain.sample(stream())
    own = sequences.op % 14
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert fits(np.bincount(own[:, i] * 14 + own[:, j], minlength=196))
        correlation = np.corrcoef(sequences.magnitude[:, i], sequences.magnitude[:, j])[0, 1]
        assert abs(correlation) < 4 / np.sqrt(MANY)
    coins = load_policy("flip + flip").sample(stream()).fire
    assert fits(np.bincount(coins[:, 0] * 2 + coins[:, 1], minlength=4))


def test_a_chain_joins_the_sequences_of_its_stages():
    names = ("flip-crop", "randaugment(n=2,m=9)", "cutout(16)")
    chain = load_policy(" + ".join(names))
    joined = chain.sample(stream(50, seed=3))
    assert joined.length == 2 + 2 + 1
    assert len(chain.space) == 2 + 14 + 1
    start, position = 0, 0
    for number, name in enumerate(names):
        stage = load_policy(name)
        own = stage.sample(stream(50, seed=3).at_stage(number))
        part = joined.op[:, position : position + own.length]
        assert (part == own.op + start).all()
        start, position = start + len(stage.space), position + own.length
    first = load_policy("flip-crop").sample(stream(50, seed=3))
    assert (joined.op[:, :2] == first.op).all(), "the first stage draws as if it were alone"


def test_equal_names_in_a_chain_get_numbers():
    space = load_policy("flip + flip + flip-crop").space
    assert space.names == ("HorizontalFlip", "HorizontalFlip#2", "PadCrop", "HorizontalFlip#3")


@pytest.mark.parametrize("name", EVERY_NAME)
def test_draws_depend_on_seed_epoch_index_and_copy_only(name):
    policy = load_policy(name)
    CHECKS["draws_depend_on_their_place_only"](policy)
    whole = policy.sample(stream(40, seed=5, epoch=2))
    if name in ("flip", "randaugment", "trivialaugment", "composition", "random", "augmix"):
        others = [{"seed": 6, "epoch": 2}, {"seed": 5, "epoch": 3}]
        for options in [*others, {"seed": 5, "epoch": 2, "copy": 1}]:
            other = policy.sample(stream(40, **options))
            assert not equal(whole, other), options


@settings(max_examples=100, deadline=None)
@given(policies)
def test_samples_are_well_formed(policy):
    CHECKS["draws_are_well_formed"](policy)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Uniform(operations="randaugment"), "expected a SearchSpace"),
        (lambda: Uniform(operations=SearchSpace("empty", ())), "without operations"),
        (lambda: Uniform(operations=named_space("augmix"), length=True), "expected a whole number"),
        (lambda: Uniform(operations=named_space("augmix"), low=float("nan")), "got low=nan"),
        (lambda: RandomPolicy(operations=named_space("augmix"), seed=1.5), "got seed=1.5"),
        (lambda: Step("Rotate", 2), "the step Rotate got probability=2"),
        (lambda: Chain(stages=(load_policy("flip"),)), "a chain of 1 policies"),
    ],
)
def test_wrong_fields_are_refused(build, message):
    with pytest.raises(PolicyError, match=message):
        build()
