"""Compare policies: same seeds for all, intervals, cost, one evaluation on the test part."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph import _moved
from automorph.data import split_hashes
from automorph.errors import AutomorphError, UsageError
from automorph.experiments.conclusion import Verdict, judge
from automorph.experiments.metric import ACCURACY, Metric
from automorph.experiments.statistics import paired_difference
from automorph.experiments.store import (
    Cell,
    Progress,
    Treatment,
    cell_path,
    read_cell,
    run_cells,
    write_cell,
)
from automorph.experiments.table import Outcome, Row, curves_of, predictions_of, rows_of
from automorph.files import folder_lock, read_json, write_json
from automorph.policies import Policy, RandomPolicy, check_domain, load_policy, stages_of
from automorph.training import AugmenterSpec, Task, alike, as_task


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison; ``rows`` are in the requested order.

    ``winner`` has the best mean validation accuracy, so the test part is never used to choose;
    ``accuracy`` in the rows is test accuracy. ``trained`` counts the trainings of this call; the
    others were read from the folder. ``predictions`` are the predicted classes of the test
    examples by policy, int64 ``(seeds, n)``. If the user's own code trained, ``accuracy`` in the
    rows is the ``metric``, on the part of the data that it names.
    """

    rows: tuple[Row, ...]
    seeds: tuple[int, ...]
    baseline: str
    winner: str
    verdict: Verdict
    confidence: float
    curves: dict[str, dict[str, Any]]
    policies: dict[str, Treatment]
    seconds: float
    trained: int
    predictions: dict[str, NDArray[np.int64]] = field(
        default_factory=dict, repr=False, compare=False
    )
    metric: Metric = ACCURACY

    def __getitem__(self, policy: str) -> Row:
        return next(row for row in self.rows if row.policy == policy)

    def __str__(self) -> str:
        """Return the table, one line per policy, and the verdict."""
        width = max(len(row.policy) for row in self.rows)
        lines = [f"{row.policy:{width}}  {_in_words(row, self.metric)}" for row in self.rows]
        return "\n".join([*lines, self.verdict.text])

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.rows)} policies under {len(self.seeds)} seeds>"

    def to_dict(self) -> dict[str, Any]:
        """Return the rows and the verdict as plain data."""
        return {
            "rows": [asdict(row) for row in self.rows],
            "seeds": list(self.seeds),
            "baseline": self.baseline,
            "winner": self.winner,
            "verdict": asdict(self.verdict),
            "confidence": self.confidence,
            **({} if self.metric == ACCURACY else {"metric": self.metric.to_dict()}),
        }


def compare(
    task: Any,
    policies: str | Treatment | Sequence[str | Treatment],
    *,
    seeds: int | Sequence[int] = 5,
    baseline: str | None = None,
    folder: str | os.PathLike[str] | None = None,
    jobs: int = 1,
    confidence: float = 0.95,
    progress: Callable[[list[Cell], int], Progress] | None = None,
    **options: Any,
) -> Comparison:
    """Train every policy under every seed and compare them seed by seed.

    ``policies`` are names, policies, or augmenter specs (see `AugmenterSpec`); a single one may be
    given without a list.

    ``task`` is a `Task`, a ``DATA`` string, arrays or a data set, and ``options`` (``model``,
    ``recipe``, ``limit``, ..) are passed to `automorph.training.as_task`.

    Differences are taken from ``baseline`` (default: ``none`` if it is among the policies, else the
    first). With a ``folder``, each finished training is saved there, and a repeated call trains
    only what is missing. ``jobs`` trainings run in parallel, each in its own process; a script with
    more than one job needs the guard ``if __name__ == "__main__":``.
    Raises UsageError for policies or seeds that cannot be compared, for a folder that another
    process uses, and for several policies without a validation part to choose by.
    """
    given = listed(policies)
    treatments = [p if isinstance(p, AugmenterSpec) else load_policy(p) for p in given]
    task = as_task(task, **options)
    numbers = tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds)
    _check(treatments, numbers, confidence)
    for treatment in treatments:
        check_domain(treatment, task.data.domain, data=task.name)
    _check_choice(task, treatments)
    names = [treatment.name for treatment in treatments]
    base = _baseline(names, baseline)
    started = time.monotonic()
    with folder_lock(Path(folder)) if folder else nullcontext():
        place = _prepared(folder, task)
        results, trained = _results(task, treatments, numbers, place, jobs, progress)
    rows = rows_of(names, numbers, results, base, confidence)
    winner = _winner(rows)
    verdict = _verdict(rows, treatments, base, winner, numbers, confidence)
    return Comparison(
        rows, numbers, base, winner, verdict, confidence, curves_of(names, numbers, results),
        dict(zip(names, treatments, strict=True)), time.monotonic() - started, trained,
        predictions_of(names, numbers, results),
    )  # fmt: skip


def listed(policies: Any) -> list[Any]:
    """Return the policies as a list; a single name or policy becomes a list of one.

    >>> listed("crop"), listed(("none", "crop"))
    (['crop'], ['none', 'crop'])
    """
    single = isinstance(policies, (str, os.PathLike, Policy, AugmenterSpec))
    if not (single or isinstance(policies, Iterable)):
        raise UsageError(
            f'got policies={policies!r:.60}; expected a list of them, such as ["none", "crop"]'
        )
    return [policies] if single else list(policies)


