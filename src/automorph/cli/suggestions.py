"""Commands that a run suggests: with the run's own options, quoted, so that they run as shown."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from automorph.cli.option_values import OUT, typed
from automorph.cli.options import default_policy
from automorph.cli.run_names import RANDOM

if TYPE_CHECKING:
    from rich.console import Console

    from automorph.experiments import Treatment
    from automorph.policies import Policy

_OF_ONE_RUN = frozenset({
    "out", "quiet", "as_json", "resume", "storage", "tensorboard", "track", "accept_versions",
    "policy", "policies", "baseline", "method", "part", "predictions", "checkpoint",
})  # fmt: skip
"""Parameters that another verb does not take over; some mean something else there."""
TRAINING = (
    "model",
    "weights",
    "epochs",
    "recipe",
    "batch_size",
    "lr",
    "precision",
    "balance",
    "loss",
)
"""Parameters of trainings, which do not apply to a finished network."""
_NOT_REPEATED = frozenset({"quiet", "as_json"})


def suggest(
    verb: str, data: str | None = None, /, *, but: tuple[str, ...] = (), **values: Any
) -> str:
    """Return the command of a verb on ``data``, with the options of the run that it also takes.

    ``values`` are further parameters of the verb by name (None: leave the option out), ``but``
    names options of the run to leave out. What the user did not type keeps its default.

    >>> suggest("train", "csv:my photos.csv", policy="flip + crop", epochs=3)
    "automorph train 'csv:my photos.csv' --policy 'flip + crop' --epochs 3"
    """
    context = click.get_current_context(silent=True)
    carried: dict[str, Any] = {}
    if context is not None:
        known = _options(verb)
        leave = {*_OF_ONE_RUN, *but}
        # Without --deep, the model of explain is that of its features.
        if "explain" in (context.info_name, verb) and not context.params.get("deep"):
            leave |= {"model", "weights"}
        carried = {
            name: value
            for name, value in typed_options(context)
            if name in known and name not in leave
        }
    if verb != "compare" and carried.get("epochs") == "same":
        carried["epochs"] = "auto"  # The same for all policies is a question of comparisons only.
    return _joined(verb, data, {**carried, **values})


def suggest_again(data: str | None = None, /, *, but: tuple[str, ...] = (), **values: Any) -> str:
    """Return the command that runs, on ``data`` if it takes any, with some parameters changed."""
    context = click.get_current_context(silent=True)
    given = {} if context is None else dict(typed_options(context))
    kept = {name: value for name, value in given.items() if name not in {*_NOT_REPEATED, *but}}
    if context is not None and "out" in kept:
        kept["out"] = context.meta.get(OUT, kept["out"])
    verb = "compare" if context is None else str(context.info_name)
    takes_data = context is None or any(one.name == "data" for one in context.command.params)
    return _joined(verb, data if takes_data else None, {**kept, **values})


def policy_argument(
    treatment: Treatment, folder: Path, *, found: Treatment, settled: Policy | None = None
) -> str:
    """Return how a later command names a policy: by a file in the run folder, or by name.

    ``found`` is the policy in the folder's ``policy.json``. In-training methods are named, because
    they learn anew in every training and a file holds only the policy they draw from. A policy
    whose name does not say all of it, such as a random one of an explained space, gets a file, in
    its ``settled`` form: with what it takes from the data.
    """
    from automorph.errors import AutomorphError
    from automorph.policies import Policy, load_policy, save_policy

    if not isinstance(treatment, Policy):
        return treatment.name
    if treatment is found or treatment == found:
        return str(folder / "policy.json")
    try:
        if load_policy(treatment.name) == treatment:
            return treatment.name
    except AutomorphError:
        pass
    return str(save_policy(settled or treatment, folder / "recommended.json"))


def first_policies(domain: str, policy: str = "", *, random: str = "") -> list[str]:
    """Return what to compare: none, what the user named or the usual policy, a random control."""
    context = click.get_current_context(silent=True)
    named = () if context is None else context.params.get("policies", ())
    tried = [name for name in ([policy] if policy else named) if name != "none"]
    tried = tried or [default_policy(domain)]
    return [*dict.fromkeys(["none", *tried, random or RANDOM[domain]])]


def print_next(say: Console, commands: Sequence[str]) -> None:
    """Print what to do next, on lines that can be copied."""
    if commands:
        say.print("\nNext:")
    for command in commands:
        say.print(f"  {command}", soft_wrap=True, markup=False)


def typed_options(context: click.Context) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of the options that the user typed."""
    for parameter in context.command.params:
        name = str(parameter.name)
        source = context.get_parameter_source(name)
        if isinstance(parameter, click.Option) and source == ParameterSource.COMMANDLINE:
            yield name, context.params[name]


def _options(verb: str) -> dict[str, click.Option]:
    """Return the options of a verb by the names of their parameters."""
    command: click.Command = getattr(import_module(f"automorph.cli.{verb}"), verb)
    return {str(one.name): one for one in command.params if isinstance(one, click.Option)}


def _joined(verb: str, data: str | None, values: Mapping[str, Any]) -> str:
    """Write a command with its options in the order of the mapping."""
    given = [] if data is None else [data]
    return shlex.join(["automorph", verb, *given, *flags_of(verb, values)])


def flags_of(verb: str, values: Mapping[str, Any]) -> list[str]:
    """Return the options of a verb as words, in the order of the mapping."""
    options, words = _options(verb), list[str]()
    for name, value in values.items():
        option = options[name]
        for one in value if option.multiple else (value,):
            if one is True:
                words.append(option.opts[0])
            elif one is not None and one is not False:
                words += [option.opts[0], typed(one)]
    return words
