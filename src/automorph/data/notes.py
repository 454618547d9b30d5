"""The record of what is decided about a user's data: every guess, merge and omission.

Readers and checks write here whatever they do with a source that the user did not ask for.
The lines become ``Dataset.notes``, which the terminal, the record of the run and the report show.
A decision that cannot be described in a line is refused with an error instead. Notes are made
nowhere else in this package, and nothing in it warns or prints (``tests/data/test_notes.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

_SHOWN = 3


class Notes:
    """Collect notes, each once, in the order in which they arise.

    >>> notes = Notes()
    >>> notes.guessed("label column", "y", because="by its name", choose="label=... (--label)")
    >>> notes.ignored("files that name no part", ["extra.csv"])
    >>> print(*notes, sep="\\n")
    label column: 'y' (guessed by its name; choose with label=... (--label))
    ignored files that name no part: extra.csv
    """

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self._lines = dict.fromkeys(lines)

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def lines(self) -> tuple[str, ...]:
        """The notes in the form in which tables and data sets keep them."""
        return tuple(self._lines)

    def guessed(self, what: str, value: object, *, because: str, choose: str) -> None:
        """Note a choice between several readings, and how to choose otherwise."""
        self.add(f"{what}: {value!r} (guessed {because}; choose with {choose})")

    def merged(self, what: str, forms: Mapping[str, Iterable[str]], *, because: str) -> None:
        """Note values that were read as one: the value, and the forms in which it was written."""
        shown = [
            f"{', '.join(map(repr, sorted(written)))} are {name!r}"
            for name, written in forms.items()
        ]
        self.add(f"{what}: {shortened(shown, '; ')} ({because})")

    def ignored(self, what: str, names: Iterable[str] = (), *, advice: str = "") -> None:
        """Note what was left aside."""
        found = shortened(list(names))
        self.add(f"ignored {what}{f': {found}' if found else ''}{advice}")

    def add(self, *lines: str) -> None:
        """Note anything else, each in one sentence without a full stop."""
        self._lines |= dict.fromkeys(lines)

    def remove(self, start: str) -> None:
        """Remove the notes that begin with ``start``, before they are made anew."""
        self._lines = {line: None for line in self._lines if not line.startswith(start)}


def shortened(items: Sequence[str], mark: str = ", ", shown: int = _SHOWN) -> str:
    """Join the first few items.

    >>> shortened(["a", "b", "c", "d"])
    'a, b, c and 1 more'
    """
    more = f" and {len(items) - shown:,} more" if len(items) > shown else ""
    return mark.join(items[:shown]) + more
