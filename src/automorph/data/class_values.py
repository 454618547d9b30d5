"""What a label is as a value: a number, a word, or missing; one rule for every source."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from automorph.errors import DataError

ClassValue = str | int | Decimal
"""A word, a whole number, or a fraction."""

# As JSON writes numbers, and with a plus sign; codes such as 007 or 1e5 are words.
_NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)(\.[0-9]*)?")
_UNSEEN = frozenset(("Cc", "Cf"))  # control and format: zero-width space, soft hyphen, ..
_PLAIN = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?(e[+-]?[0-9]{1,2})?")
_LIKE_MISSING = frozenset(
    ("none", "null", "(null)", "na", "n/a", "#n/a", "<na>", "nil", "missing", "undefined",
     "?", "-", "--", "---", ".", "\\n")
)  # fmt: skip
_SHEET_ERROR = re.compile(r"#[A-Z/0-9]+[!?]")  # of spreadsheets: #REF!, #NAME?


def class_value(label: Any, what: str = "label") -> ClassValue | None:
    """Return a label as a value; None if it is missing.

    Numbers compare as numbers in whatever form the source has them: ``1``, ``1.0`` and ``"1.0"``
    are one value. A truth value is the word ``True`` or ``False``. None, NaN, empty strings and the
    word ``nan`` are missing; the word ``None`` is not. Raises DataError for anything that is not
    one string or number.

    >>> class_value("1.0"), class_value(np.float32(0.1)), class_value("007"), class_value(True)
    (1, Decimal('0.1'), '007', 'True')
    >>> class_value("None"), class_value(None), class_value(float("nan"))
    ('None', None, None)
    """
    if isinstance(label, np.floating) and not isinstance(label, float):
        label = label.item() if not np.isfinite(label) else Decimal(str(label))  # 0.1, not 0.10..01
    elif isinstance(label, np.generic) or (isinstance(label, np.ndarray) and label.ndim == 0):
        label = label.item()
    if isinstance(label, bytes):  # as HDF5, Parquet and NumPy's "S" hold words
        label = _decoded(label, what)
    if isinstance(label, str):
        label = label.strip()
        if label.lower() in ("", "nan") or not visible(label):
            return None
        if _NUMBER.fullmatch(label):
            return _tidy(Decimal(label))
        if not is_text(label):
            raise DataError(
                f"the {what} {label!r} holds half of a character (a lone surrogate): expected "
                "text. Write the file as UTF-8 from its source."
            )
        return unicodedata.normalize("NFC", label)  # macOS writes letters and accents apart
    if isinstance(label, bool):
        return str(label)
    if isinstance(label, int):
        return label
    if label is None or type(label).__name__ in ("NAType", "NaTType"):  # pandas, not imported here
        return None
    if isinstance(label, float | Decimal):
        if math.isnan(label):
            return None
        if math.isinf(label):
            raise DataError(f"a {what} is infinite: expected a name or a finite number.")
        return _tidy(Decimal(repr(label)) if isinstance(label, float) else label)
    kind = type(label).__name__
    several = " For several labels of one example: target='labels' (--target labels)."
    raise DataError(
        f"a {what} is a {kind} ({str(label)[:40]}): expected one string or number for each "
        f"example.{several if what == 'label' else ''}"
    )


def same_names(left: Sequence[str], right: Sequence[str]) -> bool:
    """Return whether two lists name the same classes in the same order.

    >>> same_names(("1.0", "2.0"), ("1", "2"))
    True
    """
    return list(map(class_value, left)) == list(map(class_value, right))


def written(label: Any) -> str:
    """Return a label as its source writes it.

    >>> written(1.0), written("1.0 "), written(np.int64(3)), written(b"cat")
    ('1.0', '1.0 ', '3', 'cat')
    """
    return _decoded(label, "label") if isinstance(label, bytes) else str(label)


def is_numeric(name: str) -> bool:
    """Return whether a class name reads as a number, so that a position could be mistaken for it.

    >>> [is_numeric(name) for name in ("3", "03", "0.5", "three")]
    [True, True, True, False]
    """
    try:
        float(name)
    except ValueError:
        return False
    return True


def is_like_missing(name: str) -> bool:
    """Return whether a word often stands for a missing value."""
    return name.lower() in _LIKE_MISSING or bool(_SHEET_ERROR.fullmatch(name.upper()))


def visible(text: str) -> str:
    """Return a text without surrounding space and without characters that show nothing.

    >>> visible("\ufeffgood\u200b ")
    'good'
    """
    return "".join(c for c in text if unicodedata.category(c) not in _UNSEEN).strip()


def appearance(name: str) -> str:
    """Return what is left of a name without case, spacing, quotes and variants of characters.

    Characters that show nothing are left out, too.

    Numbers look like their value, also with a decimal comma.

    >>> appearance("Great  Dane") == appearance('"great dane"')
    True
    >>> appearance("01"), appearance("1,50")
    ('1', '1.5')
    """
    name = " ".join(unicodedata.normalize("NFKC", visible(name)).casefold().strip("'\"` ").split())
    number = name.replace(",", ".") if name.count(",") == 1 else name
    return f"{Decimal(number).normalize():f}" if _PLAIN.fullmatch(number) else name


def is_text(value: str) -> bool:
    """Return whether a string can be written at all: half of a character (U+D83D) cannot.

    >>> is_text("half"), is_text(chr(0xD83D))
    (True, False)
    """
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _decoded(label: bytes, what: str) -> str:
    try:
        return label.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"a {what} is {len(label):,} bytes that are not UTF-8 text ({label[:20]!r}): expected "
            "one string or number for each example."
        ) from error


def _tidy(number: Decimal) -> ClassValue:
    return int(number) if number == number.to_integral_value() else number.normalize()
