"""The effect of one transformation on labelled data, in fixed features: the columns of `explain`.

Everything here is in closed form: no network is trained. Originals and copies are rows of one
ridge regression on one-hot classes, in which every example is predicted without itself and its
copies.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.diagnostics.features import MOST, FeatureMap, Images, checked
from automorph.experiments import changed_examples
from automorph.targets import Classes
from automorph.theory import (
    AlignmentGains,
    alignment,
    alignment_gains,
    displacement,
    held_out_residuals,
    variance_regulariser,
)

Floats = NDArray[np.float32]
CONSTANT = 3.0
"""The intercept's feature, next to rows of length 1: its penalty is a ninth of a feature's."""
PENALTIES = (3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
"""Candidate penalties per example (features have length 1 on average)."""


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """The columns of one transformation; the guide on explaining gives their equations.

    ``change`` is the predicted relative change of the ridge error (negative: better), with its
    standard error; ``changes`` ``(n,)`` and ``risks`` ``(n,)`` are the contributions of single
    examples. ``changed`` is the fraction of transformed examples that differ from their originals.
    ``label_risks`` are those of each label, where an example has several (see `LabelBench`), and
    ``further_off`` those of each value, in its own units (see `ValueBench`).
    """

    alignment: float
    invariance: float
    variance: float
    label_risk: float
    new_information: float
    change: float
    change_se: float
    risk_se: float
    cost: float
    changes: Floats = field(repr=False)
    risks: Floats = field(repr=False)
    mistaken: tuple[int, int, float] | None = None
    changed: float = 1.0
    label_risks: tuple[float, ...] = ()
    further_off: tuple[float, ...] = ()

    def columns(self) -> dict[str, float]:
        """Return the columns as plain numbers."""
        names = (
            "alignment", "invariance", "variance", "label_risk", "new_information", "change",
            "change_se", "risk_se", "cost",
        )  # fmt: skip
        return {name: float(getattr(self, name)) for name in names}


@dataclass(frozen=True, eq=False)
class Risk:
    """How often transformed examples are taken for another class, and of which examples.

    ``by_example`` ``(n,)`` are contributions; the other entries are those of `Diagnosis`.
    """

    value: float
    error: float
    by_example: Floats
    mistaken: tuple[int, int, float] | None = None
    by_label: tuple[float, ...] = ()
    further_off: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Drawn:
    """The copies of one transformation.

    ``blocks`` ``(n, 1 + copies, D)`` are the features of originals and copies, ``changed`` the
    fraction of copies that differ from their originals, ``cost`` seconds per copy.
    """

    blocks: Floats
    changed: float
    cost: float


@dataclass(frozen=True, eq=False)
class Bench:
    """Labelled images or texts and a feature map, ready to diagnose any transformation."""

    images: Images
    labels: NDArray[Any]
    features: FeatureMap
    copies: int = 2
    seed: int = 0
    groups: NDArray[np.intp] | None = None
    """Numbers of what was photographed or written, ``(n,)``: its examples are left out together."""

    def diagnose(self, transform: Callable[[Images, int], Any]) -> Diagnosis:
        """Diagnose ``transform(images, copy)``, which returns another draw for every copy number.

        Compares training on the originals alone with training where every other example is
        transformed: originals and copies have half of the weight each.
        """
        return self.judge(self.draw(transform))

    def draw(self, transform: Callable[[Images, int], Any]) -> Drawn:
        """Transform the examples, and compute the features of their copies."""
        started = time.thread_time()  # Another thread may be judging.
        drawn = self._draw(transform)
        cost = (time.thread_time() - started) / (self.copies * len(self.images))
        blocks, changed = self._blocks(drawn)
        return Drawn(blocks, changed, cost)

    def judge(self, drawn: Drawn) -> Diagnosis:
        """Diagnose a transformation by the features of its copies."""
        blocks = drawn.blocks
        share = np.full(self.copies + 1, 0.5 / self.copies)
        share[0] = 0.5
        errors, residuals = self._errors(blocks, share)
        centre = blocks.mean(axis=1, dtype=np.float64)
        before = self._base_errors
        relative = self.by_group((errors - before) / before.mean())
        risk = self._risk(residuals)
        return Diagnosis(
            alignment=self._alignment_of(centre) - self._alignment,
            invariance=displacement(blocks[:, :1], centre=centre),
            variance=variance_regulariser(blocks @ self._weights, loss="squared")
            / float(before.mean() / 2),
            label_risk=risk.value,
            new_information=float(self._unexplained(blocks).mean() - self._usual.mean()),
            change=float(relative.mean()),
            change_se=standard_error(relative),
            risk_se=risk.error,
            cost=drawn.cost,
            changes=relative.astype(np.float32),
            risks=risk.by_example,
            mistaken=risk.mistaken,
            label_risks=risk.by_label,
            further_off=risk.further_off,
            changed=drawn.changed,
        )

    def _risk(self, residuals: Floats) -> Risk:
        """Judge the decisions on originals and copies, given residuals ``(n, 1 + copies, C)``."""
        taken = (self._targets[:, None] - residuals).argmax(-1)
        wrong = taken != self._classes[:, None]
        risks = self.by_group(wrong[:, 1:].mean(1) - wrong[:, 0])
        return Risk(
            float(risks.mean()), standard_error(risks), risks.astype(np.float32),
            self._mistaken(taken),
        )  # fmt: skip

    def alignment_gains(
        self, transform: Callable[[Images, int], Any], *, draws: int = 200
    ) -> AlignmentGains:
        """Return the uncentred and the centred alignment gain, each with its interval.

        The column ``alignment`` of `diagnose` is the centred gain, without an interval.
        """
        blocks = self.draw(transform).blocks
        return alignment_gains(self._originals, blocks, self.labels, draws=draws, seed=self.seed)

    def _draw(self, transform: Callable[[Images, int], Any]) -> list[Any]:
        return [transform(self.images, copy) for copy in range(self.copies)]

    def _blocks(self, drawn: Sequence[Any]) -> tuple[Floats, float]:
        """Return features of the originals and of their copies, ``(n, 1 + copies, D)``.

        Also the share of the copies that differ from their originals.
        """
        changed = []
        blocks = np.empty((len(self.images), 1 + len(drawn), self._originals.shape[1]), np.float32)
        blocks[:, 0] = self._originals
        known = [self.images, *drawn]
        for number, images in enumerate(drawn, 1):
            new = np.ones(len(images), bool)
            # Many operations draw no more than a sign, so that copies often repeat each other.
            for earlier in range(number):
                same = np.flatnonzero(new)
                same = same[~changed_examples(known[earlier][same], images[same])]
                blocks[same, number] = blocks[same, earlier]
                new[same] = False
                if not earlier:
                    changed.append(new.mean())
            if new.any():
                blocks[new, number] = self._scaled(images if new.all() else images[new])
        return blocks, float(np.mean(changed))

    @property
    def error(self) -> float:
        """Held-out squared error of the originals alone."""
        return float(self._base_errors.mean())

    @property
    def accuracy(self) -> float:
        """Held-out accuracy of the originals alone."""
        scores = self._targets - self._base[1][:, 0]
        return self._target.score(self._target.predict(scores), self._classes)

    def by_group(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values ``(n,)`` summed by group, scaled to the same mean: ``(groups,)``.

        Examples of one group are no independent ones, but groups are.
        """
        if self.groups is None:
            return values
        count = int(self.groups.max()) + 1
        summed = np.bincount(self.groups, values, count) * (count / len(values))
        return summed.astype(values.dtype)

    def _errors(self, blocks: Floats, share: NDArray[np.float64]) -> tuple[Floats, Floats]:
        """Return squared held-out errors ``(n,)`` of originals, and all residuals ``(n, B, C)``.

        The penalty is chosen for every transformation, as a user training with it would do.
        """
        penalties = np.asarray(PENALTIES) * len(blocks)
        residuals = held_out_residuals(
            with_constant(blocks), self._targets, weights=share, penalties=penalties,
            groups=self.groups,
        )  # fmt: skip
        errors = np.square(residuals[:, :, 0]).sum(-1)
        best = int(errors.mean(1).argmin())
        return errors[best], residuals[best]

    @cached_property
    def _raw(self) -> Floats:
        return checked(self.features(self.images), len(self.images))

    @cached_property
    def _projection(self) -> Floats | None:
        """Random projections keep inner products (Johnson and Lindenstrauss 1984)."""
        if self._raw.shape[1] <= MOST:
            return None
        rng = np.random.default_rng(self.seed)
        return rng.standard_normal((self._raw.shape[1], MOST), dtype=np.float32)

    @cached_property
    def _scale(self) -> tuple[Floats, Floats]:
        deviation = self._raw.std(0)
        # Do not amplify features that hardly vary.
        floor = max(0.1 * float(deviation.mean()), 1e-8)
        width = np.sqrt(self._raw.shape[1] * (1 if self._projection is None else MOST))
        return self._raw.mean(0), ((deviation + floor) * width).astype(np.float32)

    def _scaled(self, images: Any) -> Floats:
        return self._standard(checked(self.features(images), len(images)))

    def _standard(self, raw: Floats) -> Floats:
        mean, width = self._scale
        scaled: Floats = (raw - mean) / width
        return scaled if self._projection is None else scaled @ self._projection

    @cached_property
    def _originals(self) -> Floats:
        return self._standard(self._raw)

    @cached_property
    def _classes(self) -> NDArray[np.intp]:
        return np.unique(self.labels, return_inverse=True)[1].reshape(-1)

    @property
    def _target(self) -> Classes:
        return Classes(int(self._classes.max()) + 1)

    @cached_property
    def _targets(self) -> Floats:
        hot = self._target.encode(self._classes)
        centred: Floats = hot - hot.mean(0, dtype=np.float32)
        return centred

    @cached_property
    def _base(self) -> tuple[Floats, Floats]:
        return self._errors(self._originals[:, None], np.ones(1))

    @property
    def _base_errors(self) -> Floats:
        return self._base[0]

    @cached_property
    def _alignment(self) -> float:
        return self._alignment_of(self._originals)

    def _alignment_of(self, features: NDArray[Any]) -> float:
        return alignment(features, self.labels)

    @cached_property
    def _penalty(self) -> float:
        """The best penalty for the originals alone."""
        penalties = np.asarray(PENALTIES) * len(self.images)
        residuals = held_out_residuals(
            with_constant(self._originals[:, None]),
            self._targets,
            weights=[1],
            penalties=penalties,
            groups=self.groups,
        )
        return float(penalties[np.square(residuals).sum(-1).mean((1, 2)).argmin()])

    @cached_property
    def _inverse(self) -> Floats:
        x = self._originals
        ridge = np.float32(self._penalty) * np.eye(x.shape[1], dtype=np.float32)
        return np.asarray(np.linalg.inv(x.T @ x + ridge), np.float32)

    @cached_property
    def _weights(self) -> Floats:
        return self._inverse @ (self._originals.T @ self._targets)

    @cached_property
    def _side(self) -> Floats:
        return self._originals @ self._inverse

    @cached_property
    def _hat(self) -> Floats:
        return np.asarray(np.einsum("nd,nd->n", self._side, self._originals), np.float32)

    @cached_property
    def _usual(self) -> Floats:
        """The unexplained share of originals that are left out of the data."""
        return self._share(self._hat / (1 - self._hat), self._originals)

    def _unexplained(self, blocks: Floats) -> Floats:
        """Return the unexplained share of copies, ``(n, T)``, with their own originals left out."""
        u = blocks[:, 1:]
        own = np.einsum("ntd,nd->nt", u, self._side)
        moved = (u.reshape(-1, u.shape[2]) @ self._inverse).reshape(u.shape)
        length = np.einsum("ntd,ntd->nt", moved, u)
        return self._share(length + own**2 / (1 - self._hat)[:, None], u)

    def _share(self, length: Floats, rows: Floats) -> Floats:
        size = np.maximum(np.square(rows).sum(-1), 1e-12)
        return np.asarray(self._penalty * length / size, np.float32)

    def _mistaken(self, taken: NDArray[np.intp]) -> tuple[int, int, float] | None:
        """Return the two classes confused most by the transformation: from, to, and by how much."""
        count = int(self._classes.max()) + 1
        own = np.bincount(self._classes, minlength=count)
        table = np.zeros((2, count, count))
        np.add.at(table[0], (self._classes, taken[:, 0]), 1.0)
        for version in taken[:, 1:].T:
            np.add.at(table[1], (self._classes, version), 1.0 / (taken.shape[1] - 1))
        more = (table[1] - table[0]) / np.maximum(own, 1)[:, None]
        np.fill_diagonal(more, 0)
        a, b = np.unravel_index(int(more.argmax()), more.shape)
        known = np.unique(self.labels)
        worst = float(more[a, b])
        return (int(known[a]), int(known[b]), worst) if worst > 0 else None


def with_constant(blocks: Floats) -> Floats:
    """Append one feature that is the same in all rows: the intercept, hardly penalised.

    Without it the mean of the targets, to which every example contributes, would reveal an
    example's own label: with more features than examples, held-out residuals would be near zero
    even for random labels.
    """
    constant = np.full((*blocks.shape[:-1], 1), CONSTANT, np.float32)
    return np.concatenate([blocks, constant], axis=-1)


def standard_error(values: Floats) -> float:
    """Return the standard error of the mean of values ``(n,)``."""
    return float(values.std(ddof=1) / np.sqrt(len(values)))
