"""`patch`: audit, translate, check, retrain, compare with what is simpler, prove it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from automorph.comparison import (
    Difference,
    Summary,
    fingerprint,
    paired_difference,
    summarise,
)
from automorph.comparison.verdict import Kind, Verdict, interval, points
from automorph.data import Arrays
from automorph.errors import UsageError
from automorph.files import whole_file, write_json
from automorph.patching.arms import Cell, Progress, Setting, run_arms
from automorph.patching.card import model_card
from automorph.patching.checks import Limits
from automorph.patching.choice import Choice, check_names, choose_translator
from automorph.patching.cyclegan import CycleRecipe
from automorph.patching.findings import Audit, measure
from automorph.patching.groups import Grouper, grouper_of, notes_on
from automorph.patching.learned import Fitting
from automorph.patching.methods import Robust, load_method
from automorph.patching.saliency import available, overlay, saliency, share_on_mark
from automorph.patching.translated import Translated, translate_part
from automorph.patching.translators import Translator, known_of
from automorph.training import Evaluation, Task, as_task, evaluate, load_trained
from automorph.training.checkpoint import read_checkpoint, write_checkpoint

BASELINES = ("erm", "balanced", "gdro")
"""What every patch is held against."""
ENOUGH = 100
"""Validation examples of the rarest group by which objectives can be told apart."""
SHOWN = 2
"""Images of a group whose saliency is shown."""
MAPPED = 50
"""Images of a group over which the share of saliency on the mark is averaged."""


@dataclass(frozen=True)
class ArmRow:
    """One objective over the seeds, on the test part; ``selected`` is what chose among arms."""

    objective: str
    robust_accuracy: Summary
    accuracy: Summary
    gap: dict[str, Summary]
    mutual_information: Summary
    selected: Summary
    seconds: Summary
    difference: Difference | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data; shares as fractions, gaps and their values in points."""
        plain = {
            "objective": self.objective,
            "robust_accuracy": vars(self.robust_accuracy),
            "accuracy": vars(self.accuracy),
            "gap": {name: vars(one) for name, one in self.gap.items()},
            "mutual_information": vars(self.mutual_information),
            "validation_robust_accuracy": vars(self.selected),
            "seconds": vars(self.seconds),
            "difference": None if self.difference is None else vars(self.difference),
        }
        return plain


