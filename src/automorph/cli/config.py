"""Configuration files: the options of a command as TOML, read by and written for every run."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from automorph._version import __version__
from automorph.cli.option_values import typed
from automorph.errors import UsageError
from automorph.files import atomic_write, make_folder
from automorph.registry import unknown

FILE = "run.toml"
ABOUT, DEFAULTS = "written-by", "defaults"
"""Tables of the files that runs write: the command and version, and what was not typed."""
LARGEST_FILE = 2**20
"""Bytes; larger files are refused."""
_OF_ONE_RUN = frozenset({
    "config", "out", "quiet", "as_json", "resume", "storage", "engine", "address", "jobs", "track",
    "tensorboard", "accept_versions", "budget",
})  # fmt: skip
"""Parameters that a file of a run leaves out: they change no result, or became numbers."""

config_option = click.Option(
    ["--config"],
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    expose_value=False,
    help="TOML file of options, such as the run.toml of a run, which repeats it. Options that you "
    "type replace those of the file.",
)


def expanded(command: click.Command, args: Sequence[str], parent: click.Context) -> list[str]:
    """Return the words of a command with the options of its ``--config`` file as typed ones.

    Raises `UsageError` for unknown keys and for a file of another command.
    """
    with click.Context(command, info_name=command.name, parent=parent) as context:
        given, rest, _ = command.make_parser(context).parse_args(list(args))
    if not isinstance(given.get("config"), str):
        return list(args)
    path = Path(given["config"])
    entries = _read(path, command)
    words, positional = list[str](), list[str]()
    for parameter, value in _chosen(entries, command, path):
        if parameter.name in given and not isinstance(parameter, click.Argument):
            continue
        if isinstance(parameter, click.Argument):
            positional += [] if rest or _typed_argument(given, parameter) else _listed(value)
        else:
            words += _words(parameter, value, path)
    return [*positional, *words, *_without_config(args)]


def write_config(folder: Path, **numbers: Any) -> None:
    """Write the options of the command that runs to ``run.toml`` of its run folder.

    ``numbers`` are what a time budget became, by parameter; None leaves one out. Outside of a
    command line, nothing is written.
    """
    import tomli_w

    context = click.get_current_context(silent=True)
    if context is None:
        return
    chosen, defaults = _of_run(context, numbers)
    content = {
        **chosen,
        DEFAULTS: defaults,
        ABOUT: {"command": context.info_name, "automorph": __version__},
    }
    make_folder(folder)
    with atomic_write(folder / FILE) as temporary:
        head = f"# To repeat this run: automorph {context.info_name} --config {FILE}\n"
        temporary.write_text(head + tomli_w.dumps(content, multiline_strings=False), "utf-8")


def options_of() -> dict[str, Any]:
    """Return the options of the command that runs, as plain data; empty outside of one."""
    context = click.get_current_context(silent=True)
    if context is None:
        return {}
    chosen, defaults = _of_run(context, {})
    return {**defaults, **chosen, "command": context.info_name}


def _of_run(
    context: click.Context, numbers: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the options that were typed, or became ``numbers``, and the others' values."""
    chosen, defaults = dict[str, Any](), dict[str, Any]()
    for parameter in context.command.params:
        name = str(parameter.name)
        if name in _OF_ONE_RUN:
            continue
        value = numbers.get(name, context.params.get(name))
        source = context.get_parameter_source(name)
        typed_in = source in (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
        if value is None or value is False or value == ():
            continue
        target = chosen if typed_in or name in numbers else defaults
        target[_key(parameter)] = _plain(parameter, value)
    return chosen, defaults


def config_schema(commands: Mapping[str, click.Command]) -> dict[str, Any]:
    """Return the JSON Schema of configuration files: one definition for each command."""
    about = {
        "type": "object",
        "properties": {"command": {"type": "string"}, "automorph": {"type": "string"}},
        "additionalProperties": False,
    }
    kinds = {}
    for name, command in commands.items():
        options = {_key(one): _schema_of(one) for one in _parameters(command)}
        kinds[name] = {
            "title": f"automorph {name}",
            "type": "object",
            "properties": {
                **options,
                DEFAULTS: {"type": "object", "properties": options, "additionalProperties": False},
                ABOUT: about,
            },
            "additionalProperties": False,
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Automorph configuration files (TOML)",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in kinds],
        "$defs": kinds,
    }


def _read(path: Path, command: click.Command) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError(f"it has more than {LARGEST_FILE:,} bytes")
        entries = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"cannot read the configuration {path}: {reason}; expected a TOML file of options, "
            'such as: data = "digits"'
        ) from None
    about = entries.pop(ABOUT, {})
    for_command = about.get("command") if isinstance(about, dict) else None
    if for_command not in (None, command.name):
        raise UsageError(
            f"{path} was written by automorph {for_command}, but the command is {command.name}; "
            f"expected a file for it: run automorph {for_command} --config {path}, or remove the "
            f"table [{ABOUT}] to use its options here"
        )
    return entries


