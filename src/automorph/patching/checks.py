"""Checks of a translator before it is used; one that fails is never used silently.

Seven questions for each direction (methods of Goel et al. 2020 say none; these are ours):

1. *subgroup*: does an independent classifier of subgroups see the target in the translations?
2. *class*: does a classifier of classes, trained on balanced groups, still recognise them?
3. *cycle*: is there a way back?
4. *identity*: is an image of the target left alone?
5. *diversity*: do translations differ from one another as much as real images of the target do?
6. *inversion*: is dark still dark and light still light? (images)
7. *residue*: can a classifier tell from a rendering which subgroup its image came from? If so, a
   network trained on the renderings could go on using the subgroup.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from automorph.data import Arrays, Dataset
from automorph.patching.last_layer import features
from automorph.patching.translators import Images, Known, Translator, known_of
from automorph.training import Recipe, evaluate, make_task, recipe_for, train

FEW = 10
"""Images below which a share says nothing; such a question is left unanswered."""
MOST = 400
"""Images of a group that checks look at."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a translator must reach; shares and differences of shares."""

    subgroup: float = 0.9
    """Least share of translations seen as the target, relative to real images of it."""
    class_drop: float = 0.02
    """Most accuracy that may be lost against real images, beyond what chance may take."""
    cycle: float = 0.1
    """Most mean absolute difference after a way there and back, of the range of pixels; of texts,
    the share of words."""
    identity: float = 0.1
    """Most mean absolute change of images that lie in the target already."""
    diversity: float = 0.6
    """Least mean distance between translations, relative to real images of the target."""
    inversion: float = 0.05
    """Most share of translations that correlate negatively with their image."""
    residue: float = 0.75
    """Most balanced accuracy in telling where a rendering came from; 0.5 is chance."""


@dataclass(frozen=True)
class Check:
    """One answer: what was measured in which direction, the limit, and whether it holds."""

    question: str
    direction: tuple[int, int]
    value: float
    limit: float
    passed: bool
    n: int

    def words(self, names: tuple[str, ...]) -> str:
        """The answer in words."""
        a, b = (names[z] if z < len(names) else str(z) for z in self.direction)
        least = self.question in ("subgroup", "diversity")
        sign = "at least" if least else "at most"
        verdict = "passed" if self.passed else "FAILED"
        return f"{a} to {b}, {self.question}: {self.value:.3f} ({sign} {self.limit:.3f}), {verdict}"


