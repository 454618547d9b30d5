"""Learned generators: sampled in NumPy, row by row, close to torch with the same weights."""

from __future__ import annotations

import math

import numpy as np
import pytest

from automorph.errors import PolicyError
from automorph.operations import SearchSpace, Sequences, Stream, named_space
from automorph.policies import Generated, Uniform, load_policy, save_policy
from automorph.policies.numpy_rnn import NETWORKS, shapes

SPACE = named_space("tanda-mnist")
STREAM = Stream(seed=3, epoch=1, index=np.arange(400))


def make(network: str, *, spread: float = 0.7, space: SearchSpace = SPACE, length: int = 6):
    size = sum(math.prod(shape) for shape in shapes(network, len(space), length).values())
    weights = spread * np.random.default_rng(0).standard_normal(size)
    return Generated(
        label="mine", operations=space, network=network, length=length, bound=2.0,
        parameters=tuple(weights),
    )  # fmt: skip


@pytest.mark.parametrize("network", NETWORKS)
def test_without_weights_it_is_the_uniform_policy(network):
    """An untrained policy has the draws of the uniform one, so the two share their noise."""
    policy = make(network, spread=0.0)
    uniform = Uniform(operations=SPACE, length=6, low=1.0)
    assert (policy.sample(STREAM).op == uniform.sample(STREAM).op).all()
    entropy = policy.entropy(policy.sample(STREAM))
    np.testing.assert_allclose(entropy, math.log(len(SPACE)))


@pytest.mark.parametrize("network", NETWORKS)
def test_a_draw_does_not_depend_on_its_batch(network):
    policy = make(network)
    whole = policy.sample(STREAM)
    assert whole.fire.all()
    assert (whole.magnitude == 1).all()
    for rows in ([17], [3, 399], np.arange(50, 181)):
        part = policy.sample(STREAM.take(rows))
        assert (part.op == whole.op[rows]).all()
        assert (policy.log_prob(part) == policy.log_prob(whole)[rows]).all()


@pytest.mark.parametrize("network", NETWORKS)
def test_draws_follow_the_probabilities(network):
    """Frequencies of all sequences of a small generator, against the product of conditionals."""
    space = SearchSpace("three", SPACE.operations[:3])
    policy = make(network, space=space, length=2, spread=1.5)
    every = Sequences.of([[a, b] for a in range(3) for b in range(3)], 1.0)
    p = np.exp(policy.log_prob(every).sum(axis=1))
    assert p.sum() == pytest.approx(1)
    n = 20_000
    drawn = policy.sample(Stream(seed=1, index=np.arange(n))).op.astype(int)
    counts = np.bincount(drawn[:, 0] * 3 + drawn[:, 1], minlength=9)
    assert (np.abs(counts / n - p) < 4 * np.sqrt(p * (1 - p) / n) + 1e-9).all()
    assert np.allclose(policy.shares.sum(axis=1), 1)


def test_recurrent_logits_are_bounded():
    for network in ("lstm", "gru"):
        policy = make(network, spread=50.0)
        p = np.exp(policy.log_prob(policy.sample(STREAM)))
        assert p.min() >= 1 / (1 + (len(SPACE) - 1) * math.exp(4))


def test_it_augments_without_torch_and_shows_itself(tmp_path):
    policy = make("lstm")
    images = np.random.default_rng(0).integers(0, 255, (4, 12, 12, 1), np.uint8)
    path = save_policy(policy, tmp_path / "policy.json")
    again = load_policy(f"flip + {path}")
    assert again.stages[1] == policy
    assert (policy.augment(images, seed=5) == load_policy(path).augment(images, seed=5)).all()
    table = policy.table()
    assert len(table.rows) == len(SPACE)
    shares = [float(row[2].rstrip("%")) for row in table.rows]
    assert shares == sorted(shares, reverse=True)
    assert "uniformly" in table.caption


def test_sequences_of_another_length_are_refused():
    with pytest.raises(PolicyError, match="length 2; expected 6"):
        make("mean-field").log_prob(Sequences.of([[0, 1]]))