@dataclass(frozen=True, eq=False)
class Patched:
    """What came of a patch.

    ``before`` and ``after`` are audits of the test part; ``arms`` the objectives under paired
    seeds, with differences from balanced sampling; ``objective`` what mended the model, ``seed``
    the training of it that was kept; ``flips`` how often a prediction changes with the subgroup,
    before and after; ``on_mark`` how much of the saliency lies there, relative to the area;
    ``looks`` are pictures for the report.
    """

    before: Audit
    after: Audit
    arms: tuple[ArmRow, ...]
    objective: str
    seed: int
    choice: Choice
    verdict: Verdict
    flips: dict[str, float | None]
    on_mark: dict[str, float | None]
    notes: tuple[str, ...]
    seeds: tuple[int, ...]
    checkpoint: Path
    card: Path
    model: nn.Module
    looks: dict[str, Any]
    seconds: float

    def __getitem__(self, objective: str) -> ArmRow:
        return next(row for row in self.arms if row.objective == objective)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``--json`` prints it."""
        return {
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "arms": [row.to_dict() for row in self.arms],
            "objective": self.objective,
            "seed": self.seed,
            "seeds": list(self.seeds),
            "translator": self.choice.to_dict(),
            "verdict": vars(self.verdict),
            "flip_rate": self.flips,
            "saliency_on_mark": self.on_mark,
            "notes": list(self.notes),
            "checkpoint": str(self.checkpoint),
            "card": str(self.card),
            "seconds": self.seconds,
        }


def patch(
    task: Any,
    *,
    translator: str | Translator = "auto",
    objective: str | Robust = "auto",
    baselines: Sequence[str] = BASELINES,
    checkpoint: str | os.PathLike[str] | None = None,
    seeds: int | Sequence[int] = 5,
    folder: str | os.PathLike[str] = "patched",
    jobs: int = 1,
    recipe: CycleRecipe | None = None,
    limits: Limits | None = None,
    maps: bool | None = None,
    progress: Callable[[list[Cell]], Progress] | None = None,
    fitting: Fitting | None = None,
    **options: Any,
) -> Patched:
    """Mend a model that fails on a subgroup, and hold the result against what is simpler.

    ``task`` is a `Task`, a ``DATA`` string, arrays or a data set with subgroups; ``options``
    (``model``, ``subgroup``, ``limit``, ..) go to `automorph.training.as_task`.

    - ``translator``: ``auto``, ``cyclegan``, ``statistics``, ``matched``, ``exact``, for texts
      ``word-swap``, ``none``, a function ``module:function`` or a translator; it is checked before
      it is used, and one that fails is replaced, which the notes say (see `choose_translator`).
      ``recipe`` is that of a CycleGAN, ``limits`` those of the checks;
    - ``objective``: a robust objective (see `load_method`), or ``auto``: the best by robust
      validation accuracy, where one that is more complicated than balanced sampling must beat it
      by two standard errors. ``baselines`` are trained beside it under the same seeds;
    - ``checkpoint``: a ``model.safetensors`` to begin with, and to mend;
    - ``folder`` keeps everything; the same call goes on where it was stopped. ``jobs`` trainings
      run side by side;
    - ``maps``: saliency with captum; None: if it is installed.

    The epoch, the objective and the seed are chosen on the validation part; the test part is used
    once, for the numbers. Raises `UsageError` or `DataError` for what cannot be patched.
    """
    began = time.monotonic()
    asked = objective if objective == "auto" else load_method(objective).name
    if isinstance(translator, str):
        check_names(translator)
    numbers = tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds)
    task = as_task(task, **options)
    grouper = grouper_of(task.data)
    _check(task, numbers, jobs)
    if checkpoint is not None:
        task = _begin_with(task, Path(checkpoint))
    place = _prepared(Path(folder), task)
    choice = choose_translator(
        translator, task.data, recipe=recipe, limits=limits, folder=place, progress=fitting,
        protect=task.protect,
    )  # fmt: skip
    renderings = (
        None
        if choice.translator is None
        else translate_part(choice.translator, task.data.train, folder=place)
    )
    judged = _judged(task, grouper, choice.translator, place)
    setting = Setting(task, renderings, place, judged)
    names, notes = _arms(asked, baselines, renderings)
    if judged is not None:
        notes.append(
            f"The rarest group has fewer than {ENOUGH} validation examples: objectives were chosen "
            "by the robust accuracy on translated validation examples."
        )
    cells = [Cell(name, seed) for seed in numbers for name in names]
    found = run_arms(
        setting, cells, jobs=jobs, progress=None if progress is None else progress(cells)
    )
    rows = _rows(names, numbers, found)
    chosen = names[-1] if asked != "auto" else _best(rows)
    seed = max(numbers, key=lambda s: (found[Cell(chosen, s)]["selected"], -s))
    mended = load_trained(Path(found[Cell(chosen, seed)]["checkpoint"]), model=_shell(task)).model
    first = _before(task, setting, numbers[0], checkpoint)
    test = task.data.parts["test"]
    seen = {name: _seen(task, model) for name, model in (("before", first), ("after", mended))}
    flips = {
        name: _flips(task, model, choice.translator, seen[name])
        for name, model in (("before", first), ("after", mended))
    }
    looks, on_mark = _looks(task, first, mended, choice, renderings, maps, seen)
    before, after = (_audit(grouper, test, seen[name]) for name in ("before", "after"))
    verdict = _verdict(rows, chosen, before, after, numbers)
    all_notes = (*notes_on(task.data, grouper), *choice.notes, *notes)
    result = Patched(
        before, after, rows, chosen, seed, choice, verdict, flips, on_mark, all_notes, numbers,
        place / "mended.safetensors", place / "MODEL_CARD.md", mended, looks,
        time.monotonic() - began,
    )  # fmt: skip
    _write(result, Path(found[Cell(chosen, seed)]["checkpoint"]), task, grouper)
    return result


def _check(task: Task, seeds: tuple[int, ...], jobs: int) -> None:
    if not seeds or len(set(seeds)) < len(seeds):
        raise UsageError(f"got the seeds {list(seeds)}; expected at least one, all different")
    missing = {"validation", "test"} - set(task.data.parts)
    if missing:
        raise UsageError(
            f"{task.name} has no {' and no '.join(sorted(missing))} part; split one off: "
            "automorph.data.split(data)"
        )


def _begin_with(task: Task, checkpoint: Path) -> Task:
    """The task whose trainings begin with the user's weights, network and normalisation."""
    file = checkpoint / "model.safetensors" if checkpoint.is_dir() else checkpoint
    trained = load_trained(file, model=_shell(task))
    if trained.classes != task.data.classes:
        raise UsageError(
            f"{file} was trained for the classes {list(trained.classes)}; the data have "
            f"{list(task.data.classes)}. Expected the same classes in the same order"
        )
    _, facts = read_checkpoint(file)
    return replace(
        task, start=file, model=facts["model"] or task.model,
        encoder=trained.encoder or task.encoder,
    )  # fmt: skip


