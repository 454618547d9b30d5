"""Named checks, and kits of them: what one kind of object must do."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any, NamedTuple

import numpy as np

from automorph.errors import UsageError
from automorph.registry import unknown


class Check(NamedTuple):
    """One requirement: a name, and a function that raises `AssertionError` if it is not met.

    A check is also its own function: ``check(subject)``. Its docstring states the requirement.
    """

    name: str
    function: Callable[..., None]

    def __call__(self, subject: Any, **options: Any) -> None:
        """Check one object."""
        self.function(subject, **options)

    def __str__(self) -> str:
        return self.name


class Kit:
    """The checks of one kind of object, in the order in which they run.

    ``fits`` tells whether an object is of that kind at all, and ``expected`` describes the kind.
    """

    def __init__(self, kind: str, fits: Callable[[Any], bool], expected: str) -> None:
        self.kind, self.fits, self.expected = kind, fits, expected
        self.checks: list[Check] = []

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks)

    def add(self, function: Callable[..., None]) -> Callable[..., None]:
        """Add a function as a check named after it."""

        @wraps(function)
        def explained(subject: Any, **options: Any) -> None:
            __tracebackhide__ = True
            self.check_kind(subject)
            try:
                function(subject, **options)
            except AssertionError as error:
                # A file name or a value alone would not tell which requirement failed.
                raise AssertionError(f"{self.kind} {label(subject)}: {error}") from error
            except Exception as error:
                raise AssertionError(
                    f"{self.kind} {label(subject)}: the check {function.__name__} raised "
                    f"{type(error).__name__}: {error}; expected no error: {requirement(function)}"
                ) from error

        self.checks.append(Check(function.__name__, explained))
        return explained

    def check_kind(self, subject: Any) -> None:
        """Raise `UsageError` for an object of another kind, about which no check could tell."""
        if not self.fits(subject):
            raise UsageError(
                f"got {subject!r:.60} ({type(subject).__name__}) for the {self.kind} kit; expected "
                f"{self.expected}"
            )

    def run(self, subject: Any, *, skip: Iterable[str] = (), **options: Any) -> None:
        """Run all checks except those in ``skip``; raise one `AssertionError` for all failures."""
        __tracebackhide__ = True
        skipped = {skip} if isinstance(skip, str) else set(skip)
        names = [check.name for check in self]
        for name in sorted(skipped - set(names)):
            raise UsageError(unknown("check", name, names, where=f"of the {self.kind} kit"))
        self.check_kind(subject)
        failures: list[tuple[str, AssertionError]] = []
        for check in self:
            if check.name in skipped:
                continue
            try:
                check(subject, **options)
            except AssertionError as error:
                failures.append((check.name, error))
        if failures:
            ran = len(names) - len(skipped)
            lines = "\n".join(f"- {name}: {words}" for name, words in _once(failures))
            raise AssertionError(f"{len(failures)} of {ran} checks failed\n{lines}") from failures[
                0
            ][1]


def _once(failures: Iterable[tuple[str, AssertionError]]) -> Iterator[tuple[str, str]]:
    """Yield names and messages; an exception that several checks met is shown once."""
    first: dict[tuple[type, str], str] = {}
    for name, error in failures:
        cause = error.__cause__
        if cause is None or isinstance(cause, AssertionError):
            yield name, str(error)
            continue
        shown = first.setdefault((type(cause), str(cause)), name)
        yield name, str(error) if shown == name else f"the same error as in {shown}"


def requirement(function: Callable[..., None]) -> str:
    """Return the first line of the docstring of a check."""
    return (function.__doc__ or "").strip().split("\n")[0]


def label(subject: Any) -> str:
    """Return a short name of the object that is checked."""
    function = getattr(subject, "func", subject)  # that of a functools.partial
    try:
        name = getattr(function, "name", None) or getattr(function, "__qualname__", None)
    except Exception:  # A name that cannot be computed is for a check to find.
        name = None
    return repr(name if isinstance(name, str) else type(subject).__name__)


def require(fits: Any, got: str, expected: str, remedy: str) -> None:
    """Raise `AssertionError` unless ``fits``: what was found, what was expected, what to do."""
    __tracebackhide__ = True
    if not fits:
        raise AssertionError(f"{got}; expected {expected}: {remedy}")


def require_picklable(subject: Any, what: str, remedy: str) -> Any:
    """Return a pickled copy, as worker processes get it; ``what`` names the kind of object."""
    __tracebackhide__ = True
    try:
        return pickle.loads(pickle.dumps(subject))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        require(False, f"pickling failed ({error})", f"{what} that can be pickled", remedy)


def require_equal(first: Any, second: Any, got: str, expected: str, remedy: str) -> None:
    """Raise `AssertionError` unless two batches are equal, and name the rows that differ."""
    __tracebackhide__ = True
    a, b = np.asarray(first), np.asarray(second)
    if a.shape != b.shape or a.dtype != b.dtype:
        shapes = f"{a.dtype} {a.shape} and {b.dtype} {b.shape}"
        require(False, f"{got} ({shapes})", expected, remedy)
    differs = a != b
    if a.ndim > 1:
        differs = differs.reshape(len(a), -1).any(axis=1) if len(a) else np.zeros(0, bool)
    rows = np.flatnonzero(differs)
    shown = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "")
    require(not len(rows), f"{got} (rows {shown} of {len(a)})", expected, remedy)
