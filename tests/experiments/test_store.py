"""The store of a run: read back as written by every log, and closed to other runs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pytest
from plain_jobs import Sees

from automorph.errors import UsageError
from automorph.experiments import FileLog, JobResult, Store, key_of
from automorph.files import folder_lock
from automorph.operations import OPERATIONS, SearchSpace
from automorph.policies import Mixture, Step
from automorph.searchers import TrainJob
from automorph.searchers.study_log import StudyLog
from automorph.training import Units

OUTCOMES = [
    JobResult(0.1 + 0.2, Units(3, 2), 1.5, {"curve": (0.1, 0.3)}),
    JobResult(-math.inf, error="the loss is not a number"),
    JobResult(0.5),
]
LOGS = {
    "file": FileLog,
    "journal": lambda folder: StudyLog("search", folder=folder),
    "data base": lambda folder: StudyLog("search", storage=f"sqlite:///{folder}/trials.db"),
}


@pytest.fixture(params=LOGS)
def opened(request, tmp_path):
    """Open a log of a kind again and again."""
    logs = []

    def log():
        logs.append(LOGS[request.param](tmp_path))
        return logs[-1]

    yield log
    for one in logs:
        if hasattr(one, "close"):
            one.close()


def filled(log):
    store = Store({"seed": (0, 1)}, log)
    for number, outcome in enumerate(OUTCOMES):
        store.add(Sees(number), outcome, clock=float(number))
    store.note("plan", {"seeds": 5})
    return store


def test_jobs_are_read_back_as_they_were_stored(opened):
    written = filled(opened())
    read = Store({"seed": (0, 1)}, opened())

    assert read.finished == written.finished
    assert [job.outcome.score for job in read.finished] == [o.score for o in OUTCOMES]
    assert read.finished[0].outcome.facts == {"curve": [0.1, 0.3]}
    assert read.get(Sees(2)).score == 0.5
    assert read.get(Sees(9)) is None
    assert read.noted("plan") == {"seeds": 5}
    assert read.clock == 2.0


def test_another_run_is_refused(opened):
    filled(opened())
    with pytest.raises(UsageError, match=r"a different search \(seed was \[0, 1\] and is now 2"):
        Store({"seed": 2}, opened(), verb="search")


def test_a_job_is_known_by_its_content_but_for_last_digits(opened):
    """A sampler's exponentials, say, end in other digits on another processor."""
    first = child(0.3)
    goes_on = replace(first, parent=first, stop_epoch=2)
    store = Store({"lr": 0.3}, opened())
    for number, job in enumerate((first, goes_on)):
        store.add(job, JobResult(float(number)))
    store = Store({"lr": 0.1 + 0.2}, opened())

    near = child(0.1 + 0.2)
    assert near.key != first.key
    assert store.key(near) == store.key(first) == first.key
    assert store.key(replace(near, parent=near, stop_epoch=2)) == goes_on.key
    for other in (child(0.3 * (1 + 1e-6)), replace(near, seed=1), replace(first, parent=near)):
        assert store.key(other) == other.key
    with pytest.raises(UsageError, match=r"lr was 0\.3 and is now 0\.300001"):
        Store({"lr": 0.300001}, opened())


def test_a_float_and_no_value_are_two_contents(tmp_path):
    first = Rated(rate=None, decay=0.5)
    Store({}, FileLog(tmp_path)).add(first, JobResult(0.5))
    store = Store({}, FileLog(tmp_path))
    assert store.key(Rated(rate=None, decay=0.5 + 1e-12)) == key_of(first)
    other = Rated(rate=0.5, decay=None)
    assert store.key(other) == key_of(other)


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


def test_other_versions_are_named_and_can_be_accepted(opened):
    def store(pillow, **options):
        pixels = {"name": "d", "hash": pillow}
        task = {"data": pixels, "lr": options.pop("lr", 0.1), "versions": {"pillow": pillow}}
        return Store({"task": task}, opened(), verb="comparison", **options)

    assert store("12.3").remarks == ()
    with pytest.raises(
        UsageError,
        match=r"made with pillow 12\.3; installed: pillow 13\.0, which gives other pixels for "
        r"these files.*pip install 'pillow==12\.3'.*--accept-versions",
    ):
        store("13.0")
    remark = "Some results were made with pillow 12.3, others with pillow 13.0"
    assert remark in store("13.0", accept_versions=True).remarks[0]
    assert remark in store("13.0").remarks[0], "accepted once, accepted for good"
    assert store("12.3").remarks == ()
    with pytest.raises(UsageError, match="pillow 14"):
        store("14.0")
    with pytest.raises(UsageError, match=r"a different comparison \(task\.lr was 0\.1"):
        store("13.0", lr=0.2)


def test_two_processes_cannot_work_on_one_run(tmp_path):
    with (
        folder_lock(tmp_path),
        pytest.raises(UsageError, match="another process"),
        folder_lock(tmp_path),
    ):
        pass
