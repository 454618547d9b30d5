"""Checks for a translator: a map of examples to how they would look in another subgroup.

Whether a translator changes the subgroup and keeps the class is a question to data and trained
classifiers: `automorph.robustness.check_translator` answers it. The checks here are the rules
that hold for any data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data import Split
from automorph.robustness import KnownTranslator, Translator
from automorph.testing.checks import Check, Kit, require, require_equal
from automorph.testing.samples import example_images, other_global_randomness

KIT = Kit(
    "translator",
    lambda one: not isinstance(one, (str, type)),
    "a translator: an object with name, directions and translate",
)


def translator_checks() -> list[Check]:
    """Return the checks for a translator, each a function of the translator.

    >>> [check.name for check in translator_checks()][:2]
    ['name_and_directions_are_declared', 'shape_and_type_are_kept']
    """
    return list(KIT)


def check_translator(
    translator: Translator, *, part: Split | None = None, skip: Iterable[str] = ()
) -> None:
    """Run all checks for a translator.

    ``part`` has examples with subgroups that suit it (default: small images in all subgroups that
    its directions name), and ``skip`` names checks to leave out. Raises one `AssertionError` that
    lists all failures.

    >>> from automorph.robustness import UserEdit, all_pairs
    >>> check_translator(UserEdit(lambda images, direction: 255 - images, all_pairs(2)))
    """
    KIT.run(translator, part=part, skip=skip)


@KIT.add
def name_and_directions_are_declared(translator: Translator, *, part: Split | None = None) -> None:
    """It has a name, and directions between different subgroups."""
    require(
        isinstance(translator, Translator),
        f"{type(translator).__name__} lacks name, directions or translate",
        "all three",
        "see automorph.robustness.Translator",
    )
    require(
        isinstance(translator.name, str) and translator.name,
        f"the name is {translator.name!r}",
        "a text that is not empty",
        "name it in a word or two",
    )
    pairs = translator.directions
    fits = isinstance(pairs, frozenset) and all(
        len(pair) == 2 and pair[0] != pair[1] and min(pair) >= 0 for pair in pairs
    )
    require(
        fits and pairs,
        f"directions are {pairs!r:.80}",
        "a frozenset of pairs (from, to) of different subgroups",
        "automorph.robustness.all_pairs(2) gives both directions between two subgroups",
    )


@KIT.add
def shape_and_type_are_kept(translator: Translator, *, part: Split | None = None) -> None:
    """The result has the shape and type of the examples, which are not changed."""
    examples, known = _examples(translator, part)
    for direction, rows in _translatable(translator, known):
        given, facts = examples[rows], known.rows(rows)
        made = translator.translate(given, direction, facts)
        require(
            isinstance(made, np.ndarray) and (made.shape, made.dtype) == (given.shape, given.dtype),
            f"{given.dtype} {given.shape} became {getattr(made, 'dtype', type(made).__name__)} "
            f"{getattr(made, 'shape', '')}",
            "an array of the same shape and type",
            "convert the result, as in np.clip(result, 0, 255).astype(np.uint8)",
        )
        require_equal(
            given,
            examples[rows],
            f"translating to subgroup {direction} changed the examples passed in",
            "untouched examples",
            "work on a copy",
        )
        require(
            np.array_equal(facts.labels, known.labels[rows])
            and np.array_equal(facts.subgroups, known.subgroups[rows]),
            "classes or subgroups were changed",
            "untouched facts about the examples",
            "work on copies",
        )


@KIT.add
def it_changes_examples(translator: Translator, *, part: Split | None = None) -> None:
    """In every declared direction, at least one example changes."""
    examples, known = _examples(translator, part)
    for source, direction in sorted(translator.directions):
        rows = np.flatnonzero(known.subgroups == source)
        if not len(rows):
            continue
        made = translator.translate(examples[rows], direction, known.rows(rows))
        require(
            not np.array_equal(made, examples[rows]),
            f"no example changes from subgroup {source} to {direction}",
            "a change",
            "leave directions that cannot be translated out of `directions`",
        )


@KIT.add
def its_own_subgroup_is_kept(translator: Translator, *, part: Split | None = None) -> None:
    """Examples that are in the target subgroup already stay unchanged.

    A translator with a true attribute ``rerender`` renders them anew, and is not asked.
    """
    if getattr(translator, "rerender", False):
        return
    examples, known = _examples(translator, part)
    for direction in sorted({to for _, to in translator.directions}):
        rows = np.flatnonzero(known.subgroups == direction)
        if not len(rows):
            continue
        require_equal(
            translator.translate(examples[rows], direction, known.rows(rows)),
            examples[rows],
            f"examples of subgroup {direction} change when they are translated to it",
            "no change",
            "translate only where known.subgroups differs from the direction",
        )


@KIT.add
def it_repeats_itself(translator: Translator, *, part: Split | None = None) -> None:
    """A second call gives the same, whatever the global generators of random numbers."""
    examples, known = _examples(translator, part)
    for direction, rows in _translatable(translator, known):
        with other_global_randomness(1):
            first = translator.translate(examples[rows], direction, known.rows(rows))
        with other_global_randomness(2):
            second = translator.translate(examples[rows], direction, known.rows(rows))
        require_equal(
            first,
            second,
            f"two translations to subgroup {direction} differ",
            "the same examples",
            "fix all random numbers when the translator is made",
        )


@KIT.add
def order_and_split_change_nothing(translator: Translator, *, part: Split | None = None) -> None:
    """An example's translation does not depend on the others of its batch (up to rounding)."""
    examples, known = _examples(translator, part)
    for direction, rows in _translatable(translator, known):
        together = translator.translate(examples[rows], direction, known.rows(rows))
        turned = np.arange(len(rows))[::-1]
        for some in (turned[:1], turned[1:]):
            made = translator.translate(examples[rows[some]], direction, known.rows(rows[some]))
            require(
                _near(made, together[some]),
                f"to subgroup {direction}, examples have other translations in another batch",
                "the same translations, up to one level",
                "use each example, its class and its subgroup only",
            )


def _examples(translator: Translator, part: Split | None) -> tuple[NDArray[Any], KnownTranslator]:
    """Return examples in every subgroup that the directions name, with their facts."""
    if part is not None:
        require(
            part.subgroups is not None,
            "the part has no subgroups",
            "a subgroup for every example",
            "pass subgroups= to Split",
        )
        assert part.subgroups is not None
        return np.array(part.data[:]), KnownTranslator(part.labels, part.subgroups)
    count = 1 + max((max(pair) for pair in translator.directions), default=1)
    n = 8 * count
    numbers = np.arange(n, dtype=np.int64)
    return example_images(n), KnownTranslator(numbers // count % 2, numbers % count)


def _translatable(
    translator: Translator, known: KnownTranslator
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield each target subgroup, and the rows that can be translated to it or are in it."""
    for direction in sorted({to for _, to in translator.directions}):
        able = [a for a, b in translator.directions if b == direction]
        rows = np.flatnonzero(np.isin(known.subgroups, [*able, direction]))
        if len(rows):
            yield direction, rows.astype(np.int64)


def _near(first: NDArray[Any], second: NDArray[Any]) -> bool:
    if first.dtype.kind == "T":
        return bool(np.array_equal(first, second))
    return bool((np.abs(first.astype(int) - second.astype(int)) <= 1).all())
