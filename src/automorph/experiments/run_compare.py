"""Compare policies: same seeds for all, intervals, cost, one evaluation on the test part."""

from __future__ import annotations

import os
import platform
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from automorph.bars import in_notebook_only, of_trainings
from automorph.data import split_hashes
from automorph.errors import UsageError
from automorph.experiments.command import Command
from automorph.experiments.comparison import Comparison, verdict_of, winner_of
from automorph.experiments.cross_validated import OUT_OF_FOLD, nested_choice, seeds_of
from automorph.experiments.executor import Executor
from automorph.experiments.executors import check_executor, open_executor
from automorph.experiments.external import ExternalTask, Objective, external_task
from automorph.experiments.external_table import external_rows
from automorph.experiments.external_training import check_external
from automorph.experiments.full_training import FullTraining
from automorph.experiments.job import JobResult, Treatment
from automorph.experiments.metric import ACCURACY, Metric, metric_for
from automorph.experiments.metric_leaders import leaders_of, why_leaders_differ
from automorph.experiments.one_seed import REMARK, over_examples
from automorph.experiments.own_networks import uncounted_networks
from automorph.experiments.remarks import (
    always_one,
    constant_answers,
    idle_policies,
    never_called,
    not_converged,
    repeated_trainings,
    unfinished_schedules,
    use_of_unlabelled,
)
from automorph.experiments.store import FileLog, Log, Store
from automorph.experiments.table import (
    Cell,
    Progress,
    curves_of,
    epochs_of,
    policy_of,
    predictions_of,
    rows_of,
)
from automorph.experiments.version_1 import read_cell
from automorph.files import folder_lock, read_json
from automorph.policies import Policy, check_domain, former, load_policy
from automorph.targets import check_target
from automorph.training import (
    AugmenterSpec,
    Task,
    as_augmenter,
    as_task,
    check_augmenter,
    check_frozen,
    from_version_1,
    metrics_of,
    task_identity,
)

SEEDS = 5
"""Paired seeds of a comparison without folds."""


