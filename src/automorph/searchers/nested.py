"""A search by nested cross-validation: what does choosing in this way gain on new data?

In every cell (a fold of a repeat) the whole search runs on the cell's training and validation part,
while its fold is sealed. What it picks, and the policies that one would use without a search, are
then trained once, under the number of the cell as seed, and tested on the fold: no example that
tests a policy has been seen by the search that picked it (Stone, "Cross-validatory choice and
assessment of statistical predictions", JRSS B 36, 1974; Varma and Simon, BMC Bioinformatics 7,
2006). One more search, on all examples, gives the policy that is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from automorph.data import Folds
from automorph.diagnostics import idle_operations
from automorph.errors import AutomorphError
from automorph.experiments import (
    ACCURACY,
    Cell,
    JobResult,
    Looks,
    always_one,
    constant_answers,
    curves_of,
    idle_policies,
    metric_for,
    never_called,
    not_converged,
    plain_treatment,
    predictions_of,
    repeated_trainings,
    rows_of,
    task_without_test,
    too_few,
    unused_by_search,
)
from automorph.files import folder_lock
from automorph.searchers.child_training import with_post_policy
from automorph.searchers.final_table import controls_of, references
from automorph.searchers.interrupted import forget
from automorph.searchers.nested_progress import NestedProgress, Report
from automorph.searchers.nested_verdict import Picks, nested_verdict
from automorph.searchers.result import SearchResult
from automorph.searchers.search_phase import ALL, Found, SearchPhase, SearchSetup
from automorph.searchers.within_review import within_review
from automorph.training import Task, Units

PICKED = "what the search picks"
"""The row of the table that has another policy in every cell."""
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Searched:
    """A finished search of a cell, or of all examples, and its cost.

    ``outcomes`` are the trainings that test its pick and the controls, by part; a control that
    equals the pick is not trained twice.
    """

    setup: SearchSetup
    found: Found
    outcomes: Mapping[str, JobResult]
    trials: int
    failed: int
    cost: float
    units: Units
    seconds: float
    ran: int
    remarks: tuple[str, ...]

    @property
    def picked(self) -> str:
        """The name of the policy with the post-policy."""
        return with_post_policy(self.found.policy, self.setup.post_policy).name

    def same(self, other: Searched) -> bool:
        """Return whether both searches picked the same policy."""
        mine, theirs = (plain_treatment(one.found.policy) for one in (self, other))
        return bool(mine == theirs)


def nested_search(
    task: Task,
    setup_of: Callable[..., SearchSetup],
    opened: Callable[..., AbstractContextManager[SearchPhase]],
    *,
    trials: int | None,
    seconds: float | None,
    folder: Path | None,
    progress: Report | None,
) -> SearchResult:
    """Search in every cell of the task's folds, then on all examples; see `search`.

    ``setup_of`` and ``opened`` are those of `search_phase`, with the settings of the user. Of
    ``seconds``, each search gets the same share; what the first one can try in its share holds for
    all.
    """
    folds = task.data.folds
    assert folds is not None
    whole = task.on_all_examples()  # Data that cannot be split must fail before the first search.
    searches = folds.cells + 1
    meter = NestedProgress(progress, searches)
    allowed = trials
    share = None if seconds is None else seconds / searches
    done: list[Searched] = []
    with ExitStack() as stack:
        path = folder or Path(stack.enter_context(TemporaryDirectory()))
        stack.enter_context(folder_lock(path))
        for cell in range(searches):
            last = cell == folds.cells
            name = "all" if last else f"fold-{cell}"
            part = whole if last else task.in_fold(cell)
            setup = setup_of(
                part, trials=allowed, seconds=share if allowed is None else None,
                looks=Looks(1, 1), controls="usual", epoch_multiplier=None, folder=path / name,
                nested=ALL if last else f"cell {cell}",
            )  # fmt: skip
            with opened(
                part, setup, folder=path / name, leave=folder if last else None,
                progress=meter.of(cell, setup, part),
            ) as phase:  # fmt: skip
                done.append(_search(phase, None if last else cell))
                if last and phase.runner.ran:
                    idle = idle_operations(setup.space, task_without_test(whole))
                    done[-1] = replace(done[-1], remarks=(*done[-1].remarks, *idle))
                if last:
                    result = _result(task, folds, done, phase)
            allowed = allowed or done[0].found.plan.trials
    if folder:
        forget(folder)
    return result


def _search(phase: SearchPhase, cell: int | None) -> Searched:
    """Run the search of a cell, and test what it picks; None: of all examples, without a test."""
    setup, runner = phase.setup, phase.runner
    found = phase.find()
    outcomes: Mapping[str, JobResult] = {}
    if cell is not None:
        compared = controls_of(
            found.policy, setup.space, setup.post_policy, 1, "usual", usual=setup.usual
        )
        jobs = {part: control.job(cell) for part, control in compared.items()}
        outcomes = runner.final(jobs, phase.workers)
    failed = sum(bool(trial.outcome.error) for trial in runner.reported)
    return Searched(
        setup, found, outcomes, len(runner.reported), failed, phase.cost, runner.units,
        phase.record.clock, runner.ran, phase.record.remarks,
    )  # fmt: skip


def _result(task: Task, folds: Folds, done: Sequence[Searched], phase: SearchPhase) -> SearchResult:
    """Make the table over all cells, and judge it; ``phase`` is the search on all examples."""
    *cells, last = done
    setup, entry = last.setup, last.setup.method.entry
    controls = references(setup.space, setup.post_policy, 1, "usual", usual=setup.usual)
    parts = ("found", *controls)
    labels = [PICKED, *(control.label for control in controls.values())]
    results = {
        Cell(number, cell): one.outcomes.get(part, one.outcomes["found"])
        for cell, one in enumerate(cells)
        for number, part in enumerate(parts)
    }
    scorers = task.scorers if task.asks_metrics else ()
    metric, *also = map(metric_for, scorers) if scorers else (ACCURACY,)
    metric = replace(metric, part="out-of-fold")
    numbers = tuple(range(folds.cells))
    rows = rows_of(
        labels, numbers, results, labels[parts.index("none")], CONFIDENCE, scorers,
        overlap=folds.overlap,
    )  # fmt: skip
    if not any(row.accuracy for row in rows):
        raise AutomorphError(f"every final training failed ({rows[0].error}); try a lower --lr")
    predictions = predictions_of(labels, numbers, results, folds)
    by_part = dict(zip(parts, rows, strict=True))
    policy = with_post_policy(last.found.policy, setup.post_policy)
    treatments = {PICKED: policy, **{one.label: one.treatment for one in controls.values()}}
    usual = next((part for part in ("eda", "trivialaugment") if part in by_part), None)
    cost = sum(one.cost for one in done)
    picks = Picks(policy.name, tuple(one.picked for one in cells), sum(map(last.same, cells)))
    verdict, advice = nested_verdict(
        by_part, folds, picks, cost=cost, confidence=CONFIDENCE, metric=metric,
        constant=always_one(predictions.get(PICKED, ())),
        few=too_few(rows, rows[0], task.data, CONFIDENCE, by_part[usual].policy)
        if usual and rows[0].accuracy
        else None,
    )  # fmt: skip
    of_parts = {part: one.treatment for part, one in controls.items()}
    verdict, advice = within_review(verdict, advice, of_parts, setup.space)
    of_classes = task.data.target == "classes"
    remarks = (
        *(remark for one in done for remark in one.remarks),
        *not_converged(labels, results), *repeated_trainings(labels, results),
        *never_called(predictions, scorers),
        *(constant_answers(predictions, task.data.classes) if of_classes else ()),
        *(unused_by_search(setup.method.name, task) if not entry.takes_unlabelled else ()),
        *(idle_policies([one.treatment for one in controls.values()], task) if last.ran else ()),
    )  # fmt: skip
    analysis = phase.runner.tried
    return SearchResult(
        method=setup.method.name,
        found=last.found.policy,
        policy=policy,
        rows=rows,
        parts=parts,
        verdict=verdict,
        seeds=numbers,
        confidence=CONFIDENCE,
        trials=sum(one.trials for one in done),
        failed=sum(one.failed for one in done),
        cost=cost,
        units=sum((one.units for one in done), Units()),
        seconds=sum(one.seconds for one in done),
        trace=tuple(phase.runner.trace(phase.search_task)),
        course=analysis.course(),
        effects=analysis.effects(),
        plan=cells[0].found.plan,
        epoch_multiplier=1,
        stopped=False,
        history=last.found.searcher.history(),
        curves=curves_of(labels, numbers, {key: _plain(one) for key, one in results.items()}),
        predictions=predictions,
        treatments=treatments,
        trained=sum(one.ran for one in done),
        looks=Looks(folds.cells, folds.cells),
        remarks=tuple(dict.fromkeys(remarks)),
        metric=metric,
        also=tuple(also),
        advice=advice,
        folds=folds,
        picks=picks.names,
    )


def _plain(outcome: JobResult) -> JobResult:
    """Return an outcome without the course of its augmenter: other cells have another one."""
    if "curves" not in outcome.facts:
        return outcome
    curves = {name: one for name, one in outcome.facts["curves"].items() if name != "augmenter"}
    return replace(outcome, facts={**outcome.facts, "curves": curves})