@dataclass(frozen=True)
class Checked:
    """All answers about one translator."""

    translator: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every question that could be asked was answered well."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """What did not hold."""
        return tuple(check for check in self.checks if not check.passed)

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        rows = [{**asdict(c), "direction": list(c.direction)} for c in self.checks]
        return {"translator": self.translator, "passed": self.passed, "checks": rows}


class Panel:
    """Judges: classifiers of subgroups and of classes, trained on as many images of every group."""

    def __init__(self, part: Arrays, *, seed: int = 0) -> None:
        known = known_of(part)
        both = [
            y
            for y in np.unique(known.labels)
            if len(np.unique(known.subgroups[known.labels == y])) > 1
        ]
        self.seed = seed
        self.subgroups: nn.Module | None = None
        # Where every class lies in one subgroup, nobody can tell subgroup from class.
        if both:
            rows = _balanced(known, np.isin(known.labels, both), seed)
            self.subgroups = _classifier(part.data[rows], known.subgroups[rows], seed)
        rows = _balanced(known, np.ones(len(part), bool), seed)
        self.classes = _classifier(part.data[rows], known.labels[rows], seed)


def check_translator(
    translator: Translator,
    part: Arrays,
    panel: Panel,
    *,
    limits: Limits | None = None,
) -> Checked:
    """Ask all questions of a translator.

    Images of ``part`` are translated; the ``panel`` that judges them has learned from the real
    images of another part of the same data. Takes seconds for small images: the classifiers are
    small and see at most 400 images of a group.
    """
    limits = limits or Limits()
    known = known_of(part)
    found: list[Check] = []
    for a, b in sorted(translator.directions):
        rows = _some(known, known.subgroups == a)
        if len(rows) < FEW:
            continue
        target = _some(known, (known.subgroups == b) & np.isin(known.labels, known.labels[rows]))
        images, facts = part.data[rows], known.rows(rows)
        made = translator.translate(images, b, facts)
        found += _seen(panel, made, facts, part, known, (a, b), limits)
        found += _way_back(translator, images, made, facts, (a, b), limits)
        if len(target) >= FEW:
            found += _against_real(
                translator, panel, made, part, known, rows, target, (a, b), limits
            )
        if part.domain == "image":
            inverted = float((_correlations(images, made) < 0).mean())
            found.append(
                Check("inversion", (a, b), inverted, limits.inversion,
                      inverted <= limits.inversion, len(rows))
            )  # fmt: skip
    return Checked(translator.name, tuple(found))


def _seen(
    panel: Panel,
    made: Images,
    facts: Known,
    part: Arrays,
    known: Known,
    direction: tuple[int, int],
    limits: Limits,
) -> list[Check]:
    """Subgroup changed, class kept: each against real images of the target, class by class."""
    a, b = direction
    changed, real_changed, kept, real_kept, noise = [], [], [], [], 0.0
    for y in np.unique(facts.labels).tolist():
        own = facts.labels == y
        real = _some(known, (known.subgroups == b) & (known.labels == y))
        if own.sum() < FEW:
            continue
        if len(real) >= FEW and panel.subgroups is not None:
            changed.append(_share(panel.subgroups, made[own], b))
            real_changed.append(_share(panel.subgroups, part.data[real], b))
        elif len(real) < FEW:
            # No real image of this class lies in the target: its own originals are the measure.
            real = _some(known, (known.subgroups == a) & (known.labels == y))
        kept.append(_share(panel.classes, made[own], y))
        real_kept.append(_share(panel.classes, part.data[real], y))
        noise += sum(max(p * (1 - p), 0.01) / n for p, n in
                     ((kept[-1], int(own.sum())), (real_kept[-1], len(real))))  # fmt: skip
    found = []
    if changed:
        share = float(np.mean(changed)) / max(float(np.mean(real_changed)), 1e-9)
        found.append(
            Check(
                "subgroup", direction, share, limits.subgroup, share >= limits.subgroup, len(made)
            )
        )
    if kept:
        drop = float(np.mean(real_kept) - np.mean(kept))
        # What two standard errors of the mean difference may take is no loss of the translator's.
        most = limits.class_drop + 2 * float(np.sqrt(noise)) / len(kept)
        found.append(Check("class", direction, drop, most, drop <= most, len(made)))
    return found


def _way_back(
    translator: Translator,
    images: Images,
    made: Images,
    facts: Known,
    direction: tuple[int, int],
    limits: Limits,
) -> list[Check]:
    a, b = direction
    if (b, a) not in translator.directions or not getattr(translator, "way_back", True):
        return []
    there = Known(facts.labels, np.full_like(facts.subgroups, b))
    gap = _gap(translator.translate(made, a, there), images)
    return [Check("cycle", direction, gap, limits.cycle, gap <= limits.cycle, len(images))]


def _against_real(
    translator: Translator,
    panel: Panel,
    made: Images,
    part: Arrays,
    known: Known,
    rows: NDArray[np.intp],
    target: NDArray[np.intp],
    direction: tuple[int, int],
    limits: Limits,
) -> list[Check]:
    """What real images of the target make of the translations, and the translator of them."""
    b = direction[1]
    again = translator.translate(part.data[target], b, known.rows(target))
    gap = _gap(again, part.data[target])
    n = len(target)
    found = [Check("identity", direction, gap, limits.identity, gap <= limits.identity, n)]
    ratio = _diversity(
        panel.subgroups, made, known.labels[rows], part.data[target], known.labels[target]
    )
    if ratio is not None:
        found.append(
            Check("diversity", direction, ratio, limits.diversity, ratio >= limits.diversity, n)
        )
    readable = _residue(made, known.labels[rows], again, known.labels[target], panel.seed)
    if readable is not None:
        share, n = readable
        found.append(Check("residue", direction, share, limits.residue, share <= limits.residue, n))
    return found


def _diversity(
    judge: nn.Module | None, made: Images, made_labels: Any, real: Images, real_labels: Any
) -> float | None:
    """The smaller of two ratios of mean distances: in pixels, and as the subgroup judge sees."""
    ratios = []
    views: list[Callable[[Images], NDArray[np.float64]]] = []
    if judge is not None:
        views.append(partial(_features, judge))
    if real.dtype.kind != "T":
        views.append(_pixels)
    for seen in views:
        found = []
        for y in np.intersect1d(made_labels, real_labels):
            mine, theirs = seen(made[made_labels == y]), seen(real[real_labels == y])
            if min(len(mine), len(theirs)) >= FEW:
                found.append(_spread(mine) / max(_spread(theirs), 1e-9))
        if found:
            ratios.append(float(np.mean(found)))
    return min(ratios) if ratios else None


def _residue(
    made: Images, made_labels: Any, real: Images, real_labels: Any, seed: int
) -> tuple[float, int] | None:
    """Balanced accuracy in telling renderings by where they came from, on images not learned."""
    images, origin, test = [], [], []
    for y in np.intersect1d(made_labels, real_labels):
        sets = [made[made_labels == y], real[real_labels == y]]
        n = min(map(len, sets))
        if n < 2 * FEW:
            continue
        for number, some in enumerate(sets):
            images.append(some[:n])
            origin.append(np.full(n, number, np.int64))
            test.append(np.arange(n) % 2 == 0)
    if not images:
        return None
    pixels, where, held = np.concatenate(images), np.concatenate(origin), np.concatenate(test)
    judge = _classifier(pixels[~held], where[~held], seed)
    shares = [_share(judge, pixels[held & (where == number)], number) for number in (0, 1)]
    return float(np.mean(shares)), int(held.sum())


def _classifier(images: Images, labels: NDArray[np.int64], seed: int) -> nn.Module:
    """A small network: about 4,000 images seen, in a few seconds."""
    classes = tuple(map(str, range(int(labels.max()) + 1)))
    data = Dataset("judge", classes, Arrays(np.ascontiguousarray(images), labels))
    if data.domain == "text":
        return _text_classifier(data, seed)
    side = min(images.shape[1:3])
    epochs = int(np.clip(round(6000 / len(images)), 6, 40))
    recipe = Recipe(epochs=epochs, batch_size=32, lr=0.05, warmup_epochs=1)
    task = make_task(data, model="cnn:8" if side <= 32 else "resnet9:8", recipe=recipe)
    result = train(task, None, seed=seed, parts=(), progress=False, device="cpu")
    assert result.model is not None
    result.model.encoder = task.encoder  # type: ignore[assignment]
    return result.model


def _text_classifier(data: Dataset, seed: int) -> nn.Module:
    """A bag of words; texts say by single words what subgroup and class they are of."""
    epochs = int(np.clip(round(12_000 / len(data.train)), 10, 60))
    recipe = recipe_for("bag-of-words", len(data.train), epochs=epochs, lr=0.02, batch_size=32)
    task = make_task(data, model="bag-of-words", recipe=recipe)
    result = train(task, None, seed=seed, parts=(), progress=False, device="cpu")
    assert result.model is not None
    result.model.encoder = task.encoder  # type: ignore[assignment]
    return result.model


def _logits(judge: nn.Module, images: Images) -> NDArray[np.float32]:
    part = Arrays(np.ascontiguousarray(images), np.zeros(len(images), np.int64))
    return evaluate(judge, part, encoder=judge.encoder).logits  # type: ignore[arg-type]


def _share(judge: nn.Module, images: Images, label: int) -> float:
    return float((_logits(judge, images).argmax(axis=1) == label).mean())


def _pixels(images: Images) -> NDArray[np.float64]:
    return np.asarray(images.reshape(len(images), -1) / 255.0, np.float64)


@torch.inference_mode()
def _features(judge: nn.Module, images: Images) -> NDArray[np.float64]:
    """What the judge's last map holds, before it decides."""
    if images.dtype.kind == "T":
        part = Arrays(np.ascontiguousarray(images), np.zeros(len(images), np.int64))
        return features(judge, part, encoder=judge.encoder).astype(np.float64)  # type: ignore[arg-type]
    layers = list(judge.children())
    last = max(i for i, layer in enumerate(layers) if isinstance(layer, nn.Flatten))
    x = judge.encoder(np.ascontiguousarray(images), torch.device("cpu"))  # type: ignore[operator]
    for layer in layers[: last + 1]:
        x = layer(x)
    return np.asarray(x.double().numpy())