def _check(treatments: list[Treatment], seeds: tuple[int, ...], confidence: float) -> None:
    if not treatments:
        raise UsageError("got no policy; expected at least one, such as --policy flip-crop")
    names = [treatment.name for treatment in treatments]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(
            f"got these policies twice: {', '.join(twice)}; expected each policy once. Remove the "
            "duplicates"
        )
    if not seeds or len(set(seeds)) < len(seeds):
        raise UsageError(f"got the seeds {list(seeds)}; expected at least one, all different")
    if not 0.5 <= confidence < 1:
        raise UsageError(
            f"got confidence={confidence:g}; expected a number from 0.5 to below 1, such as 0.95"
        )


def _check_choice(task: Task, treatments: list[Treatment]) -> None:
    """Reject several policies if only the test part could choose between them."""
    if len(treatments) > 1 and task.data.validation is None:
        raise UsageError(
            f"{task.name} has no validation part, and {len(treatments)} policies are compared; "
            "expected a validation part, because the winner must not be chosen on the test part. "
            "Create one with automorph.data.split(data, validation=0.2)"
        )


def _baseline(names: list[str], wanted: str | None) -> str:
    if wanted is None:
        return "none" if "none" in names else names[0]
    name = wanted if wanted in names else load_policy(wanted).name
    if name not in names:
        raise UsageError(
            f"the baseline {name!r} is not among the policies; expected one of {names}. Add it to "
            "the policies, or choose another baseline"
        )
    return name


def fingerprint(task: Task) -> dict[str, Any]:
    """Return what trainings of one comparison share, as plain data: data, splits, model, recipe."""
    seen = task.data.train.data
    return {
        "data": task.data.name,
        "hash": task.data.hash,
        "parts": split_hashes(task.data),
        "model": task.network,
        "recipe": asdict(task.recipe),
        **({"seen": seen.describe()} if hasattr(seen, "describe") else {}),
        **({"protect": list(task.protect)} if task.protect else {}),
    }


def _in_words(row: Row, metric: Metric) -> str:
    if row.accuracy is None:
        return f"failed: {row.error}"
    gap = row.difference
    against = "" if gap is None else f"  {metric.difference(gap.mean)} ({metric.interval(gap)})"
    return f"{metric.value(row.accuracy.mean)}{against}"


def _prepared(folder: str | os.PathLike[str] | None, task: Task) -> Path | None:
    """Create the run folder; reject the folder of another task."""
    if folder is None:
        return None
    path = Path(folder)
    record = path / "task.json"
    content = json.loads(json.dumps(fingerprint(task)))
    if record.exists():
        if not alike(read_json(record), content):
            raise UsageError(
                f"the folder {path} contains a comparison of other data, another model or another "
                "recipe; choose another folder with --out, or delete this one"
            )
        return path
    write_json(record, content)
    return path


def _results(
    task: Task,
    treatments: list[Treatment],
    seeds: tuple[int, ...],
    folder: Path | None,
    jobs: int,
    progress: Callable[[list[Cell], int], Progress] | None,
) -> tuple[dict[Cell, Outcome], int]:
    """Return the outcome of every cell, and the number of cells trained by this call."""
    # Seed by seed, so that an interrupted comparison has complete pairs.
    cells = [Cell(treatment, seed) for seed in seeds for treatment in range(len(treatments))]
    results: dict[Cell, Outcome] = {}
    for cell in cells:
        kept = folder and read_cell(cell_path(folder, treatments[cell.treatment], cell.seed))
        if kept:
            results[cell] = kept
    missing = [cell for cell in cells if cell not in results]
    if not missing:
        return results, 0
    report = progress(cells, len(results)) if progress else None
    for cell, outcome in run_cells(task, treatments, missing, jobs=jobs, progress=report):
        results[cell] = outcome
        if folder and isinstance(outcome, dict):
            write_cell(cell_path(folder, treatments[cell.treatment], cell.seed), outcome)
        if report:
            report(cell, 1.0)
    return results, len(missing)


def _winner(rows: tuple[Row, ...]) -> str:
    ran = [row for row in rows if row.accuracy is not None]
    if not ran:
        errors = "; ".join(f"{row.policy}: {row.error}" for row in rows)
        raise AutomorphError(f"every training failed ({errors}); try a lower --lr")

    return max(ran, key=_standing).policy


def _verdict(
    rows: tuple[Row, ...],
    treatments: list[Treatment],
    base: str,
    winner: str,
    seeds: tuple[int, ...],
    confidence: float,
) -> Verdict:
    won = next(row for row in rows if row.policy == winner)
    control = _control(rows, treatments, {winner, base})
    against = None
    if control and won.accuracy and control.accuracy:
        against = paired_difference(
            won.accuracy.values, control.accuracy.values, confidence=confidence
        )
    return judge(
        winner,
        base,
        won.difference,
        control=control.policy if control else None,
        against_control=against,
        seeds=len(seeds),
        confidence=confidence,
    )


@_moved.renamed_arguments(arm="treatment")
def is_control(treatment: Any) -> bool:
    """Return True for a random policy, and for a chain with a random stage."""
    return isinstance(treatment, Policy) and any(
        isinstance(one, RandomPolicy) for one in stages_of(treatment)
    )


def _control(rows: tuple[Row, ...], treatments: Sequence[Any], others: set[str]) -> Row | None:
    """Return the random policy with the best validation accuracy: the one to beat."""
    random = [
        row
        for row, treatment in zip(rows, treatments, strict=True)
        if row.accuracy and row.policy not in others and is_control(treatment)
    ]
    return max(random, key=_standing, default=None)


def _standing(row: Row) -> float:
    """Rank a policy by validation accuracy, never by test accuracy."""
    return row.validation.mean if row.validation else 0.0


def hardware() -> str:
    """Return a short description of this machine."""
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    return f"{platform.machine()}, {os.cpu_count()} cores, {device}, {platform.system()}"
