"""What enters the suite: an augmenter or a searcher, by name or from a file of the user's own."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from automorph.augmenters import as_treatment
from automorph.errors import UsageError
from automorph.experiments import FullTraining, Treatment
from automorph.policies import Policy, Table, load_policy
from automorph.registry import unknown
from automorph.searchers import Searcher, SearchSpec, load_method
from automorph.training import Augmenter, AugmenterSpec

Kind = Literal["augmenter", "searcher"]


@dataclass(frozen=True)
class OwnAugmenter:
    """An `Augmenter` class of a user's file, as a spec: each training gets a new one."""

    kind: type[Augmenter]
    name: str

    @property
    def policy(self) -> Policy:
        """No policy: what the class does is not known before it is called."""
        return load_policy("none")

    def table(self) -> Table:
        """Return the table of no policy: the class says nothing of itself."""
        return self.policy.table()

    def build(self) -> Augmenter:
        """Return a new augmenter."""
        return self.kind()

    def describe(self) -> Any:
        """Return its name; `EntrantTraining` adds its code."""
        return {"name": self.name}


@dataclass(frozen=True, kw_only=True)
class EntrantTraining(FullTraining):
    """A training of the entrant; ``code`` is the hash of the file that defines it, if any."""

    code: str = ""

    def describe(self) -> dict[str, Any]:
        """Return all that determines the result, as plain data."""
        return {**super().describe(), **({"code": self.code} if self.code else {})}


@dataclass(frozen=True)
class Entrant:
    """An entrant: its ``name`` in the table, and a treatment, or a search that finds one.

    ``file`` is its name if the user's file defines it, and ``code`` the hash of the file.
    """

    name: str
    method: Treatment | SearchSpec
    file: str = ""
    code: str = ""

    @property
    def kind(self) -> Kind:
        """Whether it augments, or searches for what augments."""
        return "searcher" if isinstance(self.method, SearchSpec) else "augmenter"

    @property
    def key(self) -> str:
        """A name for its folders, which changes with its code."""
        plain = "".join(c if c.isalnum() else "-" for c in self.name.lower()).strip("-")[:40]
        digest = blake2b(f"{self.kind} {self.name} {self.code}".encode(), digest_size=4)
        return f"{plain}-{digest.hexdigest()}"

    def job(self, treatment: Treatment, seed: int) -> FullTraining:
        """Return the training of its treatment under a seed."""
        return EntrantTraining(policy=treatment, seed=seed, code=self.code)


def read_entrant(augmenter: str | None = None, searcher: str | None = None) -> Entrant:
    """Return the entrant of a name, or of ``FILE.py:NAME``; importing the file runs its code.

    Raises `UsageError` unless exactly one is given, and for a file or a name that does not fit.

    >>> read_entrant("flip-crop").kind, read_entrant(searcher="race").kind
    ('augmenter', 'searcher')
    """
    if (augmenter is None) == (searcher is None):
        got = "neither" if augmenter is None else "both"
        raise UsageError(
            f"got {got} of --augmenter and --searcher; expected one of them: a name, or "
            "FILE.py:NAME"
        )
    text = augmenter or searcher or ""
    file, _, name = text.rpartition(":")
    if not file.endswith(".py"):
        if text.endswith(".py"):
            raise UsageError(
                f"got {text}; expected the name in the file too, such as {text}:{_some_name(text)}"
            )
        made = as_treatment(text) if augmenter else load_method(text)
        return Entrant(made.name, made)
    path = Path(file)
    code = blake2b(_bytes(path), digest_size=8).hexdigest()
    thing = _named(_module(path), name, path)
    read: Callable[[Any, str], Any] = _augmenter if augmenter else _searcher
    return Entrant(name, read(thing, text), path.name, code)


def _augmenter(thing: Any, text: str) -> Treatment:
    made = _made(thing, text) if isinstance(thing, type) else thing
    if isinstance(made, (Policy, AugmenterSpec)):
        return made
    if isinstance(thing, type) and isinstance(made, Augmenter):
        return OwnAugmenter(thing, thing.__name__)
    raise UsageError(
        f"{text} is {_what(thing)}; expected a subclass of automorph.training.Augmenter, a policy, "
        "or an object like automorph.training.AugmenterSpec"
    )


def _searcher(thing: Any, text: str) -> SearchSpec:
    if isinstance(thing, type) and issubclass(thing, Searcher):
        return load_method(thing)
    raise UsageError(
        f"{text} is {_what(thing)}; expected a subclass of automorph.searchers.Searcher, which is "
        "made from a SearchContext"
    )


def _made(kind: type, text: str) -> Any:
    try:
        return kind()
    except TypeError as error:
        raise UsageError(
            f"{text} cannot be made without arguments ({error}); expected a class whose arguments "
            "all have defaults"
        ) from error


def _what(thing: Any) -> str:
    return f"the class {thing.__name__}" if isinstance(thing, type) else f"a {type(thing).__name__}"


def _module(path: Path) -> ModuleType:
    """Import a file by its name, as worker processes will: they get the same ``sys.path``."""
    stem, folder = path.stem, str(path.resolve().parent)
    if not stem.isidentifier():
        raise UsageError(
            f"got the file {path}; expected letters, digits and _ before .py: rename it"
        )
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        module = importlib.import_module(stem)
    except Exception as error:  # Whatever the code of the user raises.
        raise UsageError(
            f"{path} cannot be imported ({type(error).__name__}: {error}); correct it first: "
            f"python {path}"
        ) from error
    if Path(getattr(module, "__file__", None) or "").resolve() != path.resolve():
        raise UsageError(
            f"got the file {path}, but {stem} is the name of another module; rename the file"
        )
    return module


def _named(module: ModuleType, name: str, path: Path) -> Any:
    if not hasattr(module, name):
        raise UsageError(unknown("name", name, _names(path), where=f" in {path}"))
    return getattr(module, name)


def _names(path: Path) -> list[str]:
    """Return the names of the classes that a file defines, without running it."""
    try:
        tree = ast.parse(_bytes(path))
    except SyntaxError:
        return []
    return [one.name for one in tree.body if isinstance(one, ast.ClassDef)]


def _some_name(file: str) -> str:
    return next(iter(_names(Path(file))), "MyAugmenter")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot read {path} ({error.strerror or error}); expected a Python file"
        ) from error
