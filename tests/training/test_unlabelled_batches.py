"""Unlabelled examples in training: which ones a step gets, and that nothing else decides it."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from automorph.augmenters import as_treatment
from automorph.data import load_data, split, with_unlabelled
from automorph.errors import UsageError
from automorph.training import Recipe, as_task, make_task, train
from automorph.training.device import Machine
from automorph.training.loader import Loader
from automorph.training.sampler import unlabelled_rows
from automorph.training.task_record import task_identity

CONSISTENT = "consistency(crop,ratio=2,threshold=0)"
REGULARISED = "tanda-tr(policy=crop,unlabelled=7)"


@pytest.fixture(scope="module")
def data(digits):
    return with_unlabelled(digits, split(load_data("digits"), seed=0).train.take(range(300)))


@pytest.fixture
def task(data):
    recipe = Recipe(epochs=4, batch_size=32, lr=0.05, precision="fp32")
    return make_task(data, model="cnn:4", recipe=recipe)


def epoch_of(task, name, *, workers=0, epoch=0, seed=3):
    machine = Machine(torch.device("cpu"))
    loader = Loader(task, as_treatment(name).build(), seed, machine, workers=workers)
    return list(loader.epoch(epoch, torch.nn.Identity()))


def test_all_come_before_one_comes_again():
    seen = [unlabelled_rows(10, 4, seed=1, step=step) for step in range(10)]
    rows = np.concatenate([one for one, _ in seen])
    times = np.concatenate([one for _, one in seen])
    for start in range(0, 40, 10):
        assert sorted(rows[start : start + 10].tolist()) == list(range(10))
    assert times.tolist() == [t for t in range(4) for _ in range(10)]
    assert rows[:10].tolist() != rows[10:20].tolist()


def test_a_batch_may_take_the_whole_of_them_several_times():
    rows, times = unlabelled_rows(3, 8, seed=0, step=0)
    assert np.bincount(rows).tolist() == [3, 3, 2] or sorted(np.bincount(rows)) == [2, 3, 3]
    assert times.tolist() == [0, 0, 0, 1, 1, 1, 2, 2]


@pytest.mark.parametrize("name", [CONSISTENT, REGULARISED])
def test_batches_do_not_depend_on_the_workers(task, name):
    alone, ahead = epoch_of(task, name), epoch_of(task, name, workers=3)
    assert len(alone) == len(ahead) == 4
    for one, two in zip(alone, ahead, strict=True):
        for a, b in ((one, two), (one.unlabelled, two.unlabelled)):
            assert torch.equal(a.inputs, b.inputs)
            assert a.index.tolist() == b.index.tolist()


def test_unlabelled_examples_are_numbered_after_the_training_part(task):
    batches = epoch_of(task, CONSISTENT)
    numbers = np.concatenate([batch.unlabelled.index[::2] for batch in batches])
    assert numbers.min() >= len(task.data.train)
    assert len(numbers) == 4 * 2 * 25
    assert len(set(numbers.tolist())) == len(numbers)  # 200 of about 280: none comes twice.


def test_examples_that_come_again_are_drawn_anew(data):
    few = data.replace(unlabelled=data.unlabelled.take(range(10)))
    recipe = Recipe(epochs=4, batch_size=32, precision="fp32")
    task = make_task(few, model="cnn:4", recipe=recipe)
    rest = epoch_of(task, "consistency(crop(0.25),ratio=2,threshold=0)")[0].unlabelled
    same = np.flatnonzero(rest.index[1::2] == rest.index[1])
    assert len(same) == 5
    views = rest.inputs[1::2][same].flatten(1)
    assert len(torch.unique(views, dim=0)) > 1


def test_without_a_pool_the_training_examples_serve(digits):
    recipe = Recipe(epochs=4, batch_size=32, precision="fp32")
    task = make_task(digits, model="cnn:4", recipe=recipe)
    rest = epoch_of(task, CONSISTENT)[0].unlabelled
    rows = rest.index[::2] - len(digits.train)
    assert torch.equal(rest.inputs[::2], task.encoder(digits.train.data[rows], None))


@pytest.mark.parametrize("name", [CONSISTENT, REGULARISED])
def test_a_resumed_training_is_the_same_to_the_bit(task, same, tmp_path, name):
    spec, quiet = as_treatment(name), {"seed": 1, "progress": False}
    once = train(task, spec, **quiet)
    train(task, spec, folder=tmp_path, stop_epoch=2, **quiet)
    again = train(task, spec, folder=tmp_path, **quiet)
    assert same(once, again)
    assert once.units == again.units
    assert [e.augmenter for e in once.curves] == [e.augmenter for e in again.curves]


def test_small_passes_sum_to_the_same_step(task):
    """Accumulation divides the unlabelled examples, too; a network without batch statistics."""

    def weights(accumulate):
        divided = replace(
            task, model=_Flat, recipe=replace(task.recipe, accumulate=accumulate, epochs=1)
        )
        result = train(divided, as_treatment(CONSISTENT), seed=0, progress=False)
        assert result.units.backward == 100 + 4 * 2 * 2 * 25
        return torch.cat([p.detach().flatten() for p in result.model.parameters()])

    torch.testing.assert_close(weights(1), weights(4), rtol=1e-4, atol=1e-6)


class _Flat(torch.nn.Sequential):
    def __init__(self):
        super().__init__(torch.nn.Flatten(), torch.nn.Linear(64, 10))


def test_the_pool_is_part_of_the_identity_of_a_run(task, digits, tmp_path):
    other = replace(task, data=task.data.replace(unlabelled=task.data.unlabelled.take(range(50))))
    without = replace(task, data=digits)
    assert task_identity(task)["data"]["unlabelled"]["n"] == len(task.data.unlabelled)
    assert "unlabelled" not in task_identity(without)["data"]
    spec = as_treatment(CONSISTENT)
    train(task, spec, folder=tmp_path, stop_epoch=1, progress=False)
    for changed in (other, without):
        with pytest.raises(UsageError, match=r"data\.unlabelled"):
            train(changed, spec, folder=tmp_path, progress=False)


def test_a_pool_that_nobody_uses_changes_no_training(task, digits, same):
    plain = replace(task, data=digits)
    once, again = (train(one, "crop", seed=0, progress=False) for one in (task, plain))
    assert same(once, again)


def test_a_task_takes_its_pool_with_its_data(digits):
    with pytest.raises(UsageError, match="unlabelled cannot be used with it"):
        as_task(as_task("digits", limit=100), unlabelled="digits")


def test_a_user_is_warned_of_a_pool_that_is_not_used_or_missing(task, digits):
    import automorph
    from automorph.augmenters.base import InTrainingMethod
    from automorph.training import uses_unlabelled

    for name, uses in {"crop": False, "views": False, "tanda-tr(unlabelled=0)": False,
                       "tanda-tr": True, CONSISTENT: True}.items():  # fmt: skip
        method = as_treatment(name)
        assert uses_unlabelled(method) is uses, name
        if isinstance(method, InTrainingMethod):  # Nothing is built to find out.
            assert (method.build().unlabelled_rows(1) > 0) is uses

    quiet = {"progress": False, "stop_epoch": 1}
    with pytest.warns(UserWarning, match="unlabelled examples are not used"):
        automorph.train(task, "flip", **quiet)
    with pytest.warns(UserWarning, match="training examples take their place"):
        automorph.train(replace(task, data=digits), CONSISTENT, **quiet)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        automorph.train(task, CONSISTENT, **quiet)
        automorph.train(replace(task, data=digits), "flip", **quiet)