def _shell(task: Task) -> nn.Module | None:
    """An untrained network, where only the user's own code can build it."""
    return None if isinstance(task.model, str) else task.build(0)


def _prepared(folder: Path, task: Task) -> Path:
    record = folder / "task.json"
    start = None if task.start is None else str(task.start)
    content = json.loads(json.dumps({**fingerprint(task), "start": start}))
    if record.exists():
        if json.loads(record.read_text("utf-8")) != content:
            raise UsageError(
                f"the folder {folder} holds a patch of other data, model or recipe; choose "
                "another folder with --out, or remove that one"
            )
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    write_json(record, content)
    return folder


def _arms(
    asked: str, baselines: Sequence[str], renderings: Translated | None
) -> tuple[list[str], list[str]]:
    """The objectives to train, the mending one last, and what must be said of it."""
    names = [load_method(name).name for name in baselines]
    notes = []
    wanted = load_method(asked if asked != "auto" else "camel" if renderings else "sgdro")
    if wanted.needs_renderings and renderings is None:
        wanted = load_method("balanced")
        notes.append(
            f"{asked} needs translated examples and there are none: balanced sampling mends "
            "instead."
        )
    names = [name for name in names if name != wanted.name]
    return [*names, wanted.name], notes


def _judged(
    task: Task, grouper: Grouper, translator: Translator | None, folder: Path
) -> Translated | None:
    """Renderings of the validation part, where its groups are too small to choose by."""
    validation = task.data.parts["validation"]
    counts = grouper.counts(validation)
    rare = counts[grouper.counts(task.data.train) > 0].min() < ENOUGH
    if translator is None or not rare:
        return None
    return translate_part(translator, validation, folder=folder)


def _rows(
    names: list[str], seeds: tuple[int, ...], found: dict[Cell, dict[str, Any]]
) -> tuple[ArmRow, ...]:
    def over(name: str, *keys: str) -> Summary:
        values = []
        for seed in seeds:
            value: Any = found[Cell(name, seed)]
            for key in keys:
                value = value[key]
            values.append(float(value))
        return summarise(values)

    rows = []
    for name in names:
        gaps = found[Cell(name, seeds[0])]["test"]["gap"]
        robust = over(name, "test", "robust_accuracy")
        difference = None
        if "balanced" in names and name != "balanced":
            base = over("balanced", "test", "robust_accuracy")
            difference = paired_difference(robust.values, base.values)
        rows.append(
            ArmRow(
                name, robust, over(name, "test", "accuracy"),
                {y: over(name, "test", "gap", y) for y in gaps},
                over(name, "test", "mutual_information"),
                over(name, "selected"), over(name, "seconds"), difference,
            )
        )  # fmt: skip
    return tuple(rows)


