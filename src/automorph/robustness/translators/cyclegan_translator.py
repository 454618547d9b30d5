"""A CycleGAN as a translator: fitted on the training part only, per class or on all classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
"""Subgroups up to which one CycleGAN a pair is trained."""
EVERY_CLASS = -1
"""The class under which generators of all classes are kept."""

Key = tuple[int, int, int]
"""Class (or `EVERY_CLASS`), from, to."""


@dataclass(frozen=True, eq=False)
class CycleGAN:
    """Generators by class and direction.

    All subgroups are tied to one of them, the ``hub``: what goes from a to b, neither being the
    hub, goes through it. Images of a subgroup are passed through the generator that leads into it
    like all others ("as subgroup b"), so that what is made bears the generator's traces whatever
    it was made of. A class without generators of its own (one that lies in a single subgroup)
    borrows those of the other classes; ``borrowed`` says which.
    """

    generators: Mapping[Key, nn.Module]
    hub: int
    borrowed: tuple[int, ...] = ()
    rerender: bool = True
    name: str = "cyclegan"

    @property
    def directions(self) -> frozenset[tuple[int, int]]:
        """All pairs of the subgroups it knows."""
        known = {place for _, a, b in self.generators for place in (a, b)}
        return frozenset((a, b) for a in known for b in known if a != b)

    @torch.inference_mode()
    def translate(self, images: Images, direction: int, known: KnownTranslator) -> Images:
        """Run the generators in evaluation mode; the result is rounded to bytes."""
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
            return [(others[0], direction)] if others else []
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
    """Train CycleGANs between the subgroups of a part: one a class, or one for all classes.

    ``per_class`` None pools the classes when the rarest group has fewer than 500 images: a single
    CycleGAN then learns the edit from all of them, which is right as long as the edit does not
    depend on the class. ``limit`` takes at most so many images of every group. With a ``folder``
    finished CycleGANs are kept there and interrupted ones go on.

    Raises `UsageError` for more than 6 subgroups, `DataError` where no class has two of them.
    """
    known = known_of(part)
    recipe = recipe or CycleRecipe()
    counts = np.zeros((int(known.labels.max()) + 1, int(known.subgroups.max()) + 1), np.int64)
    np.add.at(counts, (known.labels, known.subgroups), 1)
    present = np.flatnonzero(counts.sum(axis=0))
    if len(present) > MOST:
        raise UsageError(
            f"got {len(present)} subgroups; a CycleGAN is trained for each pair with the largest "
            f"one, for up to {MOST} subgroups. Merge some, or supply an edit (--translator "
            "module:function)"
        )
    both = counts[:, present] > 0
    # A class joins in when it has at least two subgroups: there its own images show the edit.
    joining = np.flatnonzero(both.sum(axis=1) > 1)
    if not len(joining):
        raise DataError(
            "every class lies in a single subgroup: there is nothing from which a translation that "
            "keeps the class could be learned. Add images, or supply an edit (--translator "
            "module:function)"
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
            found = train_cyclegan(
                *sides, recipe=recipe, seed=seed, folder=folder, device=device,
                progress=None if progress is None else _told(progress, title),
            )  # fmt: skip
            generators[(label, hub, other)] = found["b"]
            generators[(label, other, hub)] = found["a"]
    alone = np.flatnonzero((counts.sum(axis=1) > 0) & (both.sum(axis=1) < 2))
    return CycleGAN(generators, hub, tuple(alone.tolist()))


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


def _told(progress: Fitting, title: str) -> Callable[[int, int, dict[str, float]], object]:
    def tell(done: int, steps: int, losses: dict[str, float]) -> object:
        return progress(title, done, steps, losses)

    return tell


def build(data: Dataset, options: FitOptions) -> CycleGAN:
    """The translator ``cyclegan`` of a data set."""
    return fit_cyclegan(
        data.train, recipe=options.recipe, seed=options.seed, folder=options.folder,
        progress=options.progress,
    )  # fmt: skip
