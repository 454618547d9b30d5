"""Columns of labels or subgroups converted to class numbers and names, with strict checks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data.class_values import (
    ClassValue,
    appearance,
    class_value,
    is_like_missing,
    is_numeric,
    written,
)
from automorph.data.notes import Notes, shortened
from automorph.errors import DataError

MISSING = -1
_HASHABLE = frozenset((str, int, float, bool, type(None)))  # the common ones, for speed
_MOST_FRACTIONS = 20  # with more distinct non-integers, the column is a measurement


def encode(
    columns: Mapping[str, Sequence[Any]],
    *,
    names: tuple[str, ...] | None = None,
    what: str = "label",
    notes: Notes | None = None,
) -> tuple[dict[str, NDArray[np.int64]], tuple[str, ...]]:
    """Number the values of one column over all parts: int64 arrays and the names of the classes.

    ``columns`` gives the values by part. With ``names`` (declared by the source) numbers index
    them and strings must be among them; without, the distinct values (see :func:`class_value`) are
    sorted (as numbers if all are) and become the names. None, NaN, empty strings and, with
    ``names``, -1 are missing: they are numbered ``MISSING``. ``notes`` receives what was merged or
    may be meant otherwise. Raises DataError for values that are not classes.

    >>> encode({"train": ["cat", "dog", None, "cat"]})
    ({'train': array([ 0,  1, -1,  0])}, ('cat', 'dog'))
    >>> encode({"train": ["1.0", "2", 1]})
    ({'train': array([0, 1, 0])}, ('1', '2'))
    """
    notes = Notes() if notes is None else notes
    if names is not None and len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise DataError(
            f"the declared classes name {listed(twice)} twice. Expected a different name for each "
            "class: rename one of them."
        )
    keys = {part: [_key(label) for label in column] for part, column in columns.items()}
    distinct: dict[Hashable, Any] = {}
    for part, column in columns.items():
        distinct.update(zip(keys[part], column, strict=True))
    if names is None:
        number, names = _found(distinct, what, notes)
    else:
        number = _declared(distinct, names, what, notes)
    encoded = {
        part: np.fromiter(map(number.__getitem__, some), dtype=np.int64, count=len(some))
        for part, some in keys.items()
    }
    return encoded, names


def check_classes(
    labels: Mapping[str, NDArray[np.int64]],
    classes: tuple[str, ...],
    *,
    name: str,
    declared: bool = False,
) -> None:
    """Refuse labels that cannot be learned; ``labels`` by part, without missing ones.

    Raises DataError for a single class, nearly as many classes as examples (a name or a
    measurement; not checked for classes that the source declares), or a class of validation or test
    that train lacks.
    """
    train = labels["train"]
    present = np.unique(train)
    if len(present) == 0:
        raise DataError(f"{name}: the train split has no labelled examples.")
    if len(present) == 1:
        raise DataError(
            f"{name}: all {len(train):,} train examples have the same label, "
            f"{classes[present[0]]!r}. Expected at least two classes."
        )
    if not declared and len(train) < 2 * len(present):
        raise DataError(
            f"{name}: {len(present):,} different labels in {len(train):,} train examples, such as "
            f"{listed(classes[c] for c in present[:3])}: this looks like a name or a measurement, "
            "not a class. Choose another column with label=... (--label), or give every class at "
            "least two examples."
        )
    for part, numbers in labels.items():
        unseen = sorted(set(numbers.tolist()) - set(present.tolist()))
        if unseen:
            raise DataError(
                f"{name}: the {part} split has classes that the train split lacks: "
                f"{listed((classes[c] for c in unseen), 10)}. Expected only classes of the train "
                "split: check the spelling of the labels, or remove those rows."
            )


def listed(names: Iterable[object], max_items: int = 5) -> str:
    """List the first few names for a message, quoted.

    >>> listed("abc", max_items=2)
    "'a', 'b' and 1 more"
    """
    shown = [repr(str(name)) for name in names]
    more = f" and {len(shown) - max_items} more" if len(shown) > max_items else ""
    return ", ".join(shown[:max_items]) + more


def sample(values: Iterable[Any], max_items: int = 4) -> str:
    """Show the first few of some values, sorted as strings."""
    return ", ".join(sorted(map(repr, values))[:max_items])


def _key(label: Any) -> Hashable:
    """Return what tells labels of a source apart before they are compared as values."""
    if label.__class__ in _HASHABLE or isinstance(label, Hashable):
        return label.__class__, label
    return label.__class__, str(label)


def _found(
    distinct: Mapping[Hashable, Any], what: str, notes: Notes
) -> tuple[dict[Hashable, int], tuple[str, ...]]:
    """Return the number of every label that occurs, and the names of the classes."""
    values = {key: class_value(label, what) for key, label in distinct.items()}
    forms: dict[ClassValue, set[str]] = defaultdict(set)
    for key, value in values.items():
        if value is not None:
            forms[value].add(written(distinct[key]))
    names = {value: _name(value, forms[value], what) for value in forms}
    order = _sorted(names, what)
    _note_doubts(forms, names, what, notes)
    position = {value: i for i, value in enumerate(order)}
    number = {key: MISSING if value is None else position[value] for key, value in values.items()}
    return number, tuple(names[value] for value in order)


def _name(value: ClassValue, forms: set[str], what: str) -> str:
    if not isinstance(value, Decimal):
        return str(value)
    spellings = {form.strip() for form in forms}
    if len(spellings) == 1:
        return spellings.pop()
    raise DataError(
        f"the {what}s {' and '.join(map(repr, sorted(spellings)))} are the same number written in "
        "different ways: expected one spelling of each. Write them alike, or as words (v1.10) if "
        "they are different classes."
    )


def _sorted(names: Mapping[ClassValue, str], what: str) -> list[ClassValue]:
    if not all(map(is_numeric, names.values())):
        return sorted(names, key=lambda value: names[value])
    fractions = [float(name) for name in names.values() if not float(name).is_integer()]
    if len(fractions) > _MOST_FRACTIONS:
        raise DataError(
            f"the {what}s include {len(fractions):,} different fractions, such as "
            f"{', '.join(map(str, sorted(fractions)[:3]))}: this is a measurement, not a class. "
            f"Expected class names or numbers: choose another column ({what}=..., --{what}), or "
            "bin the values first."
        )
    return sorted(names, key=lambda value: (float(names[value]), names[value]))


def _note_doubts(
    forms: Mapping[ClassValue, set[str]], names: Mapping[ClassValue, str], what: str, notes: Notes
) -> None:
    """Note labels that were read as one, and classes that may be meant otherwise."""
    several = {names[value]: some for value, some in sorted(
        forms.items(), key=lambda item: names[item[0]]) if len(some) > 1}  # fmt: skip
    if several:
        notes.merged(f"{what}s written in different ways", several, because="compared as values")
    fractions = sorted(value for value in forms if isinstance(value, Decimal))
    if fractions:
        notes.add(
            f"{what}s with fractions are classes, not measurements: "
            f"{shortened([repr(names[value]) for value in fractions])}"
        )
    words = sorted(value for value in forms if isinstance(value, str))
    numbers = sorted(value for value in forms if isinstance(value, int))
    if numbers and any(not is_numeric(word) for word in words):
        notes.add(
            f"{what}s are numbers and words: {shortened([repr(str(n)) for n in numbers])}; "
            f"{shortened([repr(w) for w in words if not is_numeric(w)])}"
        )
    for word in words:
        if is_like_missing(word):
            notes.add(f"{what} {word!r} is a class of its own, not a missing value")
    alike: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names.values()):
        alike[appearance(name)].append(name)
    similar = [" and ".join(map(repr, some)) for some in alike.values() if len(some) > 1]
    if similar:
        notes.add(f"{what}s that look alike are different classes: {shortened(similar, '; ')}")


def _declared(
    distinct: Mapping[Hashable, Any], names: tuple[str, ...], what: str, notes: Notes
) -> dict[Hashable, int]:
    by_name = {name: i for i, name in reversed(list(enumerate(names)))}
    by_value = {class_value(name): i for name, i in by_name.items()}
    number: dict[Hashable, int] = {}
    wrong = []
    positions: set[int] = set()
    for key, label in distinct.items():
        value = class_value(label, what)
        if value is None:
            number[key] = MISSING
        elif isinstance(label, str):
            found = by_name.get(label.strip(), by_value.get(value))
            number[key] = MISSING if found is None else found
            if found is None:
                wrong.append(label.strip())
        else:
            place = int(label) if isinstance(label, bool | np.bool_) else value
            if isinstance(place, int) and MISSING <= place < len(names):
                number[key] = place
                positions.add(place)
            else:
                wrong.append(label)
    if wrong:
        raise DataError(
            f"{len(wrong)} different {what}s are not among the {len(names)} declared classes: "
            f"{sample(wrong)}. Expected 0 to {len(names) - 1} or one of {listed(names)}."
        )
    shifted = [i for i in sorted(positions - {MISSING}) if by_value.get(i, i) != i]
    if shifted:
        first = shifted[0]
        notes.add(
            f"{what}s are positions among the declared names, not names: {first} is "
            f"{names[first]!r}"
        )
    return number
