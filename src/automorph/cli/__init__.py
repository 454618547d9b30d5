"""The command line: one file per verb; heavy libraries are imported only when a verb runs."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import click

from automorph._version import __version__
from automorph.cli.audit import audit
from automorph.cli.compare import compare
from automorph.cli.config import config_option, expanded
from automorph.cli.doctor import doctor
from automorph.cli.explain import explain
from automorph.cli.export import export
from automorph.cli.listing import list_
from automorph.cli.patch import patch
from automorph.cli.predict import predict
from automorph.cli.preview import preview
from automorph.cli.quickstart import quickstart
from automorph.cli.report import report
from automorph.cli.review import review
from automorph.cli.rewrite import rewrite
from automorph.cli.run_names import remember
from automorph.cli.search import search
from automorph.cli.suite import suite
from automorph.cli.train import train
from automorph.errors import AutomorphError

VERBS = (
    quickstart, search, compare, train, predict, explain, review, audit, patch, preview, rewrite,
    report, export, suite, list_, doctor,
)  # fmt: skip


class VerbGroup(click.Group):
    """A group that lists its verbs in the order in which a newcomer needs them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the verbs, in order."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the verb, and its words with those of its configuration file."""
        name, command, rest = super().resolve_command(ctx, args)
        if command is None or ctx.resilient_parsing or not _has_config(rest):
            return name, command, rest
        rest = expanded(command, rest, ctx)
        remember([str(name), *rest])  # What the run states can be run without the file.
        return name, command, rest


def _has_config(words: list[str]) -> bool:
    return any(word.partition("=")[0] == "--config" for word in words)


@click.group(cls=VerbGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="automorph")
def app() -> None:
    """Find the data augmentation that helps your model, and measure how much.

    DATA is a name such as digits, or a kind and a path, such as folder:PATH or csv:PATH; automorph
    list data shows all. To begin, run: automorph quickstart
    """


for verb in VERBS:
    verb.params.append(config_option)
    app.add_command(verb)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; exit with 0, with 2 for bad usage or data, or with 1 otherwise.

    ``audit --fail-under`` exits with 3 if a group is below the limit.
    """
    words = sys.argv[1:] if arguments is None else arguments
    remember(words)
    try:
        app.main(words, prog_name="automorph", standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.UsageError as error:
        if not _json_on_same_stream(words):
            error.show()
        _print_json_error(words, error.format_message(), "UsageError")
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except AutomorphError as error:
        _print_error(words, str(error), type(error).__name__)
        sys.exit(error.exit_status)
    except (KeyboardInterrupt, click.exceptions.Abort):
        print(
            "\nInterrupted. Finished work is saved; run the same command again to continue.",
            file=sys.stderr,
        )
        sys.exit(1)
    except BrokenPipeError:
        # The reader of our output has closed it (as in `| head`).
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _print_error(
            words,
            f"OS error: {error.strerror or error}{where}; fix it and run the command again. "
            "Finished work is saved",
            "OSError",
        )
        sys.exit(1)


def _print_error(words: list[str], message: str, kind: str) -> None:
    from automorph.cli.terminal import clean

    if not _json_on_same_stream(words):
        print(f"Error: {clean(message)}", file=sys.stderr)
    _print_json_error(words, message, kind)


def _json_on_same_stream(words: list[str]) -> bool:
    """Return True if ``--json`` already shows the error on the stream of the plain message."""
    if "--json" not in words:
        return False
    try:
        out, err = os.fstat(sys.stdout.fileno()), os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):  # Streams without a file descriptor.
        return False
    return (out.st_dev, out.st_ino) == (err.st_dev, err.st_ino)


def _print_json_error(words: list[str], message: str, kind: str) -> None:
    """Print the error as one JSON object, if ``--json`` is given."""
    if "--json" in words:
        content: dict[str, Any] = {"error": {"kind": kind, "message": message}}
        print(json.dumps(content))