def _best(rows: tuple[ArmRow, ...]) -> str:
    """The best by robust validation accuracy; beyond balanced sampling, by two standard errors."""
    by_name = {row.objective: row for row in rows}
    simple = by_name.get("balanced", rows[0])
    ranked = sorted(rows, key=lambda row: -row.selected.mean)
    if ranked[0].objective == "erm":
        return "erm"
    for row in ranked:
        if row is simple:
            break
        values = np.subtract(row.selected.values, simple.selected.values)
        enough = len(values) < 3 or values.mean() > 2 * values.std(ddof=1) / np.sqrt(len(values))
        if enough and row.objective != "erm" and values.mean() > 0:
            return row.objective
    return simple.objective


def _before(
    task: Task, setting: Setting, seed: int, checkpoint: str | os.PathLike[str] | None
) -> nn.Module:
    """The model to be mended: the user's, or plain training."""
    if checkpoint is not None:
        return load_trained(Path(checkpoint), model=_shell(task)).model
    file = setting.place(Cell("erm", seed)) / "model.safetensors"
    if not file.exists():
        run_arms(setting, [Cell("erm", seed)])
    return load_trained(file, model=_shell(task)).model


def _seen(task: Task, model: nn.Module) -> Evaluation:
    return evaluate(model, task.data.parts["test"], encoder=task.encoder)


def _audit(grouper: Grouper, part: Arrays, seen: Evaluation) -> Audit:
    grown = np.exp(seen.logits - seen.logits.max(axis=1, keepdims=True))
    shares = grown / grown.sum(axis=1, keepdims=True)
    return measure(seen.labels, seen.predictions, grouper.of(part), grouper, probabilities=shares)


def _flips(
    task: Task, model: nn.Module, translator: Translator | None, seen: Evaluation
) -> float | None:
    """P(argmax f(x) != argmax f(T(x))) on the test part, T into every other subgroup."""
    if translator is None:
        return None
    test = task.data.parts["test"]
    known = known_of(test)
    flipped, count = 0, 0
    for direction in sorted({b for _, b in translator.directions}):
        sources = [a for a, b in translator.directions if b == direction]
        rows = np.flatnonzero(np.isin(known.subgroups, sources))
        if not len(rows):
            continue
        made = translator.translate(test.data[rows], direction, known.rows(rows))
        said = evaluate(model, Arrays(made, test.labels[rows]), encoder=task.encoder).predictions
        flipped += int((said != seen.predictions[rows]).sum())
        count += len(rows)
    return flipped / count if count else None


def _looks(
    task: Task,
    first: nn.Module,
    mended: nn.Module,
    choice: Choice,
    renderings: Translated | None,
    maps: bool | None,
    seen: dict[str, Evaluation],
) -> tuple[dict[str, Any], dict[str, float | None]]:
    """Pictures: what the translator makes, and where the networks look on the same images."""
    test, names = task.data.parts["test"], task.data.subgroup_names
    groups = grouper_of(task.data).of(test)
    looks: dict[str, Any] = {}
    on_mark: dict[str, float | None] = {"before": None, "after": None}
    if renderings is not None:
        looks["sheet"] = _sheet(task, renderings)
    if task.data.domain == "text" or maps is False or (maps is None and not available()):
        return looks, on_mark
    rows = _spread(groups, MAPPED)
    images, labels = test.data[rows], test.labels[rows]
    found = {
        name: saliency(model, images, labels, encoder=task.encoder)
        for name, model in (("before", first), ("after", mended))
    }
    if choice.translator is not None:
        known = known_of(test).rows(rows)
        for name, some in found.items():
            shares = []
            for a, b in sorted(choice.translator.directions):
                own = np.flatnonzero(known.subgroups == a)
                if len(own):
                    others = choice.translator.translate(images[own], b, known.rows(own))
                    shares.append(share_on_mark(some[own], images[own], others))
            known_shares = np.concatenate(shares) if shares else np.array([np.nan])
            known_shares = known_shares[np.isfinite(known_shares)]
            on_mark[name] = float(known_shares.mean()) if len(known_shares) else None
    few = np.concatenate([np.flatnonzero(groups[rows] == g)[:SHOWN] for g in np.unique(groups)])
    shown = images[few]
    if shown.shape[-1] != 3:
        shown = np.repeat(shown[..., :1], 3, axis=3)
    pairs = [overlay(images[few], found[name][few]) for name in ("before", "after")]
    looks["saliency"] = {
        "images": np.stack([shown, *pairs], axis=1),
        "labels": [
            f"{task.data.classes[labels[i]]}, {names[int(test.subgroups[rows[i]])]}"  # type: ignore[index]
            for i in few
        ],
        "said": [
            [
                task.data.classes[int(seen[name].predictions[rows[i]])]
                for name in ("before", "after")
            ]
            for i in few
        ],
    }
    return looks, on_mark


