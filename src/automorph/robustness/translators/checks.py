"""Checks of a translator before use; one that fails is never used silently.

Seven checks for each direction (Goel et al. 2020 have none; these are ours):

1. *subgroup*: does an independent classifier of subgroups see the target in the translations?
2. *class*: does a classifier of classes, trained on balanced groups of subgroups that contain every
   class, still recognise them?
3. *cycle*: does translating back recover the image?
4. *identity*: does an image of the target stay unchanged?
5. *diversity*: do translations differ from one another as much as real images of the target do?
6. *inversion*: is dark still dark and light still light? (images)
7. *residue*: can a classifier tell from a rendering which subgroup its image came from? If so, a
   network trained on the renderings could still use the subgroup.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from automorph.data import Split
from automorph.robustness.translators.base import Images, KnownTranslator, Translator, known_of
from automorph.robustness.translators.classifiers import (
    FEW,
    MOST,
    Panel,
    features_of,
    share_seen,
    train_judge,
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits that a translator must meet; shares and differences of shares."""

    subgroup: float = 0.9
    """Minimum share of translations seen as the target, relative to real images of it."""
    class_drop: float = 0.02
    """Maximum loss of class accuracy against real images, beyond chance."""
    cycle: float = 0.1
    """Maximum mean absolute difference after translating there and back, as a share of the range of
    pixels (texts: of the words)."""
    identity: float = 0.1
    """Maximum mean absolute change of images that are in the target subgroup already."""
    diversity: float = 0.6
    """Minimum mean distance between translations, relative to real images of the target."""
    inversion: float = 0.05
    """Maximum share of translations that correlate negatively with their image."""
    residue: float = 0.75
    """Maximum balanced accuracy in telling the source of a rendering; 0.5 is chance."""


@dataclass(frozen=True)
class Check:
    """One check in one direction: the measured value, the limit, and whether it passed."""

    question: str
    direction: tuple[int, int]
    value: float
    limit: float
    passed: bool
    n: int

    def words(self, names: tuple[str, ...]) -> str:
        """Describe the check in words."""
        a, b = (names[z] if z < len(names) else str(z) for z in self.direction)
        is_minimum = self.question in ("subgroup", "diversity")
        sign = "at least" if is_minimum else "at most"
        verdict = "passed" if self.passed else "FAILED"
        return f"{a} to {b}, {self.question}: {self.value:.3f} ({sign} {self.limit:.3f}), {verdict}"


