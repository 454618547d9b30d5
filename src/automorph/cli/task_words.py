"""What a command line and a report say about the task of a comparison or a search."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from automorph.cli.comparison_result import facts_of, next_commands, ranked_rows
from automorph.cli.options import print_notes, side_by_side
from automorph.cli.provenance import pictures_of, policy_facts, run_provenance
from automorph.cli.run_names import data_words, policy_words, training_words

if TYPE_CHECKING:
    from rich.console import Console

    from automorph.experiments import Comparison, ExternalTask, Treatment
    from automorph.searchers import SearchResult
    from automorph.training import Task


@dataclass(frozen=True)
class DataWords:
    """A task of this package: DATA, a model and a recipe."""

    source: str
    task: Task
    own: ClassVar[bool] = False
    """True for the user's own training code."""

    def header(self) -> str:
        """Return the sizes of the data, the model and the length of a training."""
        from automorph.report import plural

        data = self.task.data
        return (
            f"{len(data.train):,} training, {len(data.validation or ()):,} validation and "
            f"{data.sizes.get('test', 0):,} test examples of {len(data.classes)} classes; model "
            f"{self.task.model}, {plural(self.task.recipe.epochs, 'epoch')}"
        )

    def print_notes(self, say: Console) -> None:
        """Print what was changed in the data, and what is unusual about them."""
        print_notes(say, self.task.data)

    @property
    def domain(self) -> str:
        """``image`` or ``text``."""
        return self.task.data.domain

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of an example."""
        return tuple(self.task.data.train.data.shape[1:])

    def jobs(self, jobs: int | None) -> int:
        """Return how many trainings run in parallel."""
        return side_by_side(jobs)

    def facts(self, comparison: Comparison, started: str, folder: Path) -> dict[str, Any]:
        """Return the content of the comparison's report, without pictures."""
        return facts_of(self.source, self.task, comparison, started, folder)

    def shown(self, comparison: Comparison, policies: Mapping[str, Treatment]) -> dict[str, Any]:
        """Return the pictures of the report."""
        from automorph.cli.examples import notable_examples_of

        return {
            "examples": notable_examples_of(self.task, comparison),
            **pictures_of(self.task, policies),
        }

    def base_rate(self) -> dict[str, Any] | None:
        """Return the accuracy of always answering the most frequent class."""
        from automorph.cli.examples import base_rate_of

        return base_rate_of(self.task)

    def origin(self) -> dict[str, Any]:
        """Return what a policy file says about where the policy was chosen."""
        return {"data": self.source, "data_hash": self.task.data.hash}

    def after_comparison(self, comparison: Comparison, folder: Path) -> list[str]:
        """Return commands that the user is likely to want next."""
        return next_commands(self.source, comparison, folder, domain=self.domain)

    def after_search(self, result: SearchResult, folder: Path, post_policy: str) -> list[str]:
        """Return commands that the user is likely to want next."""
        data, file = data_words(self.source), shlex.quote(str(folder / "policy.json"))
        found = result.use is result.policy
        used = policy_words(result.policy, folder) if found else shlex.quote(result.use.name)
        commands = [
            f"automorph preview {data} --policy {file}",
            f"automorph train {data} --policy {used}{training_words()}",
        ]
        if not result.longer_pays:
            return commands
        epochs = result.epoch_multiplier * self.task.recipe.epochs
        policy, rest = shlex.quote(post_policy), training_words(but="--epochs")
        longer = f"automorph train {data} --policy {policy} --epochs {epochs}{rest}"
        return [longer, *commands]


@dataclass(frozen=True)
class CommandWords:
    """The user's own training command."""

    task: ExternalTask
    own: ClassVar[bool] = True

    @property
    def source(self) -> str:
        """The short name of the command."""
        return self.task.name

    def header(self) -> str:
        """Return the command and the length of a training."""
        from automorph.report import plural

        length = plural(self.task.epochs, "epoch") if self.task.epochs else "it sets its own length"
        return f"command {self.task.text}; {length}"

    def print_notes(self, say: Console) -> None:
        """Print what is not noticed when results are reused."""
        for note in self.task.notes():
            say.print(note, style="dim", markup=False, soft_wrap=True)

    @property
    def domain(self) -> str:
        """``image`` or ``text``."""
        return self.task.domain

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of an example: not known."""
        return ()

    def jobs(self, jobs: int | None) -> int:
        """Return how many trainings run in parallel: one may use all cores or the whole GPU."""
        return 1 if jobs is None else jobs

    def facts(self, comparison: Comparison, started: str, folder: Path) -> dict[str, Any]:
        """Return the content of the comparison's report, without pictures."""
        known = self.task.describe()
        setting = {
            "Epochs": self.task.epochs,
            "Files": known.get("files") or None,
            "Function": known.get("function"),
            "Reuse": " ".join(self.task.notes()),
        }
        missing = (
            "Data, network, training curves, single predictions and examples of the policies are "
            "not shown, because the training is your own."
        )
        nothing = dict.fromkeys(("n_train", "n_validation", "n_test", "shape", "hash"))
        return {
            **comparison.to_dict(),
            "rows": ranked_rows(comparison),
            "data": {"source": self.source, "domain": self.domain, "classes": [], **nothing},
            "model": self.task.text,
            "recipe": None,
            "trained_by": {name: fact for name, fact in setting.items() if fact is not None},
            "limits": [*comparison.remarks, missing],
            "curves": {},
            "provenance": run_provenance(started, comparison.seconds),
            "next": self.after_comparison(comparison, folder),
        }

    def shown(self, comparison: Comparison, policies: Mapping[str, Treatment]) -> dict[str, Any]:
        """Return the policies; without data there are no pictures."""
        return {"policies": {name: policy_facts(policy) for name, policy in policies.items()}}

    def base_rate(self) -> None:
        """Return nothing: the data are not known."""

    def origin(self) -> dict[str, Any]:
        """Return what a policy file says about where the policy was chosen."""
        return {"command": self.task.text}

    def after_comparison(self, comparison: Comparison, folder: Path) -> list[str]:
        """Return commands that the user is likely to want next."""
        words = self._words()
        return [*self._use(folder / "policy.json"), f"automorph search {words} --trials 20"]

    def after_search(self, result: SearchResult, folder: Path, post_policy: str) -> list[str]:
        """Return commands that the user is likely to want next."""
        from automorph.policies import Policy

        use, file = result.use, folder / "policy.json"
        named = use is not result.policy and isinstance(use, Policy)
        policies = dict.fromkeys(["none", post_policy, use.name if named else str(file)])
        words = " ".join(f"--policy {shlex.quote(one)}" for one in policies)
        return [*([] if named else self._use(file)), f"automorph compare {self._words()} {words}"]

    def _use(self, file: Path) -> list[str]:
        return [self.task.line(policy=str(file), seed="0", out="OUT")]

    def _words(self) -> str:
        epochs = "" if self.task.epochs is None else f" --epochs {self.task.epochs}"
        return f"--command {shlex.quote(self.task.text)}{epochs}"


def words_of(source: str | None, task: Task | ExternalTask) -> DataWords | CommandWords:
    """Return the words about a task; ``source`` is DATA."""
    from automorph.experiments import ExternalTask

    if isinstance(task, ExternalTask):
        return CommandWords(task)
    return DataWords(source or task.name, task)
