"""Trainings by the user's own code: what a comparison or a search needs in place of a `Task`."""

from __future__ import annotations

import shlex
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from automorph.captured import captured_values, code_of, home_of
from automorph.errors import DiskError, UsageError
from automorph.experiments.command import LOG, Command, CrashError
from automorph.experiments.result_file import (
    ScriptResult,
    check_result,
    read_result,
    write_result,
)
from automorph.files import make_folder
from automorph.policies import Policy, save_policy
from automorph.registry import unknown

DOMAINS = ("image", "text")


@dataclass(frozen=True)
class Budget:
    """What one training may use: see `Objective`.

    ``epochs`` is how many to train in total, including those before the checkpoint (None: the
    objective decides); ``checkpoint`` is the file of an earlier training to continue from, or None;
    ``folder`` is an empty folder for the files of this training.
    """

    epochs: int | None
    checkpoint: Path | None
    folder: Path


Objective = Callable[[Policy, int, Budget], Mapping[str, Any]]
"""A training: takes a policy, a seed and a `Budget`, and returns the entries of a result file."""


@dataclass(frozen=True)
class ExternalTask:
    """Trainings by a `Command` or an `Objective` of the user.

    ``epochs`` is the length of a whole training (None: the objective decides, and all trainings are
    whole). ``resumable`` is True if it can continue from a checkpoint. ``with_test`` is False
    during a search: test values are then neither kept nor shown.
    """

    objective: Command | Objective
    name: str
    epochs: int | None = None
    domain: str = "image"
    resumable: bool = False
    with_test: bool = True

    @property
    def text(self) -> str:
        """The template of the command, or the import path of the function."""
        if isinstance(self.objective, Command):
            return self.objective.template
        return name_of_function(self.objective)

    def line(self, *, policy: str, seed: str, out: str) -> str:
        """Return the command line of one whole training from the beginning, for a shell."""
        if not isinstance(self.objective, Command):
            return self.text
        rest = {"epochs": str(self.epochs or ""), "checkpoint": ""}
        values = {"policy": policy, "seed": seed, "out": out, **rest}
        return shlex.join(self.objective.words(values))

    def without_test(self) -> ExternalTask:
        """Return the task for a search, which must not see test values."""
        return replace(self, with_test=False)

    def describe(self) -> dict[str, Any]:
        """Return all that its results are known to depend on, as plain data."""
        if isinstance(self.objective, Command):
            own: dict[str, Any] = self.objective.describe()
        else:
            own = {"function": name_of_function(self.objective), "code": code_of(self.objective)}
            if values := captured_values(self.objective):
                own["values"] = values
        return {**own, "name": self.name, "epochs": self.epochs, "domain": self.domain}

    def notes(self) -> list[str]:
        """Return what a user must know about results that are reused."""
        if not isinstance(self.objective, Command):
            return [
                f"Results are reused while the source of {name_of_function(self.objective)} and "
                "the plain values that it carries (arguments of a partial function, enclosing "
                "variables, attributes) do not change; changes of other functions, global "
                "variables and data are not noticed: use another folder after them."
            ]
        files = ", ".join(self.objective.describe()["files"])
        basis = f"the command and the content of {files} do" if files else "the command does"
        return [
            f"Results are reused while {basis} not change; changes of other files (imported "
            "modules, data) are not noticed: use another --out (folder=...) after them."
        ]

    def train(
        self,
        policy: Policy,
        *,
        seed: int,
        folder: Path,
        epochs: int | None = None,
        checkpoint: Path | None = None,
    ) -> ScriptResult:
        """Train once, up to epoch ``epochs``, and return the checked result.

        ``folder`` is that of the job; every try has its own folder inside. A crash is retried as
        often as the command allows. Raises `TrainingError` that says why there is no result.
        """
        make_folder(folder)
        policy = policy.with_seed(seed)  # training code need not know how "random" is drawn
        retries = self.objective.retries if isinstance(self.objective, Command) else 0
        for left in range(retries, -1, -1):
            budget = Budget(epochs, checkpoint, _next_try(folder))
            try:
                result = self._once(policy, seed, budget)
            except CrashError as error:
                if left:
                    continue
                if retries:
                    raise CrashError(f"{retries + 1} times, {error}") from None
                raise
            return result
        raise AssertionError("unreachable")

    def _once(self, policy: Policy, seed: int, budget: Budget) -> ScriptResult:
        if not isinstance(self.objective, Command):
            return self._called(self.objective, policy, seed, budget)
        file = budget.folder.parent / "policy.json"
        save_policy(policy, file)
        values = {
            "policy": str(file.resolve()),
            "seed": str(seed),
            "epochs": "" if budget.epochs is None else str(budget.epochs),
            "out": str(budget.folder.resolve()),
            "checkpoint": "" if budget.checkpoint is None else str(budget.checkpoint.resolve()),
        }
        self.objective.run(values, budget.folder)
        return read_result(budget.folder, with_test=self.with_test)

    def _called(
        self, function: Objective, policy: Policy, seed: int, budget: Budget
    ) -> ScriptResult:
        try:
            content = function(policy, seed, budget)
        except (DiskError, MemoryError):
            raise
        except Exception as error:
            (budget.folder / LOG).write_text(traceback.format_exc(), "utf-8")
            place = traceback.extract_tb(error.__traceback__)[-1]
            raise CrashError(
                f"{name_of_function(function)} raised {type(error).__name__}: {error} "
                f"({place.filename}, line {place.lineno}); expected a mapping with the entry "
                "'validation'. Correct the function and repeat the call: finished trainings are "
                "kept if there is a folder"
            ) from error
        what = f"the result of {name_of_function(function)}"
        result = check_result(content, budget.folder, what, with_test=self.with_test)
        # As a script does, so that a later job finds the checkpoint.
        write_result(
            budget.folder, validation=result.validation, test=result.test_value,
            metric=result.metric, higher_is_better=result.higher_is_better,
            validation_losses=result.losses, passes=result.passes,
            checkpoint=result.checkpoint and result.checkpoint.resolve(),
        )  # fmt: skip
        return result


