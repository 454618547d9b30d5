"""The kit for executors catches an executor with one fault; ours are in `tests/experiments`."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from kits import failing, states_three_parts

from automorph.experiments.local_executors import Local
from automorph.testing import executor_checks
from automorph.testing.executors import Session


class Changed(Local):
    """An executor whose results are changed on their way."""

    def change(self, index, result):
        return index, result

    def run(self, jobs, **options):
        for index, result in super().run(jobs, **options):
            yield self.change(index, result)


class Renumbered(Changed):
    def change(self, index, result):
        return index + 1, result


class Twice(Local):
    def run(self, jobs, **options):
        yield from super().run(jobs, **options)
        yield from super().run(jobs[:1], **options)


class Busy(Local):
    def run(self, jobs, **options):
        yield from super().run(jobs, **options)
        if not jobs:
            yield 0, None


class Rounded(Changed):
    def change(self, index, result):
        return index, replace(result, score=round(result.score, 3))


class Threads(Local):
    def run(self, jobs, **options):
        options.pop("progress", None)
        for index, job in enumerate(jobs):
            torch.set_num_threads(2)
            yield index, job.run(self.task, self.folder)
        torch.set_num_threads(1)


class Homeless(Local):
    def run(self, jobs, **options):
        self.folder = self.folder / "missing"
        yield from super().run(jobs, **options)


class Open(Local):
    def run(self, jobs, **options):
        yield from super().run(jobs, **options | {"test": True})


class Closed(Local):
    def run(self, jobs, **options):
        yield from super().run(jobs, **options | {"test": False})


class Stopping(Local):
    def run(self, jobs, **options):
        for index, result in super().run(jobs, **options):
            yield index, result
            if result.error:
                return


class Hopeful(Changed):
    def change(self, index, result):
        return index, replace(result, score=max(result.score, 0.0))


class Silent(Changed):
    def change(self, index, result):
        return index, replace(result, error="it failed" if result.error else "")


class Infectious(Local):
    """All jobs after one that lost its worker count as failed."""

    ill = False

    def run(self, jobs, **options):
        for index, result in super().run(jobs, **options):
            self.ill = self.ill or "its worker" in result.error
            lost = replace(result, score=-math.inf, error="the worker is gone")
            yield index, lost if self.ill else result


class Late(Local):
    def run(self, jobs, *, deadline=math.inf, **options):
        yield from super().run(jobs[:3], **options)


class Abandoning(Local):
    def run(self, jobs, *, deadline=math.inf, **options):
        made = dict(super().run(jobs, deadline=deadline, **options))
        cut = replace(next(iter(made.values())), score=-math.inf, error="cut") if made else None
        yield from [(index, made.get(index, cut)) for index in range(len(jobs)) if made]


class Percent(Local):
    def run(self, jobs, *, progress=None, **options):
        scaled = progress and (lambda index, share: progress(index, 100 * share))
        yield from super().run(jobs, progress=scaled, **options)


BROKEN = {
    "every_job_has_its_result": (Renumbered, Twice, Busy),
    "results_are_those_of_this_process": (Rounded,),
    "jobs_have_what_they_need": (Threads, Homeless),
    "the_test_part_is_sealed": (Open, Closed),
    "a_failed_job_costs_only_itself": (Stopping, Hopeful, Silent),
    "a_dead_worker_costs_only_its_job": (Infectious,),
    "deadlines_are_kept": (Late, Abandoning),
    "progress_is_a_share": (Percent,),
}
CASES = [
    pytest.param(name, subject, id=f"{name}-{subject.__name__}")
    for name, subjects in BROKEN.items()
    for subject in subjects
]


def test_every_check_has_a_fault_to_catch():
    assert set(BROKEN) == {check.name for check in executor_checks()}


@pytest.mark.parametrize(("name", "subject"), CASES)
def test_each_fault_is_caught(name, subject):
    """Only the check is run, as some of these executors wait for their deadlines."""
    with Session(subject) as session:
        checks = [check for check in executor_checks() if check.name == name]
        found = failing(checks, subject, session=session)
    assert name in found
    assert states_three_parts(found[name]), found[name]
