"""The registry of typed names with options: one grammar and one wording of errors for all of them.

``NAME(OPTION=VALUE,...)`` names a policy, a search method or an objective; ``NAME:WORD`` is short
for a first option that is a word. Case, ``-`` and ``_`` in names do not matter. Each package
declares its names as a `Registry` of `Entry` objects. Parsing, errors with close matches,
``automorph list``, shell completion and the tables of the documentation are derived from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from importlib import import_module
from inspect import Parameter, signature
from typing import Any, Generic, NoReturn, TypeVar

from automorph.errors import AutomorphError, UsageError

T = TypeVar("T")
E = TypeVar("E", bound="Entry[Any]")

CUTOFF = 0.6
"""Names less similar than this are not suggested (``difflib`` ratio; 1 means equal)."""
_CALL = re.compile(
    r"([A-Za-z][\w-]*(?:\.\d+[\w.-]*)?)\s*(?::\s*([\w./\\~-]+))?\s*(?:\((.*)\))?", re.DOTALL
)
_INTEGER = re.compile(r"[+-]?\d{1,30}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_TYPES = {
    "int": "a whole number",
    "int | None": "a whole number",
    "float": "a number",
    "float | None": "a number",
    "str": "a name",
    "Space": "the name of a search space",
}
"""The types of options, as spelled in signatures, and their descriptions in messages."""


def plain(name: str) -> str:
    """Remove case and separators from a name: ``Shear_X`` and ``shearx`` become equal.

    >>> plain("Shear_X"), plain("Rotate[-2.5]")
    ('shearx', 'rotate[-2.5]')
    """
    # A minus after a bracket is a sign: Rotate[-2.5] differs from Rotate[2.5].
    return re.sub(r"_|(?<!\[)-", "", name.lower())


def closest(name: str, known: Iterable[str], *, most: int = 1) -> list[str]:
    """Return the known names most similar to a name, ignoring case and separators.

    >>> closest("Rand-Aument", ["random", "randaugment"])
    ['randaugment']
    """
    by_key = {plain(one): one for one in known}
    return [by_key[key] for key in get_close_matches(plain(name), by_key, most, CUTOFF)]


def did_you_mean(name: str, known: Iterable[str], *, most: int = 1) -> str:
    """Return a sentence that suggests close matches, with a leading space; empty without any.

    >>> did_you_mean("camle", ["camel", "gdro"])
    " Did you mean 'camel'?"
    """
    close = [repr(one) for one in closest(name, known, most=most)]
    words = " or ".join(filter(None, [", ".join(close[:-1]), *close[-1:]]))
    return f" Did you mean {words}?" if words else ""


def unknown(
    what: str,
    name: str,
    known: Iterable[str],
    *,
    where: str = "",
    hint: str | None = None,
    advice: str = "",
) -> str:
    """Return the message for an unknown name: what was given, what was expected, what to do.

    ``where`` says where the name was looked up, ``hint`` replaces the close matches among
    ``known``, and ``advice`` comes last.

    >>> unknown("option", "limt", ["limit", "size"], where="of the data")
    "unknown option 'limt' of the data. Did you mean 'limit'? Expected one of limit, size"
    """
    names = list(known)
    place = f" {where}" if where else ""
    expected = f"one of {', '.join(names)}" if names else "none"
    hint = did_you_mean(name, names) if hint is None else hint
    return f"unknown {what} {str(name)!r:.100}{place}.{hint} Expected {expected}{advice}"


@dataclass(frozen=True)
class Option:
    """An option of an entry: its name, its type as spelled in the signature, and its default."""

    name: str
    type: str
    default: Any = Parameter.empty

    @property
    def required(self) -> bool:
        """True if there is no default."""
        return self.default is Parameter.empty

    def __str__(self) -> str:
        if self.required:
            return f"{self.name}=..."
        shown = "none" if self.default is None else "''" if self.default == "" else self.default
        return f"{self.name}={shown}"

    def takes(self, value: Any) -> bool:
        """Test whether a value has the option's type."""
        if value is None:
            return self.type.endswith("None")
        if self.type.startswith("int"):
            return isinstance(value, int)
        if self.type.startswith("float"):
            return isinstance(value, int | float)
        return isinstance(value, str)

    @property
    def expected(self) -> str:
        """The description of the type in messages."""
        return _TYPES.get(self.type, "a name")


