"""Translators: class-preserving maps between subgroups.

A translator is a value with ``translate(images, direction, known)``. The direction is the target
subgroup; classes and present subgroups of the images come in a `KnownTranslator`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from automorph.data import Dataset, Split, coupled, open_part
from automorph.errors import DataError, UsageError

Images = NDArray[np.uint8]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class KnownTranslator:
    """The known facts about images to be translated: classes and subgroups, ``(n,)``."""

    labels: Numbers
    subgroups: Numbers

    def rows(self, rows: Any) -> KnownTranslator:
        """Return the facts about some of the images."""
        return KnownTranslator(self.labels[rows], self.subgroups[rows])


def known_of(part: Split) -> KnownTranslator:
    """Return classes and subgroups of a part; raise `DataError` without subgroups."""
    if part.subgroups is None:
        raise DataError(
            "the examples have no subgroups; a translation needs one for every example: select "
            "their column with subgroup=... (--subgroup)"
        )
    return KnownTranslator(part.labels, part.subgroups)


@runtime_checkable
class Translator(Protocol):
    """A class-preserving map between subgroups."""

    @property
    def name(self) -> str:
        """Its name, in a word or two."""
        ...

    @property
    def directions(self) -> frozenset[tuple[int, int]]:
        """The pairs (from, to) of different subgroups that it can translate."""
        ...

    def translate(self, images: Images, direction: int, known: KnownTranslator) -> Images:
        """Return images uint8 ``(n, H, W, C)`` as they would look in subgroup ``direction``."""
        ...


Edit = Callable[[Images, int], Images]


@dataclass(frozen=True)
class UserEdit:
    """An edit supplied by the user: ``edit(images, direction)``, uint8 in, the same shape out.

    Texts are passed as lists of strings. Images that lie in the target subgroup already stay
    unchanged. ``pairs`` are the directions it supports, for example for an edit that can only add a
    mark.
    """

    edit: Edit
    pairs: frozenset[tuple[int, int]]
    name: str = "edit"

    @property
    def directions(self) -> frozenset[tuple[int, int]]:
        """The given pairs."""
        return self.pairs

    def translate(self, images: Images, direction: int, known: KnownTranslator) -> Images:
        """Apply the edit to the images that must change, and check its result."""
        result = np.array(images)
        able = [a for a, b in self.pairs if b == direction]
        rows = np.flatnonzero(np.isin(known.subgroups, able))
        if len(rows) and result.dtype.kind == "T":
            result[rows] = self._texts(images[rows].tolist(), direction)
        elif len(rows):
            made = self.edit(np.ascontiguousarray(images[rows]), direction)
            if not isinstance(made, np.ndarray) or made.dtype != np.uint8:
                kind = getattr(made, "dtype", type(made).__name__)
                raise UsageError(
                    f"the edit {self.name} returned {kind}; expected a uint8 array of the same "
                    "shape as its input: convert its result"
                )
            if made.shape != images[rows].shape:
                raise UsageError(
                    f"the edit {self.name} returned shape {made.shape} for {images[rows].shape}; "
                    "expected the same shape: return one image for each"
                )
            result[rows] = made
        return result

    def _texts(self, texts: list[str], direction: int) -> Any:
        """Pass a list of texts, and check that as many strings come back."""
        made = list(self.edit(texts, direction))  # type: ignore[arg-type]
        if len(made) != len(texts) or not all(isinstance(text, str) for text in made):
            raise UsageError(
                f"the edit {self.name} returned {len(made)} values for {len(texts)} texts; "
                "expected one per text: return one string for each"
            )
        return np.array(made, np.dtypes.StringDType())


@dataclass(frozen=True, eq=False)
class SomeDirections:
    """Another translator, asked in some of its directions only."""

    translator: Translator
    directions: frozenset[tuple[int, int]]

    @property
    def name(self) -> str:
        """The name of the translator."""
        return self.translator.name

    @property
    def borrowed(self) -> tuple[int, ...]:
        """Classes whose translations are extrapolated."""
        return tuple(getattr(self.translator, "borrowed", ()))

    def translate(self, images: Images, direction: int, known: KnownTranslator) -> Images:
        """Translate as the other one does."""
        return self.translator.translate(images, direction, known)


@dataclass(frozen=True, eq=False)
class ExactPairs:
    """Images with all renderings known: ``renderings`` uint8 ``(k, n, H, W, C)``.

    ``renderings[z, i]`` is example i as it looks in subgroup z; images are looked up by content.
    For data with synthetic subgroups (a mark drawn by a program), and as the upper bound for
    learned translators.
    """

    renderings: Images
    name: str = "exact"

    @property
    def directions(self) -> frozenset[tuple[int, int]]:
        """All pairs of subgroups."""
        return all_pairs(len(self.renderings))

    def translate(self, images: Images, direction: int, known: KnownTranslator) -> Images:
        """Look the images up."""
        indices = [self._places.get(_digest(image)) for image in images]
        if None in indices:
            raise UsageError(
                f"{indices.count(None)} of {len(images)} images are not among the "
                f"{len(self.renderings)} x {self.renderings.shape[1]} known renderings; expected "
                "images from the data that they were made from: use another translator for other "
                "images"
            )
        return np.ascontiguousarray(self.renderings[direction][np.array(indices, np.intp)])

    @cached_property
    def _places(self) -> dict[bytes, int]:
        index: dict[bytes, int] = {}
        for rendering in self.renderings:
            for row, image in enumerate(rendering):
                index.setdefault(_digest(image), row)
        return index


@dataclass(frozen=True, eq=False)
class FeatureStatistics:
    """The closed form: within a class, means and covariances are mapped onto each other.

    x' = m_b + A (x - m_a), with A = S_a^-1/2 (S_a^1/2 S_b S_a^1/2)^1/2 S_a^-1/2 on the leading
    principal components of the pixels (the optimal-transport map between two Gaussians; Knott and
    Smith 1984); the rest of the image is kept. Suited to global changes: light, colour, contrast.
    It cannot draw a mark without a fixed position.
    """

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    moments: Mapping[tuple[int, int], tuple[NDArray[np.float64], NDArray[np.float64]]]
    name: str = "feature statistics"

    @property
    def directions(self) -> frozenset[tuple[int, int]]:
        """Every pair of subgroups that occurs within a class."""
        return frozenset(
            (a, b) for y, a in self.moments for other, b in self.moments if y == other and a != b
        )

    def translate(self, images: Images, direction: int, known: KnownTranslator) -> Images:
        """Map the components of every group onto those of its class in the target subgroup."""
        result = np.array(images)
        flat = result.reshape(len(images), -1)
        for y, z in sorted(set(zip(known.labels.tolist(), known.subgroups.tolist(), strict=True))):
            here, there = self.moments.get((y, z)), self.moments.get((y, direction))
            if z == direction or here is None or there is None:
                continue
            rows = np.flatnonzero((known.labels == y) & (known.subgroups == z))
            pixels = flat[rows] / 255.0
            inside = (pixels - self.mean) @ self.axes
            moved = (inside - here[0]) @ _transport(here[1], there[1]) + there[0]
            pixels = pixels + (moved - inside) @ self.axes.T
            flat[rows] = np.rint(255 * pixels.clip(0, 1)).astype(np.uint8)
        return result


def fit_statistics(part: Split, *, components: int = 32) -> FeatureStatistics:
    """Fit means and covariances of the principal components of a part, per class and subgroup."""
    known = known_of(part)
    mean, axes = _principal(part.data, components)
    inside = (part.data.reshape(len(part), -1) / 255.0 - mean) @ axes
    moments = {}
    for y in np.unique(known.labels).tolist():
        for z in np.unique(known.subgroups).tolist():
            own = inside[(known.labels == y) & (known.subgroups == z)]
            if len(own) < 2:
                continue
            covariance = np.cov(own, rowvar=False).reshape(axes.shape[1], axes.shape[1])
            # With few images, shrink the covariance towards its diagonal.
            share = axes.shape[1] / (axes.shape[1] + len(own))
            shrunk = (1 - share) * covariance + share * np.diag(np.diag(covariance))
            moments[(y, z)] = (own.mean(axis=0), shrunk + 1e-6 * np.eye(len(shrunk)))
    return FeatureStatistics(mean, axes, moments)


@dataclass(frozen=True, eq=False)
class MatchedPairs:
    """Real images instead of generated ones: the nearest of the same class in the other subgroup.

    After RealPatch (Romiti et al. 2022), with distances between principal components of the pixels,
    each scaled by its deviation, and no propensity score. Nothing is invented, but a rare group
    provides the same few images again and again. There is no way back: the nearest image of the
    nearest image is another one.
    """

    part: Split
    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    name: str = "matched pairs"
    way_back: bool = False

    @property
    def directions(self) -> frozenset[tuple[int, int]]:
        """Every pair of subgroups that occurs within a class."""
        known = known_of(self.part)
        groups = set(zip(known.labels.tolist(), known.subgroups.tolist(), strict=True))
        return frozenset((a, b) for y, a in groups for x, b in groups if x == y and a != b)

    def translate(self, images: Images, direction: int, known: KnownTranslator) -> Images:
        """Return the nearest image of the target subgroup; images already there stay."""
        result = np.array(images)
        own = known_of(self.part)
        for y in np.unique(known.labels).tolist():
            rows = np.flatnonzero((known.labels == y) & (known.subgroups != direction))
            others = np.flatnonzero((own.labels == y) & (own.subgroups == direction))
            if len(rows) and len(others):
                near = self._nearest(images[rows], self.part.data[others])
                result[rows] = self.part.data[others[near]]
        return result

    def _nearest(self, images: Images, others: Images) -> NDArray[np.intp]:
        mine, theirs = (
            (x.reshape(len(x), -1) / 255.0 - self.mean) @ self.axes for x in (images, others)
        )
        gaps = (theirs**2).sum(1) - 2 * mine @ theirs.T
        return np.asarray(gaps.argmin(axis=1))


def fit_matches(part: Split, *, components: int = 32) -> MatchedPairs:
    """Fit the matching within a part."""
    mean, axes = _principal(part.data, components)
    inside = (part.data[:: _stride(len(part))].reshape(-1, len(mean)) / 255.0 - mean) @ axes
    return MatchedPairs(part, mean, axes / np.maximum(inside.std(axis=0), 1e-6))


@dataclass(frozen=True)
class Identity:
    """The translator that changes nothing: every check must reject it."""

    subgroups: int
    name: str = "identity"
    directions: frozenset[tuple[int, int]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "directions", all_pairs(self.subgroups))

    def translate(self, images: Images, direction: int, known: KnownTranslator) -> Images:
        """Return the images unchanged."""
        return np.array(images)


def exact_pairs(data: Dataset) -> ExactPairs:
    """Return the known pairs of a data set with subgroups made by `automorph.data`."""
    forms = [coupled(data.name, open_part(data, name)) for name in data.parts]
    return ExactPairs(np.concatenate(forms, axis=1))


def load_edit(name: str, pairs: frozenset[tuple[int, int]]) -> UserEdit:
    """Load the function ``module:function`` as a `UserEdit`.

    The function's attribute ``pairs`` limits its directions. Raises `UsageError` if there is no
    such function.
    """
    module, colon, function = name.partition(":")
    if not colon or not function:
        raise UsageError(
            f"unknown translator {name!r}; expected statistics, masked-cyclegan, matched or "
            "another of automorph list translators, auto, none, or a function as module:function"
        )
    try:
        edit = getattr(import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"cannot load the translator {name!r} ({error}); expected a module on PYTHONPATH "
            "with a function edit(images, direction) -> images"
        ) from error
    if not callable(edit):
        raise UsageError(
            f"got the translator {name!r}, which is not callable; expected a function "
            "edit(images, direction)"
        )
    return UserEdit(edit, frozenset(getattr(edit, "pairs", pairs)), name)


def all_pairs(subgroups: int) -> frozenset[tuple[int, int]]:
    """Return all directions between this many subgroups.

    >>> sorted(all_pairs(2))
    [(0, 1), (1, 0)]
    """
    return frozenset((a, b) for a in range(subgroups) for b in range(subgroups) if a != b)


def _digest(image: Images) -> bytes:
    return blake2b(image.tobytes(), digest_size=16).digest()


def _stride(n: int) -> int:
    return max(1, n // 5000)


def _principal(images: Images, components: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean ``(d,)`` and leading axes ``(d, components)`` of pixels in [0, 1]."""
    from sklearn.decomposition import PCA

    some = images[:: _stride(len(images))].reshape(-1, int(np.prod(images.shape[1:]))) / 255.0
    count = max(1, min(components, len(some) - 1, some.shape[1]))
    pca = PCA(count, svd_solver="randomized", random_state=0).fit(some)
    return np.asarray(pca.mean_), np.asarray(pca.components_.T)


def _transport(here: NDArray[np.float64], there: NDArray[np.float64]) -> NDArray[np.float64]:
    root = _power(here, 0.5)
    back = _power(here, -0.5)
    return np.asarray(back @ _power(root @ there @ root, 0.5) @ back)


def _power(matrix: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.maximum(values, 1e-9) ** exponent) @ vectors.T)
