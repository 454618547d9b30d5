"""Compare policies: same seeds for all, intervals, cost, one evaluation on the test part."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph import _moved
from automorph.data import split_hashes
from automorph.errors import AutomorphError, UsageError
from automorph.experiments.conclusion import Verdict, judge
from automorph.experiments.executor import Executor
from automorph.experiments.executors import check_executor, open_executor
from automorph.experiments.full_training import FullTraining
from automorph.experiments.job import JobResult, Treatment
from automorph.experiments.metric import ACCURACY, Metric
from automorph.experiments.statistics import paired_difference
from automorph.experiments.store import FileLog, Log, Store
from automorph.experiments.table import (
    Cell,
    Progress,
    Row,
    curves_of,
    predictions_of,
    rows_of,
)
from automorph.experiments.version_1 import read_cell
from automorph.files import folder_lock, read_json
from automorph.policies import Policy, RandomPolicy, check_domain, load_policy, stages_of
from automorph.training import AugmenterSpec, Task, as_task, from_version_1, task_identity


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison; ``rows`` are in the requested order.

    ``winner`` has the best mean validation accuracy, so the test part is never used to choose;
    ``accuracy`` in the rows is test accuracy. ``trained`` counts the trainings of this call; the
    others were read from the folder. ``predictions`` are the predicted classes of the test
    examples by policy, int64 ``(seeds, n)``. If the user's own code trained, ``accuracy`` in the
    rows is the ``metric``, on the part of the data that it names. ``remarks``: what a reader of the
    table must know.
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
    remarks: tuple[str, ...] = ()

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
    log: Log | None = None,
    engine: str = "processes",
    jobs: int = 1,
    address: str | None = None,
    accept_versions: bool = False,
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
    only what is missing. ``log`` keeps them elsewhere than in the folder. ``accept_versions``
    continues a comparison that was begun with other versions of the libraries that decide pixels,
    and notes it in ``remarks``.

    ``engine`` is ``processes`` (``jobs`` trainings in parallel; a script with more than one needs
    the guard ``if __name__ == "__main__":``), ``local`` (one after the other) or ``ray`` (on the
    cluster at ``address``, else on this machine). Each training runs on one thread, and the table
    is the same on each.

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
    # Seed by seed, so that an interrupted comparison has complete pairs.
    cells = {
        Cell(place, seed): FullTraining(policy=treatment, seed=seed)
        for seed in numbers
        for place, treatment in enumerate(treatments)
    }
    check_executor(engine, address)
    with ExitStack() as stack:
        path = Path(folder) if folder else Path(stack.enter_context(TemporaryDirectory()))
        stack.enter_context(folder_lock(path))
        store = _opened(path if folder else None, log, task, accept_versions)
        results, trained = _results(
            store, cells, partial(open_executor, engine, task, path, jobs=jobs, address=address),
            partial(read_cell, path), progress,
        )  # fmt: skip
    rows = rows_of(names, numbers, results, base, confidence)
    winner = _winner(rows)
    verdict = _verdict(rows, treatments, base, winner, numbers, confidence)
    return Comparison(
        rows, numbers, base, winner, verdict, confidence, curves_of(names, numbers, results),
        dict(zip(names, treatments, strict=True)), time.monotonic() - started, trained,
        predictions_of(names, numbers, results), remarks=store.remarks,
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
    """Return the settings by which run folders are named: data, splits, model, recipe.

    What decides whether two runs are the same is `automorph.training.task_identity`.
    """
    seen = task.data.train.data
    return {
        "data": task.data.name,
        "hash": task.data.hash,
        "parts": split_hashes(task.data),
        **({"window": [window.low, window.high]} if (window := task.data.window) else {}),
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


def _opened(folder: Path | None, log: Log | None, task: Task, accept_versions: bool) -> Store:
    """Open the store of a comparison; reject the folder of another task."""
    if log is None and folder is not None:
        log = FileLog(folder)
    older = None
    if folder is not None and (record := folder / "task.json").exists():
        older = {"task": read_json(record)}
    return Store(
        {"task": task_identity(task)}, log,
        verb="comparison", older=older, upgrade=partial(from_version_1, task=task),
        accept_versions=accept_versions,
    )  # fmt: skip


def _results(
    store: Store,
    cells: dict[Cell, FullTraining],
    open_: Callable[[], Executor],
    older: Callable[[FullTraining], JobResult | None],
    progress: Callable[[list[Cell], int], Progress] | None,
) -> tuple[dict[Cell, JobResult], int]:
    """Return the result of every cell, and the number of cells trained by this call."""
    results = {cell: kept for cell, job in cells.items() if (kept := store.get(job) or older(job))}
    missing = [cell for cell in cells if cell not in results]
    if not missing:
        return results, 0
    report = progress(list(cells), len(results)) if progress else lambda cell, share: None
    with open_() as executor:
        jobs = [cells[cell] for cell in missing]
        done = executor.run(
            jobs, test=True, progress=lambda index, share: report(missing[index], share)
        )
        for index, outcome in done:
            # A failed training is tried again by the next call.
            results[missing[index]] = (
                outcome if outcome.error else store.add(jobs[index], outcome).outcome
            )
            report(missing[index], 1.0)
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
