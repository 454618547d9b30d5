"""The table of a comparison whose trainings are the user's own, and what is missing in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from automorph.errors import UsageError
from automorph.experiments.job import JobResult
from automorph.experiments.metric import Metric, reported_metric
from automorph.experiments.sequential import Looks
from automorph.experiments.table import Cell, Row, rows_of


@dataclass(frozen=True)
class Failure:
    """A training without a result, and why."""

    policy: str
    seed: int
    reason: str


@dataclass(frozen=True)
class ExternalTable:
    """The rows over the seeds that all compared policies finished, and what a reader must know.

    ``seeds`` are those of the rows; ``failures`` lists every training without a result; ``remarks``
    say what is missing. ``metric`` is what the trainings reported.
    """

    rows: tuple[Row, ...]
    seeds: tuple[int, ...]
    metric: Metric
    failures: tuple[Failure, ...]
    remarks: tuple[str, ...]


def external_rows(
    names: list[str],
    seeds: Sequence[int],
    results: Mapping[Cell, JobResult],
    base: str,
    confidence: float,
    looks: Looks | None = None,
) -> ExternalTable:
    """Make the table of finished trainings.

    Rows stay paired: a seed that failed under one policy is left out for all of them, as long as at
    least half of the seeds remain; otherwise the policies with the most failures are left out
    first. A policy under which a training diverged is left out: dropping only the diverged seeds
    would favour it. Raises `UsageError` if the trainings reported different metrics.
    """
    failures = tuple(
        Failure(name, seed, results[Cell(number, seed)].error)
        for number, name in enumerate(names)
        for seed in seeds
        if results[Cell(number, seed)].error
    )
    finished = {cell: result for cell, result in results.items() if not result.error}
    places, kept = _balanced(names, seeds, results)
    tested = bool(places) and all(
        finished[Cell(place, seed)].facts["test"] is not None for place in places for seed in kept
    )
    metric = metric_of(list(finished.values()), tested=tested)
    rows: dict[str, Row] = {}
    if places:
        compared = [names[place] for place in places]
        cells = {
            Cell(number, seed): _as_cell(finished[Cell(place, seed)], tested)
            for number, place in enumerate(places)
            for seed in kept
        }
        first = base if base in compared else compared[0]
        made = rows_of(compared, kept, cells, first, confidence, looks=looks)
        passes = [
            [finished[Cell(place, seed)].facts["passes"] for seed in kept] for place in places
        ]
        rows = {
            row.policy: replace(
                row,
                difference=row.difference if first == base else None,
                units={} if None in own else {"passes": round(sum(own))},
            )
            for row, own in zip(made, passes, strict=True)
        }
    for name in names:
        if name not in rows:
            own = [failure for failure in failures if failure.policy == name]
            reason = f"{len(own)} of {len(seeds)}: {own[0].reason}" if own else "no seed is left"
            rows[name] = Row(name, None, error=reason)
    remarks = [*_about_failures(failures, seeds, kept), *remarks_of(finished.values(), metric)]
    return ExternalTable(
        tuple(rows[name] for name in names), kept, metric, failures, tuple(remarks)
    )


def metric_of(results: Sequence[JobResult], *, tested: bool) -> Metric:
    """Return the metric that finished trainings reported.

    Raises `UsageError` if they differ: their values do not compare.
    """
    kinds = {(one.facts["metric"], one.facts["higher_is_better"]) for one in results}
    if len(kinds) > 1:
        words = " and ".join(
            f"{name} ({'higher' if higher else 'lower'} is better)"
            for name, higher in sorted(kinds)
        )
        raise UsageError(
            f"the trainings reported different metrics: {words}; expected the same 'metric' and "
            "'higher_is_better' in every result. Correct the training, and use another --out "
            "(folder=...)"
        )
    name, higher = kinds.pop() if kinds else ("score", True)
    values = [
        value
        for one in results
        for value in (one.facts["validation"], one.facts["test"])
        if value is not None
    ]
    return reported_metric(name, higher, values, tested=tested)


def remarks_of(results: Iterable[JobResult], metric: Metric) -> list[str]:
    """Say what the trainings did not report, and what was ignored."""
    done, remarks = list(results), []
    if done and metric.part == "validation":
        without = sum(one.facts["test"] is None for one in done)
        who = "The" if without == len(done) else f"{without} of {len(done)}"
        remarks.append(
            f"{who} trainings report no test values: the table shows {metric.name} on the "
            "validation data, which also chose the winner."
        )
    if without := sum(one.facts["passes"] is None for one in done):
        if without == len(done):
            words = "The trainings report no passes, so their cost is known as wall time only."
        else:
            words = (
                f"{without} of {len(done)} trainings report no passes, so the cost of their "
                "policies is known as wall time only."
            )
        remarks.append(words)
    sizes = {one.facts["examples"] for one in done if one.facts["examples"] is not None}
    if len(sizes) > 1:
        counts = " and ".join(f"{size:,}" for size in sorted(sizes))
        remarks.append(
            f"The trainings report {counts} validation losses, so their validation data differ; "
            "differences include that."
        )
    for entry in dict.fromkeys(entry for one in done for entry in one.facts["ignored"]):
        remarks.append(f"The results have an entry that is ignored: {entry}")
    return remarks


def _balanced(
    names: Sequence[str], seeds: Sequence[int], results: Mapping[Cell, JobResult]
) -> tuple[list[int], tuple[int, ...]]:
    """Return the policies to compare, and the seeds that all of them finished."""
    failed = {
        place: {seed for seed in seeds if results[Cell(place, seed)].error}
        for place in range(len(names))
    }
    places = [
        place
        for place in failed
        if not any(results[Cell(place, seed)].facts.get("diverged") for seed in failed[place])
    ]
    while places:
        kept = tuple(seed for seed in seeds if not any(seed in failed[place] for place in places))
        most = max(len(failed[place]) for place in places)
        if kept and (2 * len(kept) >= len(seeds) or not most):
            return places, kept
        places = [place for place in places if len(failed[place]) < most]
    return [], ()


def _as_cell(result: JobResult, tested: bool) -> JobResult:
    """Return a result in the form of trainings by this package."""
    shown = result.facts["test"] if tested else result.facts["validation"]
    facts = {"test_accuracy": shown, "busy": result.facts.get("busy")}
    return replace(result, score=result.facts["validation"], facts=facts)


def _about_failures(
    failures: Sequence[Failure], seeds: Sequence[int], kept: Sequence[int]
) -> list[str]:
    remarks = []
    dropped = [seed for seed in seeds if seed not in kept]
    if dropped and kept:
        remarks.append(
            f"The table compares {len(kept)} of {len(seeds)} seeds: trainings of "
            f"{'seed' if len(dropped) == 1 else 'seeds'} {', '.join(map(str, dropped))} failed "
            "under at least one policy. Repeat the command to try them again."
        )
    # One policy usually fails for one reason: the log of its first failure is enough.
    for name in dict.fromkeys(one.policy for one in failures):
        first, *more = [one for one in failures if one.policy == name]
        others = f" (and {', '.join(str(one.seed) for one in more)})" if more else ""
        remarks.append(f"{name}, seed {first.seed}{others}: {first.reason}")
    return remarks
