"""`patch`: audit, translate, check, retrain, and compare with simpler methods."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from automorph.data import Split, open_test, same_names
from automorph.errors import UsageError
from automorph.experiments import (
    FileLog,
    Store,
    check_executor,
    constant_answers,
    open_executor,
)
from automorph.files import atomic_write, folder_lock, read_json, write_json
from automorph.robustness.audit_result import Audit, measure
from automorph.robustness.builtin import Robust, load_method
from automorph.robustness.group_metric import check_choosing
from automorph.robustness.groups import Grouper, grouper_of, notes_on
from automorph.robustness.model_card import model_card
from automorph.robustness.patch_evidence import evidence_on
from automorph.robustness.patch_metrics import patched_metrics
from automorph.robustness.patch_notes import as_begun, notes_on_trainings
from automorph.robustness.patch_result import Patched, judge
from automorph.robustness.patch_trainings import judging_renderings, objectives_of, train_objectives
from automorph.robustness.robust import check_balance
from automorph.robustness.translated import translate_part
from automorph.robustness.translators.base import Translator
from automorph.robustness.translators.builtin import check_names
from automorph.robustness.translators.checks import Limits
from automorph.robustness.translators.cyclegan import CycleRecipe
from automorph.robustness.translators.cyclegan_translator import Fitting
from automorph.robustness.translators.selection import choose_translator
from automorph.robustness.treatments import PatchCell, PatchContext, Progress, run_treatments
from automorph.robustness.untested import untested_groups
from automorph.targets import check_target
from automorph.training import (
    Evaluation,
    Task,
    as_task,
    as_two_classes,
    from_version_1,
    load_trained,
    read_checkpoint,
    read_facts,
    refuse_folds,
    task_identity,
    weights_file,
    write_checkpoint,
)

BASELINES = ("erm", "balanced", "gdro")
"""The objectives that every patch is compared with."""


def patch(
    task: Any,
    *,
    translator: str | Translator = "auto",
    objective: str | Robust = "auto",
    baselines: Sequence[str] = BASELINES,
    checkpoint: str | os.PathLike[str] | None = None,
    seeds: int | Sequence[int] = 5,
    folder: str | os.PathLike[str] = "patched",
    engine: str = "processes",
    jobs: int = 1,
    address: str | None = None,
    accept_versions: bool = False,
    cyclegan: CycleRecipe | None = None,
    limits: Limits | None = None,
    maps: bool | None = None,
    progress: Callable[[list[PatchCell]], Progress] | None = None,
    fitting: Fitting | None = None,
    **options: Any,
) -> Patched:
    """Mend a model that fails on a subgroup, and compare the result with simpler objectives.

    ``task`` is a `Task`, a ``DATA`` string, arrays or a data set with subgroups; ``options``
    (``model``, ``recipe``, ``subgroup``, ..) go to `automorph.training.as_task`. ``metric`` (of a
    `Task`: its own) chooses epoch, objective and seed by its value in the worst subgroup of the
    validation part; the default is robust accuracy, that of the worst group of one class and one
    subgroup. ``also`` are metrics that are shown.

    - ``translator``: ``auto``, ``statistics``, ``masked-cyclegan``, ``cyclegan``, ``matched``,
      ``background``, ``inpaint``, ``exact``, for texts
      ``word-swap``, ``none``, a function ``module:function`` or a translator; it is checked before
      use, and one that fails is replaced, with a note (see `choose_translator`). ``cyclegan``
      configures its training, ``limits`` are those of the checks;
    - ``objective``: a robust objective (see `load_method`), or ``auto``: ``camel(weight=1)`` is
      trained beside the baselines (without translations ``sgdro``), and the best by robust
      validation accuracy (or the ``metric``) is used, where one that is more complicated than
      balanced sampling must beat it by two standard errors. ``baselines`` are trained under the
      same seeds;
    - ``checkpoint``: a ``model.safetensors`` to start from, and to mend; if it predicts several
      labels and the data are one of them (``label_of``), its decisions about that label;
    - ``folder`` stores everything; the same call resumes an interrupted one, and with
      ``accept_versions`` one that was begun with other versions of the libraries that decide
      pixels;
    - ``engine``: ``processes`` (``jobs`` trainings in parallel), ``local`` or ``ray`` (at
      ``address``, else on this machine). The result is the same on each;
    - ``maps``: saliency maps with captum; None: if it is installed.

    Epoch, objective and seed are chosen on the validation part; the test part is used once, for the
    final numbers. Raises `UsageError` or `DataError` for data that cannot be patched.
    """
    began = time.monotonic()
    asked = objective if objective == "auto" else load_method(objective).name
    if isinstance(translator, str):
        check_names(translator)
    check_executor(engine, address)
    numbers = tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds)
    if not isinstance(task, Task) and options.get("metric") is None:
        options["metric"] = "accuracy"  # The groups are balanced already: one class in each.
    task = as_task(task, run_folder=folder, **options)
    check_target(task.data.target, "patch")
    refuse_folds(task, "patch")
    grouper = grouper_of(task.data)
    _check(task, numbers)
    left_out = check_choosing(task, grouper, [asked, *baselines])
    if checkpoint is not None:
        task = _begin_with(task, Path(checkpoint), Path(folder))
    with folder_lock(Path(folder)):
        path = Path(folder)
        store = _opened(path, task, accept_versions)
        choice = choose_translator(
            translator, task.data, recipe=cyclegan, limits=limits, folder=path, progress=fitting,
            protect=task.protect,
        )  # fmt: skip
        renderings = (
            None
            if choice.translator is None
            else translate_part(choice.translator, task.data.train, folder=path)
        )
        judged = judging_renderings(task, grouper, choice.translator, path)
        setting = PatchContext(task, renderings, path, judged)
        open_ = partial(open_executor, engine, setting, path, jobs=jobs, address=address)
        names, notes = objectives_of(asked, baselines, setting)
        names, changed = as_begun(names, setting, numbers)
        chosen = train_objectives(setting, names, asked, numbers, store, open_, progress)
        models = {
            "before": _before(task, setting, numbers[0], store, given=checkpoint is not None),
            "after": _trained(task, chosen.source),
        }
        evidence = evidence_on(task, models, choice.translator, renderings, maps)
        before, after = (
            _audit(grouper, open_test(task.data), evidence.seen[name]) for name in models
        )
        metrics = patched_metrics(
            task, models, evidence.seen, evidence.subgroups, names, numbers, chosen.numbers
        )
        untested = untested_groups(
            task, choice.translator, models, evidence.seen, chosen.numbers,
            lambda cell: _trained(task, setting.checkpoint(cell, chosen.numbers[cell])),
        )  # fmt: skip
        by = None if task.metric == "accuracy" else metrics[0]
        verdict = judge(chosen.rows, chosen.objective, before, after, numbers, by, untested)
        answers = {f"the model {name}": seen.predictions for name, seen in evidence.seen.items()}
        all_notes = (
            *notes_on(task.data, grouper), *left_out, *choice.notes, *notes, *changed,
            *store.remarks,
            *notes_on_trainings(chosen.numbers, grouper),
            *constant_answers(answers, task.data.classes),
        )  # fmt: skip
        result = Patched(
            before, after, chosen.rows, chosen.objective, chosen.seed, choice, verdict,
            evidence.flips, evidence.on_mark, all_notes, numbers,
            path / "mended.safetensors", path / "MODEL_CARD.md",
            models["after"], evidence.looks, time.monotonic() - began, task.scorer.title, metrics,
            untested,
        )  # fmt: skip
        _write(result, chosen.source, task, grouper)
        return result


def _check(task: Task, seeds: tuple[int, ...]) -> None:
    if not seeds or len(set(seeds)) < len(seeds):
        raise UsageError(f"got the seeds {list(seeds)}; expected at least one, all different")
    check_balance(task)
    missing = {"validation", "test"} - set(task.data.parts)
    if missing:
        raise UsageError(
            f"{task.name} has no {' and no '.join(sorted(missing))} part; expected both: split "
            "off the missing parts with automorph.data.split(data)"
        )


def _begin_with(task: Task, checkpoint: Path, folder: Path) -> Task:
    """Return the task with the user's weights, network and normalisation as its start.

    A network of several labels is written to the folder as one of two classes.
    """
    file = weights_file(checkpoint)
    if (two := as_two_classes(file, task.data.classes)) is not None:
        label = task.data.classes[1]
        line = f"the start predicts several labels; it decides about {label!r} as before"
        task, file = replace(task, data=task.data.noting(line)), folder / "start.safetensors"
        folder.mkdir(parents=True, exist_ok=True)
        write_checkpoint(file, *two)
    trained = load_trained(file, model=_shell(task))
    if not same_names(trained.classes, task.data.classes):
        raise UsageError(
            f"{file} was trained on the classes {list(trained.classes)}; the data have "
            f"{list(task.data.classes)}. Expected the same classes in the same order"
        )
    model = read_facts(file)["model"] or task.model
    return replace(
        task, start=file, model=model, weights=None,
        encoder=trained.encoder or task.encoder,
    )  # fmt: skip


def _shell(task: Task) -> nn.Module | None:
    """Return an untrained network if only the user's own code can build it."""
    return None if isinstance(task.model, str) else task.build(0)


