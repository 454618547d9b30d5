"""Repeats of an example in an epoch draw differently; first occurrences draw as ever."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from automorph.augmenters.base import views
from automorph.data import Split
from automorph.operations import occurring
from automorph.policies import load_policy
from automorph.robustness.builtin import load_method
from automorph.robustness.groups import grouper_of
from automorph.robustness.robust import GroupTraining
from automorph.training import PolicyAugmenter, train, trainer
from automorph.training.loader import Loader
from automorph.training.sampler import batches, repeats

POLICY = "crop(pad=0.25) + randaugment(n=2,m=9)"


class Repeating(PolicyAugmenter):
    """Shows rare examples, here the first ten, many times in an epoch."""

    def epoch_rows(self, n, batch_size, *, seed, epoch):
        return [np.concatenate([rows[:10], np.arange(10), np.arange(10)])
                for rows in batches(n, batch_size, seed=seed, epoch=epoch)]  # fmt: skip


def made(task, augmenter, machine, *, epoch=0, workers=0, counted=True):
    loader = Loader(task, augmenter, 3, machine, workers=workers, counted=counted)
    return list(loader.epoch(epoch, torch.nn.Identity()))


@pytest.fixture
def machine():
    from automorph.training import find_machine

    return find_machine("cpu")


def test_occurrences_count_over_the_whole_epoch():
    rng = np.random.default_rng(0)
    rows = np.array_split(rng.integers(0, 9, 100), 7)
    seen = dict.fromkeys(range(9), 0)
    for batch, times in zip(rows, repeats(rows), strict=True):
        for row, time in zip(batch.tolist(), times.tolist(), strict=True):
            assert time == seen[row]
            seen[row] += 1
    assert repeats([]) == []


@pytest.mark.parametrize("workers", [0, 3])
def test_repeats_draw_differently_for_any_number_of_workers(task, machine, workers):
    epoch = made(task, Repeating(POLICY), machine, epoch=2, workers=workers)
    index = np.concatenate([batch.index for batch in epoch])
    inputs = torch.cat([batch.inputs for batch in epoch])

    times = np.concatenate(repeats([batch.index for batch in epoch]))
    images = load_policy(POLICY).augment(
        task.data.train.data[index], seed=3, epoch=2, index=occurring(index, times)
    )
    torch.testing.assert_close(inputs, task.encoder(images, torch.device("cpu")), rtol=0, atol=0)
    first = load_policy(POLICY).augment(
        task.data.train.data[index[times == 0]], seed=3, epoch=2, index=index[times == 0]
    )
    np.testing.assert_array_equal(images[times == 0], first)
    rare = inputs[index == 4].flatten(1)
    assert len(rare) >= 8
    assert len({row.numpy().tobytes() for row in rare}) == len(rare)


@pytest.mark.parametrize("objective", ["balanced", "jtt", "sgdro"])
def test_robust_methods_draw_repeats_differently(task, machine, objective):
    part = task.data.train
    groups = (np.arange(len(part)) % 20 == 0).astype(np.int64)
    data = task.data.replace(
        train=Split(part.data, part.labels, part.ids, groups),
        validation=None,
        subgroup_names=("usual", "rare"),
    )
    task = replace(task, data=data)
    method = load_method(objective)
    copies = np.where(groups, 20, 1) if objective == "jtt" else None
    augmenter = GroupTraining(task, method, grouper_of(data), policy=POLICY, copies=copies)
    epoch = made(task, augmenter, machine)
    index = np.concatenate([batch.index for batch in epoch])
    inputs = torch.cat([batch.inputs for batch in epoch])
    most = int(np.bincount(index).argmax())
    rows = inputs[index == most]

    assert len(rows) >= 3
    assert len({row.numpy().tobytes() for row in rows}) == len(rows)
    old = made(task, augmenter, machine, counted=False)
    rows = torch.cat([batch.inputs for batch in old])[index == most]
    assert len({row.numpy().tobytes() for row in rows}) == 1


def test_views_of_repeats_differ(task):
    index = np.array([5, 5])
    raw = replace(_raw(task, index), occurrence=np.array([0, 1]))
    drawn = views(load_policy(POLICY), raw, 3)
    assert len({row.numpy().tobytes() for row in drawn.inputs}) == 6
    plain = views(load_policy(POLICY), _raw(task, index), 3)
    assert torch.equal(drawn.inputs[:3], plain.inputs[:3])
    assert raw.rows(slice(1, 2)).numbers.tolist() == occurring([5], [1]).tolist()


def _raw(task, rows):
    from automorph.training import RawBatch

    part = task.data.train
    labels = task.target.encode(part.labels[rows])
    return RawBatch(part.data[rows], labels, rows, 0, 0, 0, task.encoder)


def test_rows_on_demand_are_drawn_under_the_same_numbers(task, machine):
    class OnDemand:
        """Stands in for images in files, with random crops."""

        def __init__(self, rows):
            self.rows, self.numbers = rows, []
            self.shape, self.dtype = rows.shape, rows.dtype

        def __len__(self):
            return len(self.rows)

        def drawn(self, rows, stream):
            self.numbers.append(stream.index)
            return self.rows[rows]

    data = OnDemand(task.data.train.data)
    part = replace(task.data.train, data=data)
    made(replace(task, data=task.data.replace(train=part)), Repeating(None), machine)
    numbers = np.concatenate(data.numbers)
    assert len(np.unique(numbers)) == len(numbers)


def test_a_run_that_an_older_version_began_keeps_its_draws(task, tmp_path, monkeypatch, same):
    new = train(task, Repeating(POLICY), folder=tmp_path / "new")
    facts = trainer._facts
    monkeypatch.setattr(
        trainer, "_facts",
        lambda *a: {name: fact for name, fact in facts(*a).items() if name != "repeats"},
    )  # fmt: skip
    old = train(task, Repeating(POLICY), folder=tmp_path / "old")
    train(task, Repeating(POLICY), folder=tmp_path / "begun", stop_epoch=2)
    monkeypatch.undo()

    assert same(train(task, Repeating(POLICY), folder=tmp_path / "begun"), old)
    assert same(train(task, Repeating(POLICY), folder=tmp_path / "old"), old)
    assert not same(new, old)
    plain = train(task, POLICY, folder=tmp_path / "plain")
    assert same(plain, train(task, POLICY))
