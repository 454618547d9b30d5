"""The study of a search: intact after a cut anywhere, known on another processor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_task import small_task

from automorph.errors import UsageError
from automorph.experiments import JobResult, Store
from automorph.operations import OPERATIONS, SearchSpace
from automorph.policies import Mixture, Step
from automorph.searchers import TrainJob, search
from automorph.searchers.journal_repair import cut
from automorph.searchers.study_log import JOURNAL, StudyLog
from automorph.training import Normaliser


def opened(folder):
    return Store({"seed": 0}, StudyLog("search", folder=folder))


def test_a_journal_that_was_cut_anywhere_in_its_last_line_is_whole_again(tmp_path):
    store = opened(tmp_path)
    for number in range(3):
        store.add(replace(child(0.5), seed=number), JobResult(0.5))
    store.note("plan", {"seeds": 5})
    journal = tmp_path / JOURNAL
    content = journal.read_bytes()
    start = content.rfind(b"\n", 0, len(content) - 1) + 1
    for end in range(start, len(content)):
        journal.write_bytes(content[:end])
        cut(journal)
        assert journal.read_bytes() == content[:start]
    journal.write_bytes(content[:start] + b"\0" * 100)
    store = opened(tmp_path)
    assert len(store.finished) == 3
    assert store.noted("plan") is None


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


def test_a_storage_that_is_none_is_refused(tmp_path):
    with pytest.raises(UsageError, match="Optuna URL"):
        StudyLog("search", folder=tmp_path, storage="nonsense")


def test_policies_of_several_spaces_are_trials_of_one_study(tmp_path):
    store = opened(tmp_path)
    for name in ("Rotate", "Invert"):
        space = SearchSpace(name, (OPERATIONS[name],))
        policy = Mixture(label="own", operations=space, subpolicies=((Step(name, 0.5, 0.5),),))
        store.add(TrainJob(policy=policy), JobResult(0.5))
    assert len(opened(tmp_path).finished) == 2
    trials = StudyLog("search", folder=tmp_path)._study.trials
    assert [sorted(trial.params) for trial in trials] == [
        ["chance 0.0", "magnitude 0.0", "operation 0.0"],
        ["chance 0.0", "magnitude 0.0"],
    ]
