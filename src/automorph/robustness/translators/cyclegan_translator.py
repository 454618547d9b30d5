"""A CycleGAN as a translator, fitted on the training part, per class or on all classes.

Zhu et al. (ICCV 2017), as used for model patching by Goel et al. (ICLR 2021).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from automorph.data import Dataset, Split
from automorph.errors import DataError, UsageError
from automorph.robustness.translators.base import Images, KnownTranslator, known_of
from automorph.robustness.translators.builtin import FitOptions
from automorph.robustness.translators.cyclegan import (
    CycleRecipe,
    Side,
    to_images,
    to_pixels,
    train_cyclegan,
)

MOST = 6
"""Largest number of subgroups for which one CycleGAN per pair is trained."""
EVERY_CLASS = -1
"""The class key of generators for all classes."""

Key = tuple[int, int, int]
"""Class (or `EVERY_CLASS`), from, to."""


@dataclass(frozen=True, eq=False)
class CycleGAN:
    """Generators by class and direction.

    All subgroups are connected to one of them, the ``hub``: a translation between two others goes
    through it. Images that are already in the target subgroup pass through the generator into it
    like all others, so that every rendering bears the generator's traces, whatever its source.
    Generators with masks leave such images as they are: these go there and ``back``. A class
    without generators of its own (one with a single subgroup) borrows those of other classes;
    ``borrowed`` lists these classes.
    """

    generators: Mapping[Key, nn.Module]
    hub: int
    borrowed: tuple[int, ...] = ()
    rerender: bool = True
    name: str = "cyclegan"
    back: bool = False

    @property
    def directions(self) -> frozenset[tuple[int, int]]:
        """All pairs of the known subgroups."""
        known = {subgroup for _, a, b in self.generators for subgroup in (a, b)}
        return frozenset((a, b) for a in known for b in known if a != b)

    @torch.inference_mode()
    def translate(self, images: Images, direction: int, known: KnownTranslator) -> Images:
        """Run the generators in evaluation mode; round the result to bytes."""
        result = np.array(images)
        for y in np.unique(known.labels).tolist():
            for z in np.unique(known.subgroups).tolist():
                rows = np.flatnonzero((known.labels == y) & (known.subgroups == z))
                made = images[rows]
                for step in self._way(z, direction) if len(rows) else ():
                    made = self._run(self._generator(y, step), made)
                result[rows] = made
        return result

    def _way(self, z: int, direction: int) -> list[tuple[int, int]]:
        if z == direction:
            if not self.rerender:
                return []
            others = sorted({a for _, a, b in self.generators if b == direction})
            first = [(direction, others[0])] if self.back and others else []
            return [*first, (others[0], direction)] if others else []
        if self.hub in (z, direction):
            return [(z, direction)]
        return [(z, self.hub), (self.hub, direction)]

    def _generator(self, label: int, step: tuple[int, int]) -> nn.Module:
        for key in (label, EVERY_CLASS):
            if (key, *step) in self.generators:
                return self.generators[(key, *step)]
        return next(g for (_, a, b), g in self.generators.items() if (a, b) == step)

    def _run(self, generator: nn.Module, images: Images) -> Images:
        device = next(generator.parameters()).device
        starts = range(0, len(images), 256)
        return np.concatenate(
            [to_images(generator(to_pixels(images[i : i + 256]).to(device))) for i in starts]
        )


Fitting = Callable[[str, int, int, dict[str, float]], object]
"""Called with what is fitted, steps done, all steps, and losses."""


def fit_cyclegan(
    part: Split,
    *,
    recipe: CycleRecipe | None = None,
    per_class: bool | None = None,
    limit: int | None = None,
    seed: int = 0,
    folder: Path | None = None,
    device: str = "cpu",
    progress: Fitting | None = None,
) -> CycleGAN:
    """Train CycleGANs between the subgroups of a part: one per class, or one for all classes.

    ``per_class`` None pools the classes if the rarest group has fewer than 500 images: a single
    CycleGAN then learns the edit from all of them, which is valid as long as the edit does not
    depend on the class. ``limit`` uses at most that many images of every group. With a ``folder``,
    finished CycleGANs are stored there and interrupted ones resume.

    Raises `UsageError` for more than 6 subgroups, `DataError` if no class has two of them.
    """
    known = known_of(part)
    recipe = recipe or CycleRecipe()
    counts = np.zeros((int(known.labels.max()) + 1, int(known.subgroups.max()) + 1), np.int64)
    np.add.at(counts, (known.labels, known.subgroups), 1)
    present = np.flatnonzero(counts.sum(axis=0))
    if len(present) > MOST:
        raise UsageError(
            f"got {len(present)} subgroups; expected at most {MOST}, because one CycleGAN is "
            "trained between the largest subgroup and each of the others. Merge some, or supply "
            "an edit (--translator module:function)"
        )
    both = counts[:, present] > 0
    # A class takes part if it has two subgroups or more: its own images then show the edit.
    joining = np.flatnonzero(both.sum(axis=1) > 1)
    if not len(joining):
        raise DataError(
            "every class occurs in only one subgroup; expected a class with two, so that a "
            "translation can learn to keep the class. Add images, or supply an edit "
            "(--translator module:function)"
        )
    hub = int(present[counts[:, present].sum(axis=0).argmax()])
    if per_class is None:
        seen = counts[joining][:, present]
        per_class = bool(seen[seen > 0].min() >= 500)
    generators: dict[Key, nn.Module] = {}
    for label in joining.tolist() if per_class else [EVERY_CLASS]:
        for other in present[present != hub].tolist():
            classes = joining if label == EVERY_CLASS else np.array([label])
            sides = [_side(part, known, classes, z, limit) for z in (hub, other)]
            if not np.intersect1d(sides[0].labels, sides[1].labels).size:
                continue
            title = f"{'all classes' if label == EVERY_CLASS else f'class {label}'}, {hub}-{other}"
            trained = train_cyclegan(
                *sides, recipe=recipe, seed=seed, folder=folder, device=device,
                progress=None if progress is None else _reporting(progress, title),
            )  # fmt: skip
            generators[(label, hub, other)] = trained["b"]
            generators[(label, other, hub)] = trained["a"]
    alone = np.flatnonzero((counts.sum(axis=1) > 0) & (both.sum(axis=1) < 2))
    masked = recipe.networks == "masked"
    name = "masked cyclegan" if masked else "cyclegan"
    return CycleGAN(generators, hub, tuple(alone.tolist()), name=name, back=masked)


def _side(
    part: Split, known: KnownTranslator, classes: np.ndarray, subgroup: int, limit: int | None
) -> Side:
    rows = []
    for label in classes.tolist():
        own = np.flatnonzero((known.labels == label) & (known.subgroups == subgroup))
        rows.append(
            own
            if limit is None
            else own[np.linspace(0, len(own) - 1, min(limit, len(own))).astype(int)]
        )
    chosen = np.sort(np.concatenate(rows))
    return Side(part.data[chosen], known.labels[chosen])


def _reporting(progress: Fitting, title: str) -> Callable[[int, int, dict[str, float]], object]:
    def report(done: int, steps: int, losses: dict[str, float]) -> object:
        return progress(title, done, steps, losses)

    return report


def steps_for(part: Split) -> int:
    """Return the steps of a masked CycleGAN: those of 28 px, or up to three times as many.

    On smaller images a step costs less, and shows fewer pixels of a mark: with 2,000 steps of 8 px
    the mark of ``digits-correlation`` was not always drawn, with 6,000 all checks passed.
    """
    height, width = map(int, part.data.shape[1:3])
    usual = CycleRecipe().steps
    return min(3 * usual, max(usual, usual * 28**2 // (height * width)))


def build_masked(data: Dataset, options: FitOptions) -> CycleGAN:
    """Fit the translator ``masked-cyclegan`` of a data set."""
    usual = options.recipe or CycleRecipe(steps=steps_for(data.train))
    recipe = replace(usual, networks="masked")
    return build(data, replace(options, recipe=recipe))


def build(data: Dataset, options: FitOptions) -> CycleGAN:
    """Fit the translator ``cyclegan`` of a data set."""
    return fit_cyclegan(
        data.train, recipe=options.recipe, seed=options.seed, folder=options.folder,
        progress=options.progress,
    )  # fmt: skip
