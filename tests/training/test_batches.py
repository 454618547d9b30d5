"""Order of examples, batches, prefetching, encoding."""

from __future__ import annotations

import math
import time
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import strategies as _  # noqa: F401 - the settings of hypothesis
from automorph.data import Split
from automorph.training import Normaliser, Units
from automorph.training.device import Machine
from automorph.training.loader import in_order
from automorph.training.sampler import batches, order
from automorph.training.task import normaliser_of

NUMBERS = st.integers(1, 300)


@given(n=NUMBERS, size=NUMBERS, seed=st.integers(0, 2**40), epoch=st.integers(0, 1000))
def test_every_epoch_holds_every_example_once_in_even_batches(n, size, seed, epoch):
    found = batches(n, size, seed=seed, epoch=epoch)
    lengths = {len(batch) for batch in found}

    assert sorted(np.concatenate(found).tolist()) == list(range(n))
    assert max(lengths) <= size
    assert max(lengths) - min(lengths) <= 1


def test_the_order_depends_on_seed_and_epoch_only():
    first = order(50, seed=1, epoch=2)

    assert (first == order(50, seed=1, epoch=2)).all()
    assert (first != order(50, seed=2, epoch=2)).any()
    assert (first != order(50, seed=1, epoch=3)).any()


def test_each_place_sees_each_example_equally_often():
    counts = np.zeros((6, 6))
    for epoch in range(3000):
        counts[np.arange(6), order(6, seed=0, epoch=epoch)] += 1

    chi_square = ((counts - 500) ** 2 / 500).sum()
    assert chi_square < 50  # 25 degrees of freedom: p = 0.002


@given(n=st.integers(0, 100), processes=st.integers(1, 9))
def test_shares_of_processes_are_a_partition(n, processes):
    device = torch.device("cpu")
    shares = [Machine(device, p, processes).share(n) for p in range(processes)]
    rows = [row for share in shares for row in range(share.start, share.stop)]

    assert rows == list(range(n))


@pytest.mark.parametrize("workers", [0, 1, 4])
def test_results_made_ahead_keep_their_order(workers):
    def make(job):
        time.sleep(0.002 * (job % 3))
        return job

    assert list(in_order(make, range(20), workers)) == list(range(20))


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_in_a_worker_reaches_the_loop(workers):
    def make(job):
        if job == 3:
            raise ValueError("job 3")
        return job

    with pytest.raises(ValueError, match="job 3"):
        list(in_order(make, range(20), workers))


def test_nothing_is_made_too_far_ahead():
    made = []
    results = in_order(lambda job: made.append(job), range(100), 2)
    next(results)
    time.sleep(0.05)
    results.close()

    assert len(made) <= 5


def test_inputs_are_normalised_and_channels_last():
    images = np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3)
    before = images.copy()
    mean, std = np.array([0.1, 0.2, 0.3]), np.array([0.5, 0.6, 0.7])

    inputs = Normaliser(tuple(mean), tuple(std))(images)

    expected = ((images / 255 - mean) / std).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(inputs.numpy(), expected, rtol=1e-5, atol=1e-6)
    assert inputs.is_contiguous(memory_format=torch.channels_last)
    assert (images == before).all()


def test_read_only_images_can_be_encoded():
    images = np.zeros((2, 4, 4, 1), np.uint8)
    images.flags.writeable = False

    assert Normaliser((0.5,), (0.5,))(images).shape == (2, 1, 4, 4)


def test_the_normaliser_of_a_part_makes_mean_0_and_deviation_1(digits):
    inputs = normaliser_of(digits.train)(digits.train.data)

    assert inputs.mean().item() == pytest.approx(0, abs=1e-4)
    assert inputs.std(correction=0).item() == pytest.approx(1, abs=1e-4)


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 4]))
def test_the_normaliser_is_computed_from_whole_numbers(seed, channels):
    """Floats summed in another order would give other last digits on another processor."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (int(rng.integers(1, 600)), 3, 2, channels), np.uint8)
    found = normaliser_of(Split(images, np.zeros(len(images), np.int64)))

    for c in range(channels):
        levels = [Fraction(int(level), 255) for level in images[..., c].ravel()]
        mean = sum(levels) / len(levels)
        variance = sum(level**2 for level in levels) / len(levels) - mean**2
        assert found.mean[c] == float(mean)
        assert found.std[c] == math.sqrt(variance)


def test_the_normaliser_gives_the_inputs_of_version_0_1(digits):
    """Its floats may differ in the last digits; inputs are float32 and do not."""
    data = digits.train.data
    levels = np.bincount(data.ravel(), minlength=256)
    values = np.arange(256) / 255
    mean = levels @ values / data.size
    std = np.sqrt(levels @ values**2 / data.size - mean**2)

    before = Normaliser((float(mean),), (float(std),))(data)
    assert torch.equal(normaliser_of(digits.train)(data), before)


def test_a_constant_channel_is_no_division_by_zero(digits):
    data = np.zeros((4, 8, 8, 4), np.uint8)
    data[..., 3] = 255
    part = type(digits.train)(data, np.zeros(4, np.int64))

    assert normaliser_of(part).std == (1.0, 1.0, 1.0, 1.0)


def test_units_add_up():
    assert Units(1, 2) + Units(10, 20) == Units(11, 22)
