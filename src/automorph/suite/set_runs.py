"""Run an entrant on development sets, beside the controls; finished trainings are kept.

A search sees a task without its test part, and no results of earlier runs on the set. The test part
is opened once by each of the trainings that follow, which choose nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from automorph.errors import UsageError
from automorph.experiments import (
    FileLog,
    FullTraining,
    JobResult,
    Store,
    Treatment,
    open_executor,
)
from automorph.files import folder_lock, make_folder, write_json
from automorph.policies import check_domain
from automorph.searchers import SearchProgress, SearchSpec, search_alone
from automorph.suite.controls import CONTROLS, ENTRANT, Setting
from automorph.suite.entrant import Entrant
from automorph.suite.result import SetResult, SuiteResult, our_row
from automorph.suite.sets import DevelopmentSet
from automorph.training import Task, as_augmenter, check_augmenter, task_identity, versions_of

K = TypeVar("K", bound=Hashable)
Show = Callable[[str, str, float], None]
"""Called with the name of a set, what is done on it, and the finished share of that."""


def run_suite(
    entrant: Entrant,
    sets: Sequence[DevelopmentSet],
    *,
    folder: Path,
    setting: Setting | None = None,
    trials: int | None = None,
    jobs: int = 1,
    accept_versions: bool = False,
    progress: Show | None = None,
) -> SuiteResult:
    """Run an entrant and the five controls on sets; the same call resumes from ``folder``.

    ``trials`` are those of a searcher (None: its usual ones). All entrants of a folder share the
    trainings of the controls. The row is written to ``suite.json`` in its `row_folder`.
    """
    setting = setting or Setting()
    if trials is not None and entrant.kind != "searcher":
        raise UsageError(
            f"got {trials} trials for the augmenter {entrant.name}; only a searcher takes some: "
            "leave out --trials"
        )
    found, versions = dict[str, SetResult](), dict[str, str]()
    for one in sets:
        task = one.task(limit=setting.limit, epochs=setting.epochs)
        place = folder / f"{one.name}{setting.suffix}"
        runs = _SetRun(one.name, task, entrant, setting, place, jobs, accept_versions, progress)
        found[one.name] = runs.run(trials)
        versions |= versions_of(task)
    standard = setting.is_standard
    other = tuple(one.name for one in sets if standard and found[one.name].hash != one.hash)
    ours = our_row() if standard else {}
    result = SuiteResult(
        entrant.name, entrant.kind, entrant.code, setting, found, versions, other,
        {name: values for name, values in ours.items() if name in found and name not in other},
    )  # fmt: skip
    place = row_folder(folder, entrant, setting)
    make_folder(place)
    write_json(place / "suite.json", result.to_dict())
    return result


def row_folder(folder: Path, entrant: Entrant, setting: Setting) -> Path:
    """Return the folder of the row of an entrant."""
    return folder / "rows" / f"{entrant.key}{setting.suffix}"


@dataclass(frozen=True)
class _SetRun:
    """An entrant on one set."""

    name: str
    task: Task
    entrant: Entrant
    setting: Setting
    folder: Path
    jobs: int
    accept_versions: bool
    progress: Show | None

    def run(self, trials: int | None) -> SetResult:
        """Search if the entrant does, then train it and the controls."""
        treatment, cost = self._treatment(trials)
        check_domain(treatment, self.task.data.domain, data=self.task.name)
        check_augmenter(as_augmenter(treatment), self.task.data, treatment.name)
        seeds = range(self.setting.seeds)
        mine = {(ENTRANT, seed): self.entrant.job(treatment, seed) for seed in seeds}
        # The entrant comes first: a fault in it shows before hours of controls.
        outcomes = self._trained({**mine, **self.setting.control_jobs()})
        tests = dict[str, tuple[float, ...]]()
        for arm in (*CONTROLS, ENTRANT):
            of_arm = [outcomes[arm, seed] for seed in seeds]
            # Without one of its seeds, an arm cannot be paired with the others.
            if not any(one.error for one in of_arm):
                tests[arm] = tuple(one.facts["test_accuracy"] for one in of_arm)
        errors = dict.fromkeys(one.error for one in outcomes.values() if one.error)
        data = self.task.data
        return SetResult(tests, treatment.name, cost, data.hash, data.notes, tuple(errors))

    def _treatment(self, trials: int | None) -> tuple[Treatment, float | None]:
        """Return what the entrant trains with, and what finding it cost."""
        method = self.entrant.method
        if not isinstance(method, SearchSpec):
            return method, None

        def show(progress: SearchProgress) -> None:
            if self.progress is not None:
                self.progress(self.name, "searching", progress.share)

        # The code is in the name of the folder: another version is another search.
        count = "" if trials is None else f"-{trials}-trials"
        pick = search_alone(
            self.task, method, trials=trials, unseen=(self.name,), jobs=self.jobs,
            folder=self.folder / f"search-{self.entrant.key}{count}",
            accept_versions=self.accept_versions, progress=show,
        )  # fmt: skip
        return pick.treatment, pick.trainings

    def _trained(self, jobs: Mapping[K, FullTraining]) -> dict[K, JobResult]:
        """Return the results of trainings by name; those that are kept are not repeated."""
        with ExitStack() as stack:
            stack.enter_context(folder_lock(self.folder))
            store = Store(
                {"task": task_identity(self.task)}, FileLog(self.folder), verb="suite",
                accept_versions=self.accept_versions,
            )  # fmt: skip
            # Equal jobs are one training.
            missing = {store.key(job): job for job in jobs.values() if store.get(job) is None}
            workers = stack.enter_context(
                open_executor("processes", self.task, self.folder, jobs=self.jobs)
            )
            shares = dict.fromkeys(range(len(missing)), 0.0)

            def show(number: int, share: float) -> None:
                shares[number] = share
                if self.progress is not None:
                    made = len(jobs) - len(missing) + sum(shares.values())
                    self.progress(self.name, "training", made / len(jobs))

            todo = list(missing.values())
            for number, outcome in workers.run(todo, test=True, progress=show):
                store.add(todo[number], outcome)
                show(number, 1.0)
            found = {name: store.get(job) for name, job in jobs.items()}
        return {name: one for name, one in found.items() if one is not None}