def _sheet(task: Task, renderings: Translated) -> dict[str, Any]:
    """Some training images of every group, and their renderings."""
    train, names = task.data.train, task.data.subgroup_names
    groups = grouper_of(task.data).of(train)
    rows = _spread(groups, 3)
    made = renderings.take(rows).swapaxes(0, 1)
    assert train.subgroups is not None
    return {
        "images": np.concatenate([train.data[rows][:, None], made], axis=1),
        "labels": [
            f"{task.data.classes[train.labels[i]]}, {names[train.subgroups[i]]}" for i in rows
        ],
        "columns": ["original", *(f"as {names[z]}" for z in renderings.subgroups)],
    }


def _spread(groups: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """So many rows of every group, from all over it."""
    rows = []
    for group in np.unique(groups):
        own = np.flatnonzero(groups == group)
        rows.append(own[np.unique(np.linspace(0, len(own) - 1, count).astype(np.int64))])
    return np.concatenate(rows)


def _verdict(
    rows: tuple[ArmRow, ...],
    chosen: str,
    before: Audit,
    after: Audit,
    seeds: tuple[int, ...],
) -> Verdict:
    change = after.robust_accuracy - before.robust_accuracy
    text = (
        f"Robust accuracy goes from {before.robust_accuracy:.1%} to {after.robust_accuracy:.1%} "
        f"with {chosen}; accuracy from {before.accuracy.value:.1%} to {after.accuracy.value:.1%}."
    )
    row = next(row for row in rows if row.objective == chosen)
    kind: Kind = "better" if change > 0.005 else "worse" if change < -0.005 else "unclear"
    if chosen == "erm":
        return Verdict("unclear", f"{text} No objective did better than plain training: keep it.")
    if row.difference is not None:
        d = row.difference
        beats = d.low is not None and d.low > 0
        words = (
            "so what is added to balanced sampling pays"
            if beats
            else "so it is not shown to beat balanced sampling, which is simpler"
        )
        text += (
            f" Against balanced sampling {chosen} is {points(d.mean)} points ({interval(d)}; "
            f"{len(seeds)} paired seeds), {words}."
        )
    elif chosen == "balanced":
        text += (
            " Balanced sampling is all that is needed: nothing did better by two standard errors."
        )
    return Verdict(kind, text)


def _write(result: Patched, source: Path, task: Task, grouper: Grouper) -> None:
    """The mended checkpoint, its card and the result; each file whole or not at all."""
    tensors, facts = read_checkpoint(source)
    content = result.to_dict()
    mending = {key: content[key] for key in ("objective", "seed", "seeds", "before", "after")}
    write_checkpoint(result.checkpoint, tensors, {**facts, "patched": mending})
    with whole_file(result.card) as temporary:
        temporary.write_text(model_card(content, task, grouper), "utf-8")
    write_json(result.checkpoint.with_name("patch.json"), content)


__all__ = ["BASELINES", "ArmRow", "Patched", "patch"]
