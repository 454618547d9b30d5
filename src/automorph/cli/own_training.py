"""Options of verbs that can run the user's own training command instead of reading DATA."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from automorph.cli.options import stack
from automorph.errors import UsageError

if TYPE_CHECKING:
    from automorph.experiments import ExternalTask, Treatment

_OWN = ("timeout", "retries", "domain")
_SHARED = ("epochs", "out", "quiet", "as_json", "policies", "baseline", "seeds", "seed", "jobs",
           "engine", "address", "accept_versions", "method", "budget", "trials", "space",
           "post_policy", "storage", "resume", "tensorboard", "track")  # fmt: skip
"""Parameters that mean the same with a command as with DATA."""


command_options = stack(
    click.option(
        "--command",
        metavar="COMMAND",
        help="Train with your own command instead of DATA; it runs without a shell. {policy}, "
        "{seed}, {epochs}, {out} and {checkpoint} are replaced; it writes result.json to "
        "{out}.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(0, min_open=True),
        metavar="SECONDS",
        help="With --command: time limit of one training.",
    ),
    click.option(
        "--retries",
        type=click.IntRange(0),
        metavar="N",
        help="With --command: how often a crashed training is repeated.",
        show_default="1",
    ),
    click.option(
        "--domain",
        type=click.Choice(["image", "text"]),
        help="With --command: what it trains on.",
        show_default="that of the policies, else image",
    ),
)
"""Options of the user's own training command."""


def own_task(
    data: str | None, options: dict[str, Any], *, treatments: Sequence[Treatment] = ()
) -> ExternalTask | None:
    """Return the task of ``--command``, or None if DATA is given instead.

    Takes the values of `command_options` out of ``options``. Raises `UsageError` for options that
    belong to DATA, and for both DATA and ``--command``.
    """
    template = options.pop("command")
    own = {name: options.pop(name) for name in _OWN}
    if template is None:
        if given := [f"--{name}" for name in _OWN if own[name] is not None]:
            raise UsageError(
                f"got {' and '.join(given)} without --command; expected them together: add "
                "--command, or remove them"
            )
        return None
    _check_given(data)
    from automorph.experiments import Command, external_task

    command = Command(
        template, timeout=own["timeout"], retries=1 if own["retries"] is None else own["retries"]
    )
    domain = own["domain"] or _domain_of(treatments)
    return external_task(command, epochs=options["epochs"], domain=domain)


def _check_given(data: str | None) -> None:
    context = click.get_current_context()
    others = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name not in (*_SHARED, *_OWN, "command", "data")
        and context.get_parameter_source(str(parameter.name)) == ParameterSource.COMMANDLINE
    ]
    given = ([f"DATA ({data})"] if data is not None else []) + others
    if given:
        raise UsageError(
            f"got {', '.join(given)} with --command; expected none of them, because the command "
            "has its own data and model: put such settings into the command"
        )


def _domain_of(treatments: Iterable[Treatment]) -> str:
    from automorph.experiments import policy_of

    spaces = [policy_of(treatment).space for treatment in treatments]
    domains = {space.domain for space in spaces if len(space)}
    return "text" if "text" in domains else "image"