def _opened(folder: Path, task: Task, accept_versions: bool) -> Store:
    """Open the store of a patch; reject the folder of another one."""
    record = folder / "task.json"
    older = {"task": read_json(record)} if record.exists() else None
    return Store(
        {"task": task_identity(task)}, FileLog(folder), verb="patch", older=older,
        upgrade=partial(from_version_1, task=task), accept_versions=accept_versions,
    )  # fmt: skip


def _before(
    task: Task,
    setting: PatchContext,
    seed: int,
    store: Store,
    *,
    given: bool,
) -> nn.Module:
    """Return the model to be mended: the user's, or a plain training."""
    if given:
        assert task.start is not None
        return _trained(task, task.start)
    plain = PatchCell("erm", seed)
    facts = run_treatments(setting, [plain], store)[plain]
    return _trained(task, setting.checkpoint(plain, facts))


def _trained(task: Task, weights: Path) -> nn.Module:
    return load_trained(weights, model=_shell(task)).model


def _audit(grouper: Grouper, part: Split, seen: Evaluation) -> Audit:
    return measure(
        seen.labels, seen.predictions, grouper.of(part), grouper,
        probabilities=seen.target.probabilities(seen.logits),
    )  # fmt: skip


def _write(result: Patched, source: Path, task: Task, grouper: Grouper) -> None:
    """Write the mended checkpoint, its card and the result; each file atomically."""
    tensors, facts = read_checkpoint(source)
    content = result.to_dict()
    mending = {key: content[key] for key in ("objective", "seed", "seeds", "before", "after")}
    write_checkpoint(result.checkpoint, tensors, {**facts, "patched": mending})
    with atomic_write(result.card) as temporary:
        temporary.write_text(model_card(content, task, grouper), "utf-8")
    write_json(result.checkpoint.with_name("patch.json"), content)
