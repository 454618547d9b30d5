"""What a search will cost, in words, and the command that repeats it without a clock."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from automorph.cli.run_names import typed_words

if TYPE_CHECKING:
    from automorph.data import Chosen, Folds
    from automorph.experiments import ExternalTask
    from automorph.searchers import NestedPlace, Plan, SearchResult
    from automorph.training import Task

_CHANGED = ("--budget", "--trials", "--seeds", "--longer")
_OF_ONE_MACHINE = ("--out", "--storage", "--engine", "--address", "--jobs", "--track")
_FLAGS = ("--resume", "--tensorboard", "--accept-versions", "--quiet", "-q", "--json")


def plan_in_words(plan: Plan, budget: str, *, own: bool = False, several: bool = False) -> str:
    """Say what a measurement made of a budget such as ``20m``.

    ``several``: the seeds of the plan are a cap.
    """
    from automorph.report import count, duration, plural

    assert plan.trials is not None
    passes = f"{count(plan.passes)} passes{' over the training data' if own else ''}"
    times = plan.epoch_multiplier
    longer = f" and a control {times} times as long" if times > 1 else ""
    return (
        f"Plan for {budget}: {plural(plan.trials, 'trial')} ({passes}), then "
        f"{'at most ' if several else ''}{plural(plan.seeds, 'seed')}{longer}. One "
        f"training took {duration(plan.seconds_per_run)}; from here on, no clock decides anything."
    )


def in_folds(task: Task | ExternalTask) -> Folds | None:
    """Return the folds of a task, if a search on it runs anew in every one."""
    from automorph.experiments import ExternalTask

    return None if isinstance(task, ExternalTask) else task.data.folds


def nested_in_words(nested: NestedPlace, folds: Folds, plan: Plan) -> str:
    """Say what the searches of all folds and of all examples cost together."""
    from automorph.report import plural

    each = "" if plan.trials is None else f" of {plural(plan.trials, 'trial')} each"
    return (
        f"{nested.searches} searches{each}, one in each of {folds.words} and one on all examples; "
        f"with the trainings that test them, they cost about {nested.trainings:.0f} plain "
        "trainings."
    )


def nested_facts(result: SearchResult) -> dict[str, Any]:
    """Return what the report has of the searches in the folds; empty without folds."""
    if result.folds is None:
        return {}
    return {"nested": {"kept": result.policy.name, "picks": list(result.picks)}}


def nested_evidence(result: SearchResult) -> dict[str, Any]:
    """Return what a policy file says of how often the searches picked what; empty without folds."""
    if result.folds is None:
        return {}
    return {"folds": result.folds.to_dict(), "picked": dict(Counter(result.picks).most_common())}


def overrun_in_words(result: SearchResult, budget: str | None) -> str:
    """Say that a search took longer than its budget; empty if it did not."""
    from automorph.report import duration
    from automorph.searchers import read_budget

    if budget is None or result.plan.trials is None or result.seconds <= 1.1 * read_budget(budget):
        return ""
    return (
        f"The search took {duration(result.seconds)} instead of {budget}, because its numbers of "
        "trials and seeds were fixed when it began."
    )


def plan_facts(result: SearchResult) -> dict[str, Any]:
    """Return what run.json and the report hold of the plan."""
    facts: dict[str, Any] = {"plan": result.plan.to_dict(), "passes": result.units.passes}
    if result.plan.trials is not None:
        numbers = {
            "--trials": result.plan.trials,
            **({} if result.folds else {"--seeds": result.looks or result.plan.seeds}),
            **({"--longer": result.epoch_multiplier} if result.epoch_multiplier > 1 else {}),
        }
        facts["repeat"] = repeat_command(typed_words(), numbers)
    return facts


def numbers_of(result: SearchResult, chosen: Chosen | None) -> dict[str, Any]:
    """Return what a time budget became, by parameter of the search; empty without a budget.

    Size and network are among it, if they were ``chosen`` for the budget.
    """
    if result.plan.trials is None:
        return {}
    longer = result.epoch_multiplier
    return {
        "trials": result.plan.trials,
        **({} if result.folds else {"seeds": str(result.looks or result.plan.seeds)}),
        **({"epoch_multiplier": longer} if longer > 1 else {}),
        **({} if chosen is None else {"size": chosen.size, "model": chosen.model}),
    }


def repeat_command(typed: Sequence[str], numbers: Mapping[str, object]) -> str:
    """Return the typed command with counts instead of a budget, without what one machine needs.

    >>> repeat_command(["search", "my data", "--budget", "20m", "-q", "--out=a"], {"--trials": 9})
    "automorph search 'my data' --trials 9"
    """
    words, left_out = ["automorph"], False
    for word in typed:
        option, equals, _ = word.partition("=")
        if left_out or word in _FLAGS:
            left_out = False
        elif option in (*_CHANGED, *_OF_ONE_MACHINE):
            left_out = not equals
        else:
            words.append(word)
    for option, number in numbers.items():
        words += [option, str(number)]
    return shlex.join(words)
