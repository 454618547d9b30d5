"""Translators by name: ``statistics``, ``masked-cyclegan``, ``inpaint``, ``word-swap``, .."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automorph.data import Dataset
from automorph.registry import Entry, Registry
from automorph.robustness.translators.base import (
    Translator,
    exact_pairs,
    fit_matches,
    fit_statistics,
    load_edit,
)
from automorph.robustness.translators.word_swap import fit_word_swap


@dataclass(frozen=True, eq=False)
class FitOptions:
    """How a translator is fitted: the options of `choose_translator`."""

    recipe: Any = None
    """A `CycleRecipe`, or None: the default."""
    seed: int = 0
    folder: Path | None = None
    progress: Any = None
    protect: tuple[str, ...] = ()


@dataclass(frozen=True)
class TranslatorEntry(Entry[Translator]):
    """A translator, the examples it takes, whether ``auto`` tries it, and whether it is trained.

    One that is trained takes minutes, and does not replace another that failed.
    The factory takes a `Dataset` and `FitOptions`, and fits to the training part.
    """

    given: int = field(default=2, kw_only=True)
    domain: str = "image"
    auto: bool = True
    trained: bool = False


def _word_swap(data: Dataset, options: FitOptions) -> Translator:
    return fit_word_swap(data.train, protect=options.protect)


TRANSLATORS = Registry(
    "translator",
    TranslatorEntry(
        "statistics",
        lambda data, options: fit_statistics(data.train),
        "matches the means and covariances of principal components, in closed form",
    ),
    TranslatorEntry(
        "masked-cyclegan",
        "automorph.robustness.translators.cyclegan_translator:build_masked",
        "a CycleGAN with a learned mask: outside of it, images stay the same to the pixel",
        trained=True,
    ),
    TranslatorEntry(
        "cyclegan",
        "automorph.robustness.translators.cyclegan_translator:build",
        "one CycleGAN per class, or one for all classes when the rarest group has few images",
        auto=False,
        trained=True,
    ),
    TranslatorEntry(
        "matched",
        lambda data, options: fit_matches(data.train),
        "the nearest real image of the same class in the other subgroup",
    ),
    TranslatorEntry(
        "background",
        "automorph.robustness.translators.background:build",
        "pastes the foreground of each image on a background of the other subgroup (OpenCV)",
        auto=False,
    ),
    TranslatorEntry(
        "inpaint",
        "automorph.robustness.translators.inpainting:build",
        "removes marks of a colour of their own by inpainting, and pastes those of other images "
        "(OpenCV)",
        auto=False,
    ),
    TranslatorEntry(
        "exact",
        lambda data, options: exact_pairs(data),
        "the known pairs of a planted set",
        auto=False,
    ),
    TranslatorEntry(
        "word-swap",
        _word_swap,
        "texts: swaps the words that mark one subgroup for those of the other",
        domain="text",
    ),
    example="statistics",
    listing="translators",
    also=", auto, none, or a function as module:function",
)


def tried(domain: str) -> tuple[str, ...]:
    """Return the translators that ``auto`` tries for images or texts, cheapest first.

    >>> tried("image"), tried("text")
    (('statistics', 'masked-cyclegan', 'matched'), ('word-swap',))
    """
    return tuple(name for name, one in TRANSLATORS.items() if one.auto and one.domain == domain)


def check_names(wanted: str) -> None:
    """Reject an unknown translator before anything is trained."""
    if wanted in ("none", "auto") or wanted in TRANSLATORS:
        return
    if ":" not in wanted:
        raise TRANSLATORS.unknown(wanted)
    load_edit(wanted, frozenset())
