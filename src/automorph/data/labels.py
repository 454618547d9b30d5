"""Columns of labels or subgroups converted to class numbers and names, with strict checks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.errors import DataError

MISSING = -1
_MOST_FRACTIONS = 20  # with more distinct non-integers, the column is a measurement


def encode(
    columns: Mapping[str, Sequence[Any]],
    *,
    names: tuple[str, ...] | None = None,
    what: str = "label",
) -> tuple[dict[str, NDArray[np.int64]], tuple[str, ...]]:
    """Number the values of one column over all parts: int64 arrays and the names of the classes.

    ``columns`` gives the values by part. With ``names`` (declared by the source) numbers index
    them and strings must be among them; without, the distinct values are sorted (as numbers if all
    are) and become the names. None, NaN, empty strings and, with ``names``, -1 are missing: they
    are numbered ``MISSING``. Raises DataError for values that are not classes.

    >>> encode({"train": ["cat", "dog", None, "cat"]})
    ({'train': array([ 0,  1, -1,  0])}, ('cat', 'dog'))
    """
    cleaned = {part: [_clean(value, what) for value in column] for part, column in columns.items()}
    distinct = {value for column in cleaned.values() for value in column if value is not None}
    if names is None:
        order = _sorted(distinct, what)
        number: dict[Any, int] = {value: i for i, value in enumerate(order)}
        names = tuple(str(value) for value in order)
    else:
        number = _declared(distinct, names, what)
    number[None] = MISSING
    encoded = {
        part: np.array([number[value] for value in column], dtype=np.int64)
        for part, column in cleaned.items()
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


def _clean(value: Any, what: str) -> Any:
    """Convert a value to str, int, float or bool; None if it is missing."""
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        value = value.item()
    if isinstance(value, str):
        value = value.strip()
        return None if value == "" or value.lower() == "nan" else value
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return int(value) if value.is_integer() else value
    if value is None or isinstance(value, bool | int):
        return value
    kind = type(value).__name__
    raise DataError(
        f"a {what} is a {kind} ({str(value)[:40]}): expected one string or number for each "
        f"example. Several {what}s for one example are not supported."
    )


def _sorted(distinct: set[Any], what: str) -> list[Any]:
    kinds = Counter("text" if isinstance(value, str) else "number" for value in distinct)
    if len(kinds) > 1:
        raise DataError(
            f"the {what}s mix {kinds['number']} numbers and {kinds['text']} strings: "
            f"{sample(distinct)}. Expected only numbers or only strings."
        )
    numbers = {value: _number(value) for value in distinct}
    if any(number is None for number in numbers.values()):
        return sorted(distinct)
    fractions = [n for n in numbers.values() if n is not None and not float(n).is_integer()]
    if len(fractions) > _MOST_FRACTIONS:
        raise DataError(
            f"the {what}s include {len(fractions):,} different fractions, such as "
            f"{', '.join(map(str, sorted(fractions)[:3]))}: this is a measurement, not a class. "
            f"Expected class names or numbers: choose another column ({what}=..., --{what}), or "
            "bin the values first."
        )
    return sorted(distinct, key=lambda value: (numbers[value], str(value)))


def sample(values: Iterable[Any], max_items: int = 4) -> str:
    """Show the first few of some values, sorted as strings."""
    return ", ".join(sorted(map(repr, values))[:max_items])


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _declared(distinct: set[Any], names: tuple[str, ...], what: str) -> dict[Any, int]:
    number: dict[Any, int] = {}
    wrong = []
    for value in distinct:
        if isinstance(value, str) and value in names:
            number[value] = names.index(value)
        elif isinstance(value, int) and MISSING <= value < len(names):
            number[value] = int(value)
        else:
            wrong.append(value)
    if wrong:
        raise DataError(
            f"{len(wrong)} different {what}s are not among the {len(names)} declared classes: "
            f"{sample(wrong)}. Expected 0 to {len(names) - 1} or one of {listed(names)}."
        )
    return number