@dataclass(frozen=True)
class Checked:
    """All checks of one translator."""

    translator: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """True if there are checks and all passed."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    @property
    def directions(self) -> frozenset[tuple[int, int]]:
        """The directions in which the target subgroup was recognised and no check failed."""
        seen = {check.direction for check in self.checks if check.question == "subgroup"}
        return frozenset(seen - {check.direction for check in self.failures})

    @property
    def failures(self) -> tuple[Check, ...]:
        """The failed checks."""
        return tuple(check for check in self.checks if not check.passed)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        rows = [{**asdict(c), "direction": list(c.direction)} for c in self.checks]
        return {"translator": self.translator, "passed": self.passed, "checks": rows}


def check_translator(
    translator: Translator,
    part: Split,
    panel: Panel,
    *,
    limits: Limits | None = None,
) -> Checked:
    """Run all checks on a translator.

    Images of ``part`` are translated; the ``panel`` that judges them was trained on real images of
    another part of the same data. Takes seconds for small images: the classifiers are small and use
    at most 400 images per group.
    """
    limits = limits or Limits()
    known = known_of(part)
    checks: list[Check] = []
    for a, b in sorted(translator.directions):
        rows = _some(known, known.subgroups == a)
        if len(rows) < FEW:
            continue
        target = _some(known, (known.subgroups == b) & np.isin(known.labels, known.labels[rows]))
        images, facts = part.data[rows], known.rows(rows)
        made = translator.translate(images, b, facts)
        checks += _seen(panel, made, facts, part, known, (a, b), limits)
        checks += _way_back(translator, images, made, facts, (a, b), limits)
        if len(target) >= FEW:
            checks += _against_real(
                translator, panel, made, part, known, rows, target, (a, b), limits
            )
        if part.domain == "image":
            inverted = float((correlations(images, made) < 0).mean())
            checks.append(
                Check("inversion", (a, b), inverted, limits.inversion,
                      inverted <= limits.inversion, len(rows))
            )  # fmt: skip
    return Checked(translator.name, tuple(checks))


def _seen(
    panel: Panel,
    made: Images,
    facts: KnownTranslator,
    part: Split,
    known: KnownTranslator,
    direction: tuple[int, int],
    limits: Limits,
) -> list[Check]:
    """Check the subgroup and the class against real images of the target, class by class."""
    a, b = direction
    changed, real_changed, kept, real_kept, noise = [], [], [], [], 0.0
    for y in np.unique(facts.labels).tolist():
        own = facts.labels == y
        real = _some(known, (known.subgroups == b) & (known.labels == y))
        if own.sum() < FEW:
            continue
        if len(real) >= FEW and panel.subgroups is not None:
            changed.append(share_seen(panel.subgroups, made[own], b))
            real_changed.append(share_seen(panel.subgroups, part.data[real], b))
        elif len(real) < FEW:
            # No real image of this class lies in the target: compare with its own originals.
            real = _some(known, (known.subgroups == a) & (known.labels == y))
        kept.append(share_seen(panel.classes, made[own], y))
        real_kept.append(share_seen(panel.classes, part.data[real], y))
        noise += sum(max(p * (1 - p), 0.01) / n for p, n in
                     ((kept[-1], int(own.sum())), (real_kept[-1], len(real))))  # fmt: skip
    checks = []
    if changed:
        share = float(np.mean(changed)) / max(float(np.mean(real_changed)), 1e-9)
        checks.append(
            Check(
                "subgroup", direction, share, limits.subgroup, share >= limits.subgroup, len(made)
            )
        )
    if kept:
        drop = float(np.mean(real_kept) - np.mean(kept))
        # Allow for two standard errors of the mean difference.
        limit = limits.class_drop + 2 * float(np.sqrt(noise)) / len(kept)
        checks.append(Check("class", direction, drop, limit, drop <= limit, len(made)))
    return checks


def _way_back(
    translator: Translator,
    images: Images,
    made: Images,
    facts: KnownTranslator,
    direction: tuple[int, int],
    limits: Limits,
) -> list[Check]:
    a, b = direction
    if (b, a) not in translator.directions or not getattr(translator, "way_back", True):
        return []
    there = KnownTranslator(facts.labels, np.full_like(facts.subgroups, b))
    gap = apart(translator.translate(made, a, there), images)
    return [Check("cycle", direction, gap, limits.cycle, gap <= limits.cycle, len(images))]


def _against_real(
    translator: Translator,
    panel: Panel,
    made: Images,
    part: Split,
    known: KnownTranslator,
    rows: NDArray[np.intp],
    target: NDArray[np.intp],
    direction: tuple[int, int],
    limits: Limits,
) -> list[Check]:
    """Compare translations with real images of the target, and translate those."""
    b = direction[1]
    again = translator.translate(part.data[target], b, known.rows(target))
    gap = apart(again, part.data[target])
    n = len(target)
    checks = [Check("identity", direction, gap, limits.identity, gap <= limits.identity, n)]
    ratio = _diversity(
        panel.subgroups, made, known.labels[rows], part.data[target], known.labels[target]
    )
    if ratio is not None:
        checks.append(
            Check("diversity", direction, ratio, limits.diversity, ratio >= limits.diversity, n)
        )
    readable = _residue(made, known.labels[rows], again, known.labels[target], panel.seed)
    if readable is not None:
        share, n = readable
        checks.append(
            Check("residue", direction, share, limits.residue, share <= limits.residue, n)
        )
    return checks


def _diversity(
    judge: nn.Module | None, made: Images, made_labels: Any, real: Images, real_labels: Any
) -> float | None:
    """Return the smaller ratio of mean distances: of pixels, and of features of the judge."""
    ratios = []
    views: list[Callable[[Images], NDArray[np.float64]]] = []
    if judge is not None:
        views.append(partial(features_of, judge))
    if real.dtype.kind != "T":
        views.append(pixels)
    for seen in views:
        values = []
        for y in np.intersect1d(made_labels, real_labels):
            mine, theirs = seen(made[made_labels == y]), seen(real[real_labels == y])
            if min(len(mine), len(theirs)) >= FEW:
                values.append(spread(mine) / max(spread(theirs), 1e-9))
        if values:
            ratios.append(float(np.mean(values)))
    return min(ratios) if ratios else None


def _residue(
    made: Images, made_labels: Any, real: Images, real_labels: Any, seed: int
) -> tuple[float, int] | None:
    """Return balanced accuracy in telling the source of renderings, on held-out images."""
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
    pixels, where, tested = np.concatenate(images), np.concatenate(origin), np.concatenate(test)
    judge = train_judge(pixels[~tested], where[~tested], seed)
    shares = [share_seen(judge, pixels[tested & (where == number)], number) for number in (0, 1)]
    return float(np.mean(shares)), int(tested.sum())


def _some(known: KnownTranslator, mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return at most `MOST` rows of every group within a mask, spread over the part."""
    rows = []
    for y in np.unique(known.labels[mask]):
        own = np.flatnonzero(mask & (known.labels == y))
        rows.append(own[np.unique(np.linspace(0, len(own) - 1, MOST).astype(np.intp))])
    return np.concatenate(rows) if rows else np.zeros(0, np.intp)


def apart(some: Images, others: Images) -> float:
    """Return the mean absolute difference as a share of the range (texts: of the words)."""
    if some.dtype.kind == "T":
        pairs = zip(some.tolist(), others.tolist(), strict=True)
        return float(np.mean([words_apart(one, other) for one, other in pairs]))
    return float(np.abs(some.astype(np.int16) - others).mean() / 255)


def words_apart(one: str, other: str) -> float:
    """Return the share of the words of two texts that the other lacks, 0 to 1.

    >>> words_apart("one good film here", "one bad film here"), words_apart("", "")
    (0.25, 0.0)
    """
    first, second = Counter(one.split()), Counter(other.split())
    total = first.total() + second.total()
    return 1 - 2 * (first & second).total() / total if total else 0.0


def spread(points: NDArray[np.float64]) -> float:
    """Return the root of the mean squared distance between two different points."""
    return float(np.sqrt(2 * points.var(axis=0, ddof=1).sum()))


def correlations(images: Images, made: Images) -> NDArray[np.float64]:
    """Return Pearson's correlation of every image with its translation; 0 for constant ones."""
    x, y = (i.reshape(len(i), -1).astype(np.float64) for i in (images, made))
    x, y = x - x.mean(1, keepdims=True), y - y.mean(1, keepdims=True)
    size = np.sqrt((x**2).sum(1) * (y**2).sum(1))
    return np.asarray(np.where(size > 0, (x * y).sum(1) / np.maximum(size, 1e-12), 0.0))


def pixels(images: Images) -> NDArray[np.float64]:
    """Return the pixels of images as points, 0 to 1."""
    return np.asarray(images.reshape(len(images), -1) / 255.0, np.float64)
