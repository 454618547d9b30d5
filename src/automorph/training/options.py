"""Options as users pass them: unknown ones are refused, with a suggestion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from inspect import Parameter, signature
from typing import Any

from automorph.data import Dataset, as_dataset, assemble, load_data
from automorph.errors import UsageError
from automorph.registry import did_you_mean, unknown
from automorph.training.recipe import Recipe
from automorph.training.recipe_table import ENTRIES

_OWN = ("model", "seed", "recipe", "protect", "unlabelled", "weights", "folds", "repeats")
_OF_CALLS = ("folder", "seeds", "jobs", "progress")
"""Options of `compare`, `search` and other calls, used only for suggestions."""
_MORE = "; and those of the call itself, such as folder, seeds and jobs (processes side by side)"
_FOLDERS = ("out", "output", "output_dir", "out_dir", "dir", "path")
_ENTRIES = tuple(entry.name for entry in fields(Recipe))


def check_folder(options: Mapping[str, Any]) -> None:
    """Raise ``UsageError`` for other names of the option ``folder``."""
    if given := [name for name in options if name in _FOLDERS]:
        raise UsageError(f"unknown option {given[0]!r}; to keep results, use folder=PATH")


def check_options(source: Any, options: Mapping[str, Any]) -> None:
    """Raise ``UsageError`` for options that neither a task nor its data accept.

    Options that a `Dataset` cannot take, because it is complete, are refused by `as_dataset`.

    >>> check_options("digits", {"epochs": 2})
    Traceback (most recent call last):
        ...
    automorph.errors.UsageError: got the option 'epochs', which is an entry of the recipe: ...
    """
    reader = load_data if isinstance(source, str) else assemble
    known = [*_OWN, *_names(as_dataset), *(n for n in _names(reader) if n not in _OWN)]
    known = list(dict.fromkeys(known))
    for name, value in options.items():
        if name in _ENTRIES:
            raise UsageError(
                f"got the option {name!r}, which is an entry of the recipe: "
                f'write recipe={{"{name}": {value!r:.40}}}'
            )
        if name not in known and not isinstance(source, Dataset):
            hint = did_you_mean(name, [*known, *_OF_CALLS])
            raise UsageError(unknown("option", name, known, hint=hint, advice=_MORE))


def check_entries(recipe: Any, *, defaults: bool = False) -> None:
    """Raise ``UsageError`` unless ``recipe`` is a dict of changes to a recipe.

    With ``defaults`` set, entries that choose the default recipe are accepted, too.
    """
    if not isinstance(recipe, Mapping):
        raise UsageError(
            f"got recipe={recipe!r:.80}; expected a dict of the entries to change, "
            'as in recipe={"epochs": 2}; pass a whole Recipe to automorph.training.make_task'
        )
    known = (*_ENTRIES, *(ENTRIES if defaults else ()))
    for name in recipe:
        if name not in known:
            raise UsageError(unknown("entry", str(name), known, where="of the recipe"))


def _names(call: Any) -> list[str]:
    """Return the names of a function's options, without its first parameter."""
    _, *others = signature(call).parameters.values()
    return [other.name for other in others if other.kind is Parameter.KEYWORD_ONLY]