def _chosen(
    entries: dict[str, Any], command: click.Command, path: Path
) -> Iterator[tuple[click.Parameter, Any]]:
    """Yield parameters and values of a file; defaults only where this version has others."""
    known = {
        name.lstrip("-"): one
        for one in _parameters(command)
        for name in (one.opts if isinstance(one, click.Option) else [str(one.name)])
    }
    defaults = entries.pop(DEFAULTS, {})
    if not isinstance(defaults, dict):
        raise UsageError(f"{path}: {DEFAULTS} is {defaults!r:.60}; expected a table [{DEFAULTS}]")
    for name, value in [*entries.items(), *defaults.items()]:
        if name not in known:
            where = f"of automorph {command.name} in {path}"
            names = sorted({_key(one) for one in known.values()})
            raise UsageError(unknown("option", name, names, where=where))
        if name in entries or value != _plain(known[name], known[name].default):
            yield known[name], value


def _words(option: click.Parameter, value: Any, path: Path) -> list[str]:
    """Return an option of a file as words of a command line."""
    name, key = option.opts[0], _key(option)
    if getattr(option, "is_flag", False):
        if not isinstance(value, bool):
            raise UsageError(f"{path}: {key} is {value!r:.60}; expected true or false")
        return [name] if value else []
    multiple = getattr(option, "multiple", False)
    if isinstance(value, (bool, dict)) or (isinstance(value, list) and not multiple):
        expected = f"a text or a number{', or a list of them' if multiple else ''}"
        raise UsageError(f"{path}: {key} is {value!r:.60}; expected {expected}")
    found = list[str]()
    for one in _listed(value):
        # A value that begins with a minus would be read as an option.
        found += [f"{name}={one}"] if one.startswith("-") else [name, one]
    return found


def _listed(value: Any) -> list[str]:
    return [typed(one) for one in (value if isinstance(value, list) else [value])]


def _without_config(args: Sequence[str]) -> list[str]:
    """Return the typed words without the option itself."""
    words, skip = list[str](), False
    for word in args:
        if not skip and word.partition("=")[0] == "--config":
            skip = "=" not in word
        elif skip:
            skip = False
        else:
            words.append(word)
    return words


def _typed_argument(given: Mapping[str, Any], argument: click.Argument) -> bool:
    value = given.get(str(argument.name))
    return isinstance(value, str) or (isinstance(value, tuple) and len(value) > 0)


def _parameters(command: click.Command) -> list[click.Parameter]:
    return [one for one in command.params if one.name != "config"]


def _key(parameter: click.Parameter) -> str:
    """Return the name of a parameter in a file: that of its option, without dashes."""
    if isinstance(parameter, click.Argument):
        return str(parameter.name)
    return max(parameter.opts, key=lambda name: name.startswith("--")).lstrip("-")


def _plain(parameter: click.Parameter, value: Any) -> Any:
    """Return a value as TOML holds it, as a user would type it."""
    if isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (tuple, list)) and (
        getattr(parameter, "multiple", False) or parameter.nargs != 1
    ):
        return [_plain(parameter, one) for one in value]
    return None if value is None else typed(value)


def _schema_of(parameter: click.Parameter) -> dict[str, Any]:
    kind = parameter.type
    one: dict[str, Any]
    if getattr(parameter, "is_flag", False):
        one = {"type": "boolean"}
    elif isinstance(kind, click.Choice):
        one = {"enum": list(kind.choices)}
    elif isinstance(kind, (click.IntRange, click.FloatRange)):
        one = {"type": "integer" if isinstance(kind, click.IntRange) else "number"}
        low = "exclusiveMinimum" if kind.min_open else "minimum"
        one |= {} if kind.min is None else {low: kind.min}
        one |= {} if kind.max is None else {"maximum": kind.max}
    else:
        one = {"type": ["string", "number"]}
    if getattr(parameter, "multiple", False) or parameter.nargs != 1:
        one = {"anyOf": [one, {"type": "array", "items": one}]}
    help_text = getattr(parameter, "help", None)
    return {**one, **({"description": help_text} if help_text else {})}