def external_task(
    objective: str | Command | Objective,
    *,
    name: str = "",
    epochs: int | None = None,
    domain: str = "image",
    resumable: bool | None = None,
    **others: Any,
) -> ExternalTask:
    """Make the task of a command or a function, and check its arguments.

    ``epochs`` is the length of a whole training, ``domain`` is ``image`` or ``text``;
    ``resumable`` None: True for commands with ``{checkpoint}``, False for functions. Raises
    `UsageError` if the arguments do not fit each other.
    """
    if others:
        known = ("name", "epochs", "domain", "resumable")
        raise UsageError(
            unknown("option", next(iter(others)), known, where="of training code of your own")
            + ": options of the data and the model belong into that code"
        )
    if domain not in DOMAINS:
        raise UsageError(unknown("domain", domain, DOMAINS))
    if isinstance(objective, str):
        objective = Command(objective)
    if isinstance(epochs, str):
        raise UsageError(
            f"got epochs={epochs!r} for training code of your own; expected a whole number, which "
            "replaces {epochs}: only trainings by Automorph can end by themselves"
        )
    if epochs is not None and epochs < 1:
        raise UsageError(f"got epochs={epochs}; expected 1 or more")
    if isinstance(objective, Command):
        objective.check_program()
        takes_epochs = "epochs" in objective.placeholders
        if takes_epochs and epochs is None:
            raise UsageError(
                "the command has {epochs}, but no number of epochs was given; expected the length "
                "of a whole training: add --epochs (epochs=...), or remove {epochs}"
            )
        if epochs is not None and not takes_epochs:
            raise UsageError(
                f"got {epochs} epochs, but the command has no {{epochs}}; expected both or "
                "neither: add {epochs} to the command, or omit --epochs (epochs=...)"
            )
        if resumable is None:
            resumable = "checkpoint" in objective.placeholders
    elif not callable(objective):
        raise UsageError(
            f"got objective={objective!r:.60}; expected a function that takes a policy, a seed and "
            "a budget and returns a mapping such as {'validation': 0.913}"
        )
    return ExternalTask(
        objective, name or _default_name(objective), epochs, domain, bool(resumable)
    )


def name_of_function(function: Any) -> str:
    """Return the import path of a function, or of the class of a callable."""
    home = home_of(function)
    return f"{home.__module__}.{home.__qualname__}"


def _default_name(objective: Command | Objective) -> str:
    """Return a short name: that of the script, or of the function."""
    if not isinstance(objective, Command):
        return name_of_function(objective).rpartition(".")[2].strip("<>") or "function"
    words = objective.words(dict.fromkeys(objective.placeholders, ""))
    scripts = [Path(word).stem for word in words if Path(objective.cwd, word).is_file()]
    if scripts and len(words) > 1:
        return scripts[0] if Path(words[0]).stem != scripts[0] else (scripts[1:] or scripts)[0]
    return Path(words[0]).stem


def _next_try(folder: Path) -> Path:
    """Make the folder of the next try.

    Never that of an earlier one: a script that outlives its driver for a moment may write to it.
    """
    numbers = [int(one.name[4:]) for one in folder.glob("try-*") if one.name[4:].isdecimal()]
    return make_folder(folder / f"try-{max(numbers, default=0) + 1}")
