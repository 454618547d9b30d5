"""Click types of DATA and POLICY: checked before heavy imports, with shell completion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from automorph.errors import DamagedError, DiskError, UsageError
from automorph.files import disk_advice, read_json

if TYPE_CHECKING:
    _Word = click.ParamType[str]
else:
    _Word = click.ParamType


class DataWord(_Word):
    """DATA: a known name or an existing source."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check that the word names a source."""
        from automorph.data import check_source

        check_source(value)
        return value

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Names, kinds, and what lies where the word points to."""
        from automorph.data import SOURCES

        kind, colon, start = incomplete.partition(":")
        names = [name for name, source in SOURCES.items() if not source.takes_path]
        found = [name for name in names if name.startswith(incomplete)]
        for source in SOURCES.values():
            scheme = source.stem
            fits = scheme == kind if colon else scheme.startswith(kind)
            if not (source.takes_path and fits):
                continue
            found += [] if colon else [f"{scheme}:"]
            if source.endings is not None:
                found += [f"{scheme}:{path}" for path in _paths(start, source.endings)]
        return [CompletionItem(one) for one in found]


class Epochs(_Word):
    """Epochs: a whole number from 1, or one of ``words``."""

    name = "text"

    def __init__(self, *words: str) -> None:
        self.words = words

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a number or a word."""
        if value in self.words:
            return str(value)
        try:
            number = int(value)
        except ValueError:
            number = 0
        if number < 1:
            expected = " or ".join(["a whole number from 1", *self.words])
            raise UsageError(f"--epochs is {value!r:.40}; expected {expected}")
        return number

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The words."""
        return [CompletionItem(word) for word in self.words if word.startswith(incomplete)]


class NameWord(_Word):
    """A name of a registry, ``room:REGISTRY``, or one of the ``others`` that the option takes.

    ``check`` is a light function, ``room:function``, that refuses wrong words; without it, the
    name alone is looked up here and its options are checked later. Files with one of ``endings``
    are completed, too.
    """

    name = "text"

    def __init__(
        self, registry: str, *others: str, check: str = "", endings: tuple[str, ...] = ()
    ) -> None:
        self.registry, self.others, self.check = registry, others, check
        self.endings = endings

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check that the word is a name."""
        if value in self.others:
            return value
        if self.check:
            _load(self.check)(value)
        else:
            registry = _load(self.registry)
            registry.find(registry.head(value)[0])
        return value

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Names, with what is known of each."""
        registry = _load(self.registry)
        found = [(one.completion, one.about) for one in registry.values()]
        found += [(other, "") for other in self.others]
        found += [(path, "") for path in (_paths(incomplete, self.endings) if self.endings else ())]
        return [
            CompletionItem(name, help=about or None)
            for name, about in found
            if name.startswith(incomplete)
        ]


class PolicyWord(_Word):
    """A policy by name or file; with ``online``, also an in-training method."""

    name = "text"

    def __init__(self, *, online: bool = True) -> None:
        self.online = online

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check that the word names a policy."""
        name_of(value, online=self.online)
        return value

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:
        """What to type, for those who name no policy."""
        return (
            "Expected one or more policies, such as --policy none --policy flip-crop; "
            "see: automorph list policies"
        )

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Names and files; of a chain, its last stage."""
        from automorph.augmenters import METHODS
        from automorph.policies import POLICIES

        before, plus, stage = incomplete.rpartition("+")
        start = stage.lstrip()
        head = before + plus + stage[: len(stage) - len(start)]
        names = [*POLICIES, *(METHODS if self.online else ())]
        found = [name for name in names if name.startswith(start)]
        return [CompletionItem(head + one) for one in (*found, *_paths(start, (".json",)))]


def name_of(policy: str, *, online: bool = True) -> str:
    """Return the full name of a policy; only in-training methods import torch."""
    from automorph.augmenters import as_treatment
    from automorph.policies import load_policy

    return as_treatment(policy).name if online else load_policy(policy).name


def check_compared(policies: Sequence[str], baseline: str | None) -> None:
    """Reject a policy given twice and a baseline that is not compared."""
    names = [name_of(policy) for policy in policies]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(
            f"got these policies twice: {', '.join(twice)}; expected each policy once. Remove the "
            "duplicates"
        )
    if baseline is not None and name_of(baseline) not in names:
        raise UsageError(
            f"the baseline {baseline!r} is not among the policies; expected one of "
            f"{', '.join(names)}. Add it with --policy, or choose another baseline"
        )


def check_folder(path: Path) -> None:
    """Reject a folder that cannot be created, before any work is done."""
    missing = [place for place in (path, *path.parents) if not place.exists()]
    try:
        if missing:
            missing[-1].mkdir()
            missing[-1].rmdir()
    except FileExistsError:
        return  # Another process has just created it.
    except OSError as error:
        if advice := disk_advice(error):
            raise DiskError(
                f"cannot create the folder {path}: {error.strerror}; {advice}. Nothing was done"
            ) from None
        raise UsageError(
            f"cannot create the folder {path}: {error.strerror or error}; expected a writable "
            "location. Nothing was done; choose another folder with --out"
        ) from None


def check_verb(folder: Path, verb: str) -> None:
    """Reject a folder with the report of another verb, which would be overwritten."""
    try:
        kind = read_json(folder / "report.json").get("kind", verb)
    except (OSError, DamagedError):
        return
    if kind != verb:
        raise UsageError(
            f"{folder} holds the report of automorph {kind}, which automorph {verb} would "
            "overwrite. Nothing was done; choose another folder with --out"
        )


def _load(home: str) -> Any:
    """Import ``package:name``, when a word is parsed or completed."""
    package, _, name = home.partition(":")
    return getattr(import_module(f"automorph.{package}"), name)


def _paths(start: str, endings: tuple[str, ...]) -> Iterator[str]:
    """Folders, and files of these endings, whose path begins so."""
    top = start[: start.rfind("/") + 1]
    try:
        found = sorted(Path(top or ".").expanduser().iterdir())
    except OSError:
        return
    for path in found:
        if path.name.startswith(start[len(top) :]) and not path.name.startswith("."):
            if path.is_dir():
                yield f"{top}{path.name}" + ("/" if endings else "")
            elif path.suffix.lower() in endings:
                yield top + path.name