@dataclass(frozen=True)
class Entry(Generic[T]):
    """A name, the factory of the object that it names, and a one-line description.

    ``factory`` is a callable or ``module:name``; the latter is imported on first use, so that a
    name whose factory needs torch costs nothing. The description is ``summary`` or else the first
    line of the factory's docstring; an entry of ``module:name`` should give ``summary``. The
    options are the parameters of the factory after the first ``given``. ``ready`` builds
    ``NAME:WORD`` for a factory whose first option is not a word.
    """

    name: str
    factory: Callable[..., T] | str
    summary: str = ""
    given: int = field(default=0, kw_only=True)
    ready: Callable[[str], T] | None = field(default=None, kw_only=True)

    def load(self) -> Callable[..., T]:
        """Return the factory; raise `UsageError` if it cannot be imported."""
        if not isinstance(self.factory, str):
            return self.factory
        module, _, name = self.factory.partition(":")
        try:
            found: Callable[..., T] = getattr(import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise UsageError(
                f"{self.name} cannot be loaded: {error}; install its dependencies, or choose "
                "another"
            ) from None
        return found

    def __call__(self, *arguments: Any, **options: Any) -> T:
        """Build the object of this name."""
        return self.load()(*arguments, **options)

    @property
    def about(self) -> str:
        """The one-line description."""
        return self.summary or (self.load().__doc__ or "").split("\n")[0]

    @property
    def stem(self) -> str:
        """The name without the part that the user fills in: ``folder`` of ``folder:PATH``."""
        return self.name.rpartition(":")[0] or self.name

    @property
    def completion(self) -> str:
        """What a shell completes: the name, or ``folder:`` of ``folder:PATH``."""
        return f"{self.stem}:" if ":" in self.name else self.name

    @cached_property
    def options(self) -> tuple[Option, ...]:
        """The options, derived from the factory's signature."""
        parameters = list(signature(self.load()).parameters.values())[self.given :]
        return tuple(Option(one.name, _type_of(one), one.default) for one in parameters)


@dataclass(frozen=True)
class ParsedName:
    """A parsed name with options; ``variant`` is the part after the colon."""

    name: str
    variant: str | None
    arguments: tuple[Any, ...]
    options: dict[str, Any]


class Registry(Mapping[str, E]):
    """The entries of one kind by name, in the order of their declaration.

    ``kind`` is the noun for an entry in messages, ``error`` the class of errors, ``example`` is
    shown if a text cannot be parsed, ``listing`` is the argument of ``automorph list``, ``also``
    describes what else may be typed in place of a name, and ``aliases`` are further names of
    entries. Subscripts take exact names; `find` takes names as users type them.

    >>> colours = Registry("colour", Entry("red", dict), Entry("dark-red", dict), example="red")
    >>> colours.find("Dark_Red").name
    'dark-red'
    >>> colours.find("redd")
    Traceback (most recent call last):
        ...
    automorph.errors.UsageError: unknown colour 'redd'. Did you mean 'red'? Expected one of ...
    """

    def __init__(
        self,
        kind: str,
        *entries: E,
        example: str,
        error: type[AutomorphError] = UsageError,
        listing: str = "",
        also: str = "",
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        self.kind, self.error, self.example, self.listing = kind, error, example, listing
        self.also = also
        self._entries = {entry.name: entry for entry in entries}
        self._keys = {plain(entry.stem): entry for entry in entries}
        self._keys |= {plain(a): self._entries[name] for a, name in (aliases or {}).items()}

    def __getitem__(self, name: str) -> E:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def about(self) -> dict[str, str]:
        """Return every name with its one-line description."""
        return {name: entry.about for name, entry in self.items()}

    def has(self, text: str) -> bool:
        """Test whether a text, without its options, names an entry."""
        return plain(text.partition("(")[0].strip()) in self._keys

    def find(self, name: str) -> E:
        """Return the entry of a name or alias; raise this registry's error for other names."""
        entry = self._keys.get(plain(name))
        if entry is None:
            raise self.unknown(name)
        return entry

    def unknown(self, name: str, *, hint: str | None = None) -> AutomorphError:
        """Return the error for an unknown name; ``hint`` replaces the close matches."""
        if hint is None:
            close = closest(name, self._keys) or closest(name.partition(":")[0], self._keys)
            hint = f" Did you mean {self._keys[close[0]].name!r}?" if close else ""
        see = f"; see: automorph list {self.listing}" if self.listing else ""
        return self.error(unknown(self.kind, name, self, hint=hint, advice=self.also + see))

    def head(self, text: str) -> tuple[str, str | None, str]:
        """Split ``NAME:VARIANT(OPTIONS)`` into its three parts; the name need not be known."""
        match = _CALL.fullmatch(text.strip())
        if match is None:
            self.split(text, "+")  # Unbalanced brackets are the usual reason.
            self.refuse(text, f"expected a name with options, as in {self.example}")
        name, variant, inside = match.groups()
        return name, variant, inside or ""

    def parse(self, text: str) -> ParsedName:
        """Parse ``NAME:VARIANT(VALUE,OPTION=VALUE)``; the name need not be known.

        >>> Registry("colour", example="red(depth=2)").parse("red(1, depth=2)")
        ParsedName(name='red', variant=None, arguments=(1,), options={'depth': 2})
        """
        name, variant, inside = self.head(text)
        arguments: list[Any] = []
        options: dict[str, Any] = {}
        for part in self.split(inside, ",", text) if inside.strip() else []:
            # The options of a value, as in consistency(randaugment(n=2)), are not ours.
            key, *rest = self.split(part, "=", text)
            key, value = key.strip(), "=".join(rest).strip()
            if not part.strip() or (rest and not (key and value)):
                self.refuse(text, f"an option without name or value; expected {self.example}")
            if not rest:
                arguments.append(value_of(part))
            elif key.lower() in options:
                self.refuse(text, f"the option {key} is given twice; give it once")
            else:
                options[key.lower()] = value_of(value)
        return ParsedName(name, variant, tuple(arguments), options)

    def checked(
        self, entry: E, arguments: Sequence[Any] = (), options: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the options by name, checked against the entry; raise this registry's error.

        ``arguments`` are values without a name, for the first options in order.
        """
        known = {option.name: option for option in entry.options}
        who = f"the {self.kind} {entry.name!r}"
        takes = ", ".join(map(str, known.values())) or "no options"
        if len(arguments) > len(known):
            raise self.error(f"{who} got {len(arguments)} values; expected at most {takes}")
        found = dict(zip(known, arguments, strict=False))
        for name, value in (options or {}).items():
            if name not in known:
                hint = did_you_mean(name, known)
                raise self.error(f"unknown option {name!r} of {who}.{hint} Expected {takes}")
            if name in found:
                raise self.error(
                    f"{who} got {name} twice, as {found[name]!r} and {value!r}; give it once"
                )
            found[name] = value
        if missing := [name for name, one in known.items() if one.required and name not in found]:
            raise self.error(f"{who} needs {' and '.join(missing)}; expected {takes}")
        for name, value in found.items():
            option = known[name]
            if value is None and option.type == "str":
                found[name] = value = "none"  # "none" is an ordinary name for a string option.
            if not option.takes(value):
                raise self.error(f"{who} got {name}={value!r:.100}; expected {option.expected}")
        return {name: found[name] for name in known if name in found}

    def read(self, call: str | ParsedName, **options: Any) -> tuple[E, dict[str, Any]]:
        """Return the entry and its checked options; ``options`` add to those in the text."""
        call = self.parse(call) if isinstance(call, str) else call
        entry = self.find(call.name)
        arguments = call.arguments if call.variant is None else (call.variant, *call.arguments)
        return entry, self.checked(entry, arguments, {**call.options, **options})

    def build(self, call: str | ParsedName, *given: Any) -> Any:
        """Build the object of a text or call; ``given`` are the factory's leading arguments."""
        call = self.parse(call) if isinstance(call, str) else call
        if call.variant is not None and (ready := self.find(call.name).ready):
            if call.arguments or call.options:
                raise self.error(
                    f"the {self.kind} {call.name}:{call.variant} takes no further options; "
                    f"expected {call.name}:{call.variant}, or {call.name} with options"
                )
            return ready(call.variant)
        entry, options = self.read(call)
        return entry(*given, **options)

    def split(self, text: str, at: str, whole: str = "") -> list[str]:
        """Split at a character outside brackets; an error shows ``whole``."""
        parts, depth = [""], 0
        for sign in text:
            depth += {"(": 1, ")": -1}.get(sign, 0)
            if depth < 0:
                break
            if sign == at and depth == 0:
                parts.append("")
            else:
                parts[-1] += sign
        if depth:
            self.refuse(whole or text, f"unbalanced brackets; expected {self.example}")
        return parts

    def refuse(self, text: str, why: str) -> NoReturn:
        """Raise the error for a text that cannot be parsed."""
        raise self.error(f"cannot read the {self.kind} {text!r:.200}: {why}")


def value_of(text: str) -> Any:
    """Parse a number, a tuple of numbers, None or a word.

    >>> value_of("3"), value_of("1e-3"), value_of("(1, 2)"), value_of("none"), value_of("tpe")
    (3, 0.001, (1, 2), None, 'tpe')
    """
    word = text.strip().strip("'\"")
    if _INTEGER.fullmatch(word):
        return int(word)
    if _NUMBER.fullmatch(word):
        return float(word)
    if word.startswith("(") and word.endswith(")"):
        return tuple(value_of(part) for part in word[1:-1].split(",") if part.strip())
    return None if word.lower() == "none" else word


def _type_of(parameter: Parameter) -> str:
    """Return an option's type: its annotation if that is known, else the type of its default."""
    annotation = str(parameter.annotation)
    if annotation in _TYPES or parameter.default in (None, Parameter.empty):
        return annotation
    return type(parameter.default).__name__
