"""Trials on disk: read back as written, intact after a cut anywhere, rejected by other searches."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from search_jobs import Sees
from small_task import small_task

from automorph.errors import UsageError
from automorph.files import folder_lock
from automorph.operations import OPERATIONS, SearchSpace
from automorph.policies import Mixture, Step
from automorph.searchers import JobResult, TrainJob, search
from automorph.searchers.journal_repair import cut
from automorph.searchers.trials import JOURNAL, Trials, key_of
from automorph.training import Normaliser, Units

OUTCOMES = [
    JobResult(0.1 + 0.2, Units(3, 2), 1.5, {"curve": (0.1, 0.3)}),
    JobResult(-math.inf, error="the loss is not a number"),
    JobResult(0.5),
]


def filled(folder, storage=None):
    trials = Trials({"seed": (0, 1)}, folder=folder, storage=storage)
    for number, outcome in enumerate(OUTCOMES):
        trials.add(Sees(number), outcome, clock=float(number))
    trials.note("plan", {"seeds": 5})
    return trials


@pytest.mark.parametrize("storage", [None, "sqlite:///{}/trials.db"])
def test_trials_are_read_back_as_they_were_told(storage, tmp_path):
    url = storage and storage.format(tmp_path)
    written = filled(tmp_path, url)
    read = Trials({"seed": (0, 1)}, folder=tmp_path, storage=url)

    assert read.finished == written.finished
    assert [trial.outcome.score for trial in read.finished] == [o.score for o in OUTCOMES]
    assert read.finished[0].outcome.facts == {"curve": [0.1, 0.3]}
    assert read.noted("plan") == {"seeds": 5}
    assert read.clock == 2.0
    written.close()
    read.close()


def test_a_journal_that_was_cut_anywhere_in_its_last_line_is_whole_again(tmp_path):
    filled(tmp_path)
    journal = tmp_path / JOURNAL
    content = journal.read_bytes()
    start = content.rfind(b"\n", 0, len(content) - 1) + 1
    for end in range(start, len(content)):
        journal.write_bytes(content[:end])
        cut(journal)
        assert journal.read_bytes() == content[:start]
    journal.write_bytes(content[:start] + b"\0" * 100)
    trials = Trials({"seed": (0, 1)}, folder=tmp_path)
    assert len(trials.finished) == 3
    assert trials.noted("plan") is None


def test_another_search_is_refused(tmp_path):
    filled(tmp_path)
    with pytest.raises(UsageError, match=r"seed was \[0, 1\] and is now 2"):
        Trials({"seed": 2}, folder=tmp_path)


def test_a_trial_is_known_by_its_content_but_for_last_digits(tmp_path):
    """A sampler's exponentials, say, end in other digits on another processor."""
    identity, first = {"lr": 0.3}, child(0.3)
    goes_on = replace(first, parent=first, stop_epoch=2)
    trials = Trials(identity, folder=tmp_path)
    for number, job in enumerate((first, goes_on)):
        trials.add(job, JobResult(float(number)), clock=0.0)
    trials = Trials({"lr": 0.1 + 0.2}, folder=tmp_path)

    near = child(0.1 + 0.2)
    assert near.key != first.key
    assert trials.key(near) == trials.key(first) == first.key
    assert trials.key(replace(near, parent=near, stop_epoch=2)) == goes_on.key
    for other in (child(0.3 * (1 + 1e-6)), replace(near, seed=1), replace(first, parent=near)):
        assert trials.key(other) == other.key
    with pytest.raises(UsageError, match=r"lr was 0\.3 and is now 0\.300001"):
        Trials({"lr": 0.300001}, folder=tmp_path)


def test_a_float_and_no_value_are_two_contents(tmp_path):
    first = Rated(rate=None, decay=0.5)
    Trials({}, folder=tmp_path).add(first, JobResult(0.5), clock=0.0)
    trials = Trials({}, folder=tmp_path)
    assert trials.key(Rated(rate=None, decay=0.5 + 1e-12)) == key_of(first)
    other = Rated(rate=0.5, decay=None)
    assert trials.key(other) == key_of(other)


@dataclass(frozen=True)
class Rated(Sees):
    """A job with two numbers that need not be set."""

    rate: float | None = None
    decay: float | None = None

    def describe(self):
        return {"rate": self.rate, "decay": self.decay}


def child(probability):
    space = SearchSpace("own", (OPERATIONS["Rotate"],))
    policy = Mixture(
        label="own", operations=space, subpolicies=((Step("Rotate", probability, 0.5),),)
    )
    return TrainJob(policy=policy, stop_epoch=1)


def test_a_search_resumes_where_sums_round_otherwise(tmp_path):
    task = small_task()
    mean, std = (np.nextafter(part, 1).tolist() for part in (task.encoder.mean, task.encoder.std))
    moved = replace(task, encoder=Normaliser(tuple(mean), tuple(std)))
    options = {"trials": 2, "seeds": 1, "folder": tmp_path / "search"}
    first = search(task, "random", **options)
    again = search(moved, "random", **options)

    assert (first.trained > 0, again.trained) == (True, 0)
    assert again.rows == first.rows
    # A child that was killed in the middle has a run folder of its own.
    job = child(0.3)
    assert job.run(task, tmp_path).score == job.run(moved, tmp_path).score > 0


def test_two_processes_cannot_work_on_one_search(tmp_path):
    with (
        folder_lock(tmp_path),
        pytest.raises(UsageError, match="another process"),
        folder_lock(tmp_path),
    ):
        pass


def test_a_storage_that_is_none_is_refused(tmp_path):
    with pytest.raises(UsageError, match="Optuna URL"):
        Trials({}, folder=tmp_path, storage="nonsense")