def _balanced(known: Known, usable: NDArray[np.bool_], seed: int) -> NDArray[np.intp]:
    """Rows with as many of every group, small groups repeated."""
    rng = np.random.default_rng(seed)
    groups = [
        np.flatnonzero(usable & (known.labels == y) & (known.subgroups == z))
        for y in np.unique(known.labels)
        for z in np.unique(known.subgroups)
    ]
    held = [rows for rows in groups if len(rows)]
    n = min(MOST, max(map(len, held)))
    drawn = [np.resize(rng.permutation(rows), n) for rows in held]
    return np.concatenate(drawn)


def _some(known: Known, mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """At most `MOST` rows of every group within a mask, spread over the part."""
    rows = []
    for y in np.unique(known.labels[mask]):
        own = np.flatnonzero(mask & (known.labels == y))
        rows.append(own[np.unique(np.linspace(0, len(own) - 1, MOST).astype(np.intp))])
    return np.concatenate(rows) if rows else np.zeros(0, np.intp)


def _gap(some: Images, others: Images) -> float:
    if some.dtype.kind == "T":
        pairs = zip(some.tolist(), others.tolist(), strict=True)
        return float(np.mean([words_apart(one, other) for one, other in pairs]))
    return float(np.abs(some.astype(np.int16) - others).mean() / 255)


def words_apart(one: str, other: str) -> float:
    """The share of the words of two texts that the other has not, 0 to 1.

    >>> words_apart("one good film here", "one bad film here"), words_apart("", "")
    (0.25, 0.0)
    """
    first, second = Counter(one.split()), Counter(other.split())
    total = first.total() + second.total()
    return 1 - 2 * (first & second).total() / total if total else 0.0


def _spread(points: NDArray[np.float64]) -> float:
    """The root of the mean squared distance between two different points."""
    return float(np.sqrt(2 * points.var(axis=0, ddof=1).sum()))


def _correlations(images: Images, made: Images) -> NDArray[np.float64]:
    """Pearson's correlation of every image with its translation; constant ones count as 0."""
    x, y = (i.reshape(len(i), -1).astype(np.float64) for i in (images, made))
    x, y = x - x.mean(1, keepdims=True), y - y.mean(1, keepdims=True)
    size = np.sqrt((x**2).sum(1) * (y**2).sum(1))
    return np.asarray(np.where(size > 0, (x * y).sum(1) / np.maximum(size, 1e-12), 0.0))
