"""Policies compared honestly: the same seeds for all, intervals, cost, one look at the test set."""

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

from automorph.data import split_hashes
from automorph.errors import AutomorphError, UsageError
from automorph.experiments.conclusion import Verdict, interval, judge, points
from automorph.experiments.statistics import paired_difference
from automorph.experiments.store import (
    Arm,
    Cell,
    Progress,
    cell_path,
    read_cell,
    run_cells,
    write_cell,
)
from automorph.experiments.table import Outcome, Row, curves_of, predictions_of, rows_of
from automorph.files import folder_lock, read_json, write_json
from automorph.policies import Policy, RandomPolicy, check_domain, load_policy, stages_of
from automorph.training import AugmenterSpec, Task, as_task


@dataclass(frozen=True)
class Comparison:
    """The result: ``rows`` in the order asked for, and what they say.

    ``winner`` has the best mean validation accuracy, so that the test part chooses nothing;
    ``accuracy`` of the rows is that of the test part. ``trained`` counts the trainings that this
    call made; the others had been kept. ``predictions`` are the predicted classes of the test
    examples by policy, int64 ``(seeds, n)``.
    """

    rows: tuple[Row, ...]
    seeds: tuple[int, ...]
    baseline: str
    winner: str
    verdict: Verdict
    confidence: float
    curves: dict[str, dict[str, Any]]
    policies: dict[str, Arm]
    seconds: float
    trained: int
    predictions: dict[str, NDArray[np.int64]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def __getitem__(self, policy: str) -> Row:
        return next(row for row in self.rows if row.policy == policy)

    def __str__(self) -> str:
        """The table, a line a policy, and the verdict."""
        width = max(len(row.policy) for row in self.rows)
        lines = [f"{row.policy:{width}}  {_told(row)}" for row in self.rows]
        return "\n".join([*lines, self.verdict.text])

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.rows)} policies under {len(self.seeds)} seeds>"

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the rows and the verdict."""
        return {
            "rows": [asdict(row) for row in self.rows],
            "seeds": list(self.seeds),
            "baseline": self.baseline,
            "winner": self.winner,
            "verdict": asdict(self.verdict),
            "confidence": self.confidence,
        }


def compare(
    task: Any,
    policies: str | Arm | Sequence[str | Arm],
    *,
    seeds: int | Sequence[int] = 5,
    baseline: str | None = None,
    folder: str | os.PathLike[str] | None = None,
    jobs: int = 1,
    confidence: float = 0.95,
    progress: Callable[[list[Cell], int], Progress] | None = None,
    **options: Any,
) -> Comparison:
    """Train every policy under every seed and compare them pair by pair.

    ``policies`` are names, policies, or specs of augmenters (see `AugmenterSpec`); one alone is a
    list of one.

    ``task`` is a `Task`, a ``DATA`` string, arrays or a data set, and ``options`` (``model``,
    ``recipe``, ``limit``, ..) go to `automorph.training.as_task`.

    ``baseline`` (default: ``none`` if it is among the policies, else the first) is what
    differences are taken from. With a ``folder`` each finished training is kept there, and the
    same call does only what is missing. ``jobs`` trainings run side by side, each in its own
    process; in a script, more than one job needs the usual ``if __name__ == "__main__":``.
    Raises UsageError for policies or seeds that cannot be compared, and for a folder in which
    another process works; and for several policies without a validation part to choose by.
    """
    given = listed(policies)
    arms = [p if isinstance(p, AugmenterSpec) else load_policy(p) for p in given]
    task = as_task(task, **options)
    numbers = tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds)
    _check(arms, numbers, confidence)
    for arm in arms:
        check_domain(arm, task.data.domain, data=task.name)
    _check_choice(task, arms)
    names = [arm.name for arm in arms]
    base = _baseline(names, baseline)
    started = time.monotonic()
    with folder_lock(Path(folder)) if folder else nullcontext():
        place = _prepared(folder, task)
        results, trained = _results(task, arms, numbers, place, jobs, progress)
    rows = rows_of(names, numbers, results, base, confidence)
    winner = _winner(rows)
    verdict = _verdict(rows, arms, base, winner, numbers, confidence)
    return Comparison(
        rows, numbers, base, winner, verdict, confidence, curves_of(names, numbers, results),
        dict(zip(names, arms, strict=True)), time.monotonic() - started, trained,
        predictions_of(names, numbers, results),
    )  # fmt: skip


def listed(policies: Any) -> list[Any]:
    """What is compared as a list; one name or policy is a list of one.

    >>> listed("crop"), listed(("none", "crop"))
    (['crop'], ['none', 'crop'])
    """
    single = isinstance(policies, (str, os.PathLike, Policy, AugmenterSpec))
    if not (single or isinstance(policies, Iterable)):
        raise UsageError(
            f'got policies={policies!r:.60}; expected a list of them, as in ["none", "crop"]'
        )
    return [policies] if single else list(policies)


def _check(arms: list[Arm], seeds: tuple[int, ...], confidence: float) -> None:
    if not arms:
        raise UsageError("got no policy to compare; give at least one, as in --policy flip-crop")
    names = [arm.name for arm in arms]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"got these policies twice: {', '.join(twice)}; give each once")
    if not seeds or len(set(seeds)) < len(seeds):
        raise UsageError(f"got the seeds {list(seeds)}; expected at least one, all different")
    if not 0.5 <= confidence < 1:
        raise UsageError(f"got confidence={confidence:g}; expected a share from 0.5 to below 1")


def _check_choice(task: Task, arms: list[Arm]) -> None:
    """Refuse a choice that could only be made on the test part."""
    if len(arms) > 1 and task.data.validation is None:
        raise UsageError(
            f"{task.name} has no validation part, and {len(arms)} policies are compared; expected "
            "one to choose the winner by, since the test part must not: make it with "
            "automorph.data.split(data, validation=0.2)"
        )


def _baseline(names: list[str], wanted: str | None) -> str:
    if wanted is None:
        return "none" if "none" in names else names[0]
    name = wanted if wanted in names else load_policy(wanted).name
    if name not in names:
        raise UsageError(f"the baseline {name!r} is not compared; expected one of {names}")
    return name


def fingerprint(task: Task) -> dict[str, Any]:
    """What makes two trainings comparable: data, splits, model and recipe, as plain data."""
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


def _told(row: Row) -> str:
    if row.accuracy is None:
        return f"failed: {row.error}"
    gap = row.difference
    against = "" if gap is None else f"  {points(gap.mean)} ({interval(gap)})"
    return f"{100 * row.accuracy.mean:.1f} %{against}"


def _prepared(folder: str | os.PathLike[str] | None, task: Task) -> Path | None:
    """The folder of the run, made if need be; one of another task is refused."""
    if folder is None:
        return None
    path = Path(folder)
    record = path / "task.json"
    content = json.loads(json.dumps(fingerprint(task)))
    if record.exists():
        if read_json(record) != content:
            raise UsageError(
                f"the folder {path} holds a comparison of other data, model or recipe; "
                "choose another folder with --out, or remove that one"
            )
        return path
    write_json(record, content)
    return path


def _results(
    task: Task,
    arms: list[Arm],
    seeds: tuple[int, ...],
    folder: Path | None,
    jobs: int,
    progress: Callable[[list[Cell], int], Progress] | None,
) -> tuple[dict[Cell, Outcome], int]:
    """The outcome of every cell, and how many of them were trained now."""
    # Seed by seed, so that an interrupted comparison has pairs to show.
    cells = [Cell(arm, seed) for seed in seeds for arm in range(len(arms))]
    results: dict[Cell, Outcome] = {}
    for cell in cells:
        kept = folder and read_cell(cell_path(folder, arms[cell.arm], cell.seed))
        if kept:
            results[cell] = kept
    missing = [cell for cell in cells if cell not in results]
    if not missing:
        return results, 0
    report = progress(cells, len(results)) if progress else None
    for cell, outcome in run_cells(task, arms, missing, jobs=jobs, progress=report):
        results[cell] = outcome
        if folder and isinstance(outcome, dict):
            write_cell(cell_path(folder, arms[cell.arm], cell.seed), outcome)
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
    arms: list[Arm],
    base: str,
    winner: str,
    seeds: tuple[int, ...],
    confidence: float,
) -> Verdict:
    won = next(row for row in rows if row.policy == winner)
    control = _control(rows, arms, {winner, base})
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


def is_control(arm: Any) -> bool:
    """Whether it is a random policy, or has one among its stages."""
    return isinstance(arm, Policy) and any(isinstance(one, RandomPolicy) for one in stages_of(arm))


def _control(rows: tuple[Row, ...], arms: Sequence[Any], others: set[str]) -> Row | None:
    """The strongest random policy, by validation accuracy: the one that has to be beaten."""
    random = [
        row
        for row, arm in zip(rows, arms, strict=True)
        if row.accuracy and row.policy not in others and is_control(arm)
    ]
    return max(random, key=_standing, default=None)


def _standing(row: Row) -> float:
    """Rank a policy by validation accuracy; the test part never chooses."""
    return row.validation.mean if row.validation else 0.0


def hardware() -> str:
    """This machine in a few words."""
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    return f"{platform.machine()}, {os.cpu_count()} cores, {device}, {platform.system()}"
