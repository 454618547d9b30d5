"""No verb chooses by the test part, and none reads it before it has chosen.

Each verb runs on data whose test part raises when it is read anywhere but under the functions that
measure what was chosen, and once more with other test labels and images: its choices must stay.
"""

import sys
from dataclasses import astuple, fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from marked_images import marked_data

import automorph
from automorph.data import Split
from automorph.diagnostics import explain
from automorph.experiments import compare
from automorph.operations import SearchSpace, named_space
from automorph.robustness import audit, patch
from automorph.searchers import search
from automorph.training import as_task, train

torch.set_num_threads(1)
SOURCE = Path(automorph.__file__).parent
CONTENT = {"data", "labels", "subgroups", "metadata", "digests", "take", "drawn"}
TRAIN = {(0, 0): 40, (0, 1): 12, (1, 0): 12, (1, 1): 40}
TEST = {(0, 0): 15, (0, 1): 15, (1, 0): 15, (1, 1): 15}
RECIPE = {
    "epochs": 2, "batch_size": 26, "lr": 0.05, "precision": "fp32", "select": "best",
    "defaults": "0.1",
}  # fmt: skip

# The functions under which a test part may be read.
TRAINED = "training/trainer.py:_conclude"
FINAL = "experiments/full_training.py:run"
ROBUST = "robustness/robust.py:train_robust"


class Opened(BaseException):
    """Nothing in the package catches this."""


class Sealed(Split):
    """A part that raises when it is read outside `automorph.data`, but for under ``allowed``."""

    def __getattribute__(self, name):
        if name in CONTENT:
            stack = running()
            allowed = object.__getattribute__(self, "allowed")
            if stack and not stack[0].startswith("data/") and not allowed & set(stack):
                raise Opened(f"{name} of the test part, read by {' < '.join(stack)}")
        return super().__getattribute__(name)


def running():
    """The running functions of automorph, innermost first: ``package/file.py:name``."""
    found, frame = [], sys._getframe(2)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(SOURCE):
            found.append(f"{path.relative_to(SOURCE).as_posix()}:{frame.f_code.co_name}")
        frame = frame.f_back
    return found


def sealed_task(*allowed, recipe=RECIPE):
    """A task whose test part is sealed but for under the functions ``allowed``."""
    data = marked_data(TRAIN, TEST)
    part = data.test
    seal = object.__new__(Sealed)
    object.__setattr__(seal, "allowed", set(allowed))
    seal.__init__(part.data, part.labels, part.ids, part.subgroups)
    return as_task(data.replace(test=seal), model="cnn:4", recipe=recipe)


def scrambled(task):
    """The same task with other test images, labels and groups, and no seal."""
    rng, part = np.random.default_rng(5), marked_data(TRAIN, TEST).test
    turn, other = rng.permutation(len(part)), rng.permutation(len(part))
    test = Split(part.data[turn], 1 - part.labels, part.ids, part.subgroups[other])
    return replace(task, data=task.data.replace(test=test))


def test_the_seal_holds():
    with pytest.raises(Opened, match=r"test part, read by training/evaluation\.py"):
        train(sealed_task(), parts=("test",), progress=False)


def test_a_training_chooses_its_epoch_before():
    task = sealed_task(TRAINED)
    first, other = (train(one, "crop", progress=False) for one in (task, scrambled(task)))
    assert first.chosen == other.chosen
    assert [replace(epoch, seconds=0) for epoch in first.curves] == [
        replace(epoch, seconds=0) for epoch in other.curves
    ]
    assert first.accuracy["test"] != other.accuracy["test"]


def test_a_training_ends_by_itself_without():
    task = sealed_task(TRAINED, recipe={"epochs": "auto", "precision": "fp32"})
    first, other = (train(one, "crop", progress=False) for one in (task, scrambled(task)))
    assert first.stable_epochs == other.stable_epochs
    assert first.converged == other.converged
    assert first.accuracy["test"] != other.accuracy["test"]


def test_compare_chooses_its_winner_without():
    task, policies = sealed_task(TRAINED), ["none", "crop", "random"]
    first, other = (compare(one, policies, seeds=2) for one in (task, scrambled(task)))
    assert first.winner == other.winner
    assert [row.validation for row in first.rows] == [row.validation for row in other.rows]
    assert [row.accuracy for row in first.rows] != [row.accuracy for row in other.rows]


@pytest.mark.parametrize(
    "method", ["heats(searches=random,arms=none;trivialaugment)", "dada(epochs=1)"]
)
def test_search_finds_and_advises_without(method):
    task = sealed_task(FINAL).with_recipe(epochs=1, batch_size=52)
    first, other = (
        search(one, method, trials=4, seeds="2-3", controls="all", space="randaugment")
        for one in (task, scrambled(task))
    )
    assert first.policy == other.policy
    assert first.use == other.use
    assert first.longer_pays == other.longer_pays
    assert first.seeds == other.seeds
    assert first.advice.policy == other.advice.policy
    assert first.history == other.history
    assert first.effects == other.effects
    assert [row.validation for row in first.rows] == [row.validation for row in other.rows]
    assert [row.accuracy for row in first.rows] != [row.accuracy for row in other.rows]


def test_patch_chooses_objective_and_seed_without(tmp_path):
    task = sealed_task(
        ROBUST, "robustness/patch_evidence.py:evidence_on", "robustness/run_patch.py:_audit",
        "robustness/groups.py:notes_on",
    )  # fmt: skip
    first, other = (
        patch(
            one, translator="none", baselines=("erm", "balanced"), seeds=2, folder=tmp_path / name
        )
        for name, one in (("a", task), ("b", scrambled(task)))
    )
    assert (first.objective, first.seed) == (other.objective, other.seed)
    weights = [result.model.state_dict() for result in (first, other)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert first.after.accuracy != other.after.accuracy


def test_audit_trains_and_finds_slices_without():
    task = sealed_task("robustness/groups.py:notes_on")
    first, other = (audit(one, discover=True, progress=False) for one in (task, scrambled(task)))
    assert first.facts["part"] == "validation"
    assert first.slices == other.slices
    assert first.groups == other.groups


@pytest.mark.parametrize("deep", [False, True])
def test_explain_never_opens_it(deep):
    task, space = sealed_task(), SearchSpace("few", tuple(named_space("randaugment"))[:3])
    first, other = (
        explain(one, space, magnitudes=(0.5,), deep=deep) for one in (task, scrambled(task))
    )
    assert first.accuracy == other.accuracy
    for mine, others in zip(first.findings, other.findings, strict=True):
        assert mine.operation == others.operation
        for one, two in zip(mine.points, others.points, strict=True):
            pairs = zip(astuple(one.diagnosis), astuple(two.diagnosis), strict=True)
            names = [field.name for field in fields(one.diagnosis)]
            differ = [name for name, (a, b) in zip(names, pairs, strict=True) if np.any(a != b)]
            assert set(differ) <= {"cost"}  # Its seconds are measured.
