"""Trials on disk: read back as written, intact after a cut anywhere, rejected by other searches."""

from __future__ import annotations

import math

import pytest
from search_jobs import Sees

from automorph.errors import UsageError
from automorph.files import folder_lock
from automorph.searchers import JobResult
from automorph.searchers.journal_repair import cut
from automorph.searchers.trials import JOURNAL, Trials
from automorph.training import Units

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