def compare(
    task: Any = None,
    policies: str | Treatment | Sequence[str | Treatment] = (),
    *,
    objective: str | Command | Objective | None = None,
    seeds: int | Sequence[int] | None = None,
    baseline: str | None = None,
    folder: str | os.PathLike[str] | None = None,
    log: Log | None = None,
    engine: str = "processes",
    jobs: int = 1,
    address: str | None = None,
    accept_versions: bool = False,
    same_epochs: bool = False,
    confidence: float = 0.95,
    progress: Callable[[list[Cell], int], Progress] | None = None,
    **options: Any,
) -> Comparison:
    """Train every policy under every seed (default: 5) and compare them seed by seed.

    ``policies`` are names, policies, or augmenter specs (see `AugmenterSpec`); a single one may be
    given without a list.

    ``task`` is a `Task`, a ``DATA`` string, arrays or a data set, and ``options`` (``model``,
    ``recipe``, ``metric``, ``limit``, ..) are passed to `automorph.training.as_task`. To compare
    policies in training code of your own, pass ``objective`` instead: a function
    ``(policy, seed, budget)`` that trains and returns a mapping such as ``{"validation": 0.913}``
    (see `Budget` and `write_result`), or a `Command`. ``options`` are then ``epochs``, ``name``,
    ``domain`` and ``resumable`` (see `external_task`).

    With ``folds`` (and ``repeats``, default 2) among the options, no parts are split off: every
    policy trains once for each fold of each repeat, on the same folds, and is measured on the
    examples of that fold (see `automorph.data.with_folds`). The intervals allow for training sets
    that overlap (Nadeau and Bengio 2003; see `paired_difference`).

    Differences are taken from ``baseline`` (default: ``none`` if it is among the policies, else the
    first). With a ``folder``, each finished training is saved there, and a repeated call trains
    only what is missing. ``log`` keeps them elsewhere than in the folder. ``accept_versions``
    continues a comparison that was begun with other versions of the libraries that decide pixels,
    and notes it in ``remarks``.

    With the recipe's ``epochs="auto"`` each training ends when it has converged. ``same_epochs``
    then trains every policy as long as the longest of these trainings; if the two readings differ,
    ``remarks`` states both.

    ``engine`` is ``processes`` (``jobs`` trainings in parallel; a script with more than one needs
    the guard ``if __name__ == "__main__":``), ``local`` (one after the other) or ``ray`` (on the
    cluster at ``address``, else on this machine). Each training runs on one thread, and the table
    is the same on each.

    Raises UsageError for policies or seeds that cannot be compared, for a folder that another
    process uses, and for several policies without a validation part to choose by.
    """
    given = listed(policies)
    treatments = [p if isinstance(p, AugmenterSpec) else load_policy(p) for p in given]
    task = the_task(task, objective, options, folder)
    data = None if isinstance(task, ExternalTask) else task.data
    folds = None if data is None else data.folds
    of_classes = data is None or data.target == "classes"
    numbers = seeds_of(folds, seeds, SEEDS)
    _check(treatments, numbers, confidence)
    if isinstance(task, ExternalTask):
        for treatment in treatments:
            check_domain(check_external(task, treatment), task.domain, data=task.name)
    else:
        check_target(task.data.target, "compare")
        for treatment in treatments:
            check_domain(treatment, task.data.domain, data=task.name)
            check_augmenter(as_augmenter(treatment), task.data, treatment.name)
            check_frozen(task, as_augmenter(treatment), treatment.name)
        _check_choice(task, treatments)
    names = [treatment.name for treatment in treatments]
    base = _baseline(names, baseline)
    started = time.monotonic()
    check_executor(engine, address)
    with ExitStack() as stack:
        path = Path(folder) if folder else Path(stack.enter_context(TemporaryDirectory()))
        stack.enter_context(folder_lock(path))
        store = _opened(path if folder else None, log, task, accept_versions)
        older = (lambda job: None) if isinstance(task, ExternalTask) else partial(read_cell, path)
        treatments = _begun(
            treatments, numbers, lambda job: bool(store.get(job) or older(job)), path
        )
        place_of_base = names.index(base)
        names = [treatment.name for treatment in treatments]
        base = names[place_of_base]
        # Seed by seed, so that an interrupted comparison has complete pairs.
        cells = {
            Cell(place, seed): FullTraining(policy=treatment, seed=seed)
            for seed in numbers
            for place, treatment in enumerate(treatments)
        }
        store.check_operations(one for named in treatments for one in policy_of(named).space)
        if progress is None and (bars := stack.enter_context(in_notebook_only())):
            progress = partial(of_trainings, bars)
        finish = partial(
            _results, store,
            open_=partial(open_executor, engine, task, path, jobs=jobs, address=address),
            older=older, progress=progress,
        )  # fmt: skip
        results, trained = finish(cells)
        own_lengths = results
        if same_epochs and not isinstance(task, ExternalTask):
            results, more = finish(_as_long_as_the_longest(cells, results))
            trained += more
    if isinstance(task, ExternalTask):
        made = external_rows(names, numbers, results, base, confidence)
        rows, numbers, metric = made.rows, made.seeds, made.metric
        remarks, curves, predictions = (*store.remarks, *made.remarks), {}, {}
        also: tuple[Metric, ...] = ()
        leaders: dict[str, str] = {}
    else:
        scorers = task.scorers if task.asks_metrics else ()
        metric, *further = map(metric_for, scorers) if scorers else (ACCURACY,)
        if folds is not None:
            metric = replace(metric, part=OUT_OF_FOLD.part)
        also = tuple(further)
        overlap = 0.0 if folds is None else folds.overlap
        rows = rows_of(names, numbers, results, base, confidence, scorers, overlap=overlap)
        alone = len(numbers) == 1 and len(names) > 1 and bool(scorers)
        if alone:
            rows = over_examples(rows, task, numbers[0], results, base, confidence)
        curves = curves_of(names, numbers, results)
        predictions = predictions_of(names, numbers, results, folds)
        leaders = leaders_of(names, numbers, results, scorers) if also else {}
        remarks = (
            *(
                why_leaders_differ(
                    leaders, scorers, names, numbers, results, task.data,
                    confidence=confidence, overlap=overlap,
                )
                if leaders and of_classes else ()
            ),
            *(
                nested_choice(
                    names, results, base, folds, confidence, scorers[0] if scorers else None
                )
                if folds else ()
            ),
            *store.remarks,
            *(constant_answers(predictions, task.data.classes) if of_classes else ()),
            *not_converged(names, results), *repeated_trainings(names, results),
            *uncounted_networks(treatments),
            *unfinished_schedules(treatments, task.recipe.epochs),
            *(idle_policies(treatments, task) if trained else ()),
            *use_of_unlabelled(treatments, task),
            *never_called(predictions, scorers), *((REMARK,) if alone else ()),
        )  # fmt: skip
    own_code = isinstance(task, ExternalTask)
    winner = winner_of(rows, metric, own=own_code)
    verdict, advice = verdict_of(
        rows, treatments, base, winner, numbers, confidence, metric,
        constant=of_classes and always_one(predictions.get(winner, ())), data=data,
    )  # fmt: skip
    if own_lengths is not results:
        own = rows_of(names, numbers, own_lengths, base, confidence, scorers, overlap=overlap)
        best = winner_of(own, metric)
        other, its_advice = verdict_of(
            own, treatments, base, best, numbers, confidence, metric, data=data
        )
        if (best, other.kind) != (winner, verdict.kind):
            text = other.text.removesuffix(its_advice.text).rstrip()  # Only one recommendation.
            remarks = (
                *remarks,
                "The table has the same epochs for all policies. If each policy trains until it "
                f"has converged, the result is another: {text}",
            )
    return Comparison(
        rows, numbers, base, winner, verdict, confidence, curves,
        dict(zip(names, treatments, strict=True)), time.monotonic() - started, trained,
        predictions, remarks=remarks, metric=metric, advice=advice, also=also, folds=folds,
        leaders=leaders,
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
    has_choice = task.data.validation is not None or task.data.folds is not None
    if len(treatments) > 1 and not has_choice:
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


def the_task(
    task: Any,
    objective: Any,
    options: dict[str, Any],
    folder: str | os.PathLike[str] | None = None,
) -> Task | ExternalTask:
    """Return the task of a call: from data, or from the user's own training code."""
    if objective is not None and task is not None:
        raise UsageError(
            "got data and an objective; expected one of them: the objective reads its own data"
        )
    if isinstance(task, ExternalTask) and not options:
        return task
    if objective is not None:
        if given := [name for name in ("folds", "repeats") if options.pop(name, None)]:
            raise UsageError(
                f"got {' and '.join(given)} with an objective; expected none, because the "
                "objective divides its own data: choose the fold by the seed that it is given"
            )
        return external_task(objective, **options)
    if task is None:
        raise UsageError(
            "got neither data nor an objective; expected one of them, such as 'digits' or "
            "objective=train"
        )
    return as_task(task, run_folder=folder, **options)


def identity_of(task: Task | ExternalTask) -> dict[str, Any]:
    """Return all that trainings of a task are known to depend on, as plain data."""
    return task.describe() if isinstance(task, ExternalTask) else task_identity(task)


def fingerprint(task: Task | ExternalTask) -> dict[str, Any]:
    """Return the settings by which run folders are named: data, splits, model, recipe.

    What decides whether two runs are the same is `identity_of`.
    """
    if isinstance(task, ExternalTask):
        return task.describe()
    seen = task.data.train.data
    return {
        "data": task.data.name,
        "hash": task.data.hash,
        "parts": split_hashes(task.data),
        **({"window": [window.low, window.high]} if (window := task.data.window) else {}),
        "model": task.network,
        "recipe": task.recipe.to_dict(),
        **({"seen": seen.describe()} if hasattr(seen, "describe") else {}),
        **({"protect": list(task.protect)} if task.protect else {}),
        **({"folds": task.data.folds.describe()} if task.data.folds else {}),
        **metrics_of(task),
    }


def _opened(
    folder: Path | None, log: Log | None, task: Task | ExternalTask, accept_versions: bool
) -> Store:
    """Open the store of a comparison; reject the folder of another task."""
    if log is None and folder is not None:
        log = FileLog(folder)
    older = None
    if folder is not None and (record := folder / "task.json").exists():
        older = {"task": read_json(record)}
    upgrade = dict if isinstance(task, ExternalTask) else partial(from_version_1, task=task)
    return Store(
        {"task": identity_of(task)}, log,
        verb="comparison", older=older, upgrade=upgrade, accept_versions=accept_versions,
    )  # fmt: skip


def _begun(
    treatments: list[Treatment],
    seeds: tuple[int, ...],
    known: Callable[[FullTraining], bool],
    folder: Path,
) -> list[Treatment]:
    """Return the treatments; a name keeps the meaning under which the folder was begun."""

    def finished(one: Treatment) -> bool:
        return any(known(FullTraining(policy=one, seed=seed)) for seed in seeds)

    kept: list[Treatment] = []
    for treatment in treatments:
        older = former(treatment) if isinstance(treatment, Policy) else treatment
        if older != treatment and finished(older) and not finished(treatment):
            warnings.warn(
                f"{folder} was begun with what {treatment.name!r} meant in version 0.1, and "
                "continues with it; choose another folder for what it means now",
                stacklevel=3,
            )
            treatment = older
        kept.append(treatment)
    return kept


def _as_long_as_the_longest(
    cells: dict[Cell, FullTraining], results: dict[Cell, JobResult]
) -> dict[Cell, FullTraining]:
    """Return the trainings at the length of the longest one; that length keeps its own cells."""
    lengths = {cell: epochs_of(found) for cell, found in results.items() if not found.error}
    longest = max(lengths.values(), default=0)
    return {
        cell: job if lengths.get(cell, longest) == longest else replace(job, epochs=longest)
        for cell, job in cells.items()
    }


def _results(
    store: Store,
    cells: dict[Cell, FullTraining],
    *,
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


def hardware() -> str:
    """Return a short description of this machine."""
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    return f"{platform.machine()}, {os.cpu_count()} cores, {device}, {platform.system()}"
