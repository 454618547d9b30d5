"""What a command line and a report say about the task of a comparison or a search."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from automorph.cli.comparison_result import facts_of, ranked_rows
from automorph.cli.options import print_notes, side_by_side
from automorph.cli.provenance import pictures_of, policy_facts, run_provenance
from automorph.cli.run_names import RANDOM
from automorph.cli.suggestions import (
    first_policies,
    policy_argument,
    suggest,
    suggest_again,
)

if TYPE_CHECKING:
    from rich.console import Console

    from automorph.experiments import Comparison, ExternalTask, Treatment
    from automorph.policies import Policy
    from automorph.searchers import SearchResult
    from automorph.training import Recipe, Task

_OF_A_SEARCH = ("out", "resume", "storage")
_OF_A_TABLE = (*_OF_A_SEARCH, "seeds", "controls", "epoch_multiplier")
"""Options of a search that one with folds does not take."""
_PLAIN_RANDOM = {"image": "random(space=randaugment)", "text": RANDOM["text"]}


def length_of(recipe: Recipe) -> str:
    """Describe the length of a training.

    >>> from automorph.training import recipe_for
    >>> length_of(recipe_for("cnn", 100)), length_of(recipe_for("cnn", 100, epochs=1))
    ('until converged (80 epochs at most)', '1 epoch')
    >>> length_of(recipe_for("features:timm:resnet18", 1000))
    '8 augmented copies'
    """
    from automorph.report import plural

    if recipe.optimizer == "lbfgs":
        return plural(recipe.epochs, "augmented copy", "augmented copies")
    epochs = plural(recipe.epochs, "epoch")
    return f"until converged ({epochs} at most)" if recipe.stop == "converged" else epochs


def _seeds(seeds: int | None) -> str:
    from automorph.experiments import SEEDS
    from automorph.report import plural

    return plural(SEEDS if seeds is None else seeds, "seed")


def balance_of(recipe: Recipe) -> str:
    """Name what makes up for rare classes, if anything does.

    >>> from automorph.training import Recipe
    >>> balance_of(Recipe(balance="logits")), balance_of(Recipe())
    (', balance logits', '')
    """
    return "" if recipe.balance == "none" else f", balance {recipe.balance}"


@dataclass(frozen=True)
class DataWords:
    """A task of this package: DATA, a model and a recipe."""

    source: str
    task: Task
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Options of the run that the user did not type: those of the quickstart."""
    own: ClassVar[bool] = False
    """True for the user's own training code."""

    def header(self) -> str:
        """Return the sizes of the data, the model and the length of a training."""
        data = self.task.data
        pool = data.unlabelled
        more = "" if pool is None else f", {len(pool):,} more without labels"
        if data.folds is not None:
            return (
                f"{len(data.train):,} examples of {data.in_words}{more}, "
                f"{data.folds.words}; model {self.task.model}, {length_of(self.task.recipe)}"
                f"{balance_of(self.task.recipe)}"
            )
        return (
            f"{len(data.train):,} training, {len(data.validation or ()):,} validation and "
            f"{data.sizes.get('test', 0):,} test examples of {data.in_words}{more}; "
            f"model {self.task.model} ({self.task.regime}), {length_of(self.task.recipe)}"
            f"{balance_of(self.task.recipe)}"
        )

    def pairs(self, seeds: int | None) -> str:
        """Return the number of trainings of each policy."""
        from automorph.report import plural

        folds = self.task.data.folds
        return _seeds(seeds) if folds is None else plural(folds.cells, "training")

    def folds(self) -> dict[str, Any]:
        """Return the size of the cross-validation, for the record of what was asked."""
        folds = self.task.data.folds
        return {} if folds is None else {"folds": folds.to_dict()}

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

    def facts(self, comparison: Comparison, started: str) -> dict[str, Any]:
        """Return the content of the report, without pictures and the next command."""
        return facts_of(self.source, self.task, comparison, started)

    def shown(self, comparison: Comparison, policies: Mapping[str, Treatment]) -> dict[str, Any]:
        """Return the pictures of the report."""
        from automorph.cli.notable import notable_examples_of

        return {
            "examples": notable_examples_of(self.task, comparison),
            **pictures_of(self.task, policies),
        }

    def settled(self, treatment: Treatment) -> Policy:
        """Return the policy with what it takes from the data, for a file."""
        from automorph.experiments import policy_of
        from automorph.training import fitted

        return policy_of(fitted(treatment, self.task))

    def base_rate(self) -> dict[str, Any] | None:
        """Return the accuracy of always answering the most frequent class."""
        from automorph.cli.examples import base_rate_of

        return base_rate_of(self.task)

    def origin(self) -> dict[str, Any]:
        """Return what a policy file says about where the policy was chosen."""
        return {"data": self.source, "data_hash": self.task.data.hash}

    @property
    def random(self) -> str:
        """The random control."""
        return RANDOM[self.domain]

    def after_comparison(self, comparison: Comparison, folder: Path) -> list[str]:
        """Return the command that follows the advice."""
        assert comparison.advice is not None
        advice, source = comparison.advice, self.source
        if advice.action == "use":
            winner = comparison.policies[comparison.winner]
            policy = policy_argument(winner, folder, found=winner)
            return [suggest("train", source, **self.settings, policy=policy)]
        if advice.action == "keep":
            return [suggest("search", source, **self.settings)]
        if advice.action == "add seeds":
            return [suggest_again(source, seeds=advice.seeds)]
        if advice.action == "too few":
            return [suggest("train", source, **self.settings, policy=advice.policy)]
        if advice.action == "add epochs":
            return [suggest_again(source, but=("out",), epochs=2 * self.task.recipe.epochs)]
        tried = first_policies(self.domain, random=self.random)
        return [suggest_again(source, policies=tried)]

    def after_search(self, result: SearchResult, folder: Path) -> list[str]:
        """Return the command that follows the advice."""
        assert result.advice is not None
        advice, source, epochs = result.advice, self.source, self.task.recipe.epochs
        if advice.action == "add epochs":
            return [suggest_again(source, but=_OF_A_SEARCH, epochs=2 * epochs)]
        advised = result.advised
        policy = policy_argument(
            advised, folder, found=result.policy, settled=self.settled(advised)
        )
        # With too few examples to tell, the search can be repeated in every fold.
        few = advice.action == "too few" or (advice.action == "compare" and not advice.seeds)
        again = (
            [suggest_again(source, but=_OF_A_TABLE, folds=5)] if few and not result.folds else []
        )
        if advice.action == "compare":
            compared = ["none", policy]
            return [
                suggest("compare", source, policies=compared, seeds=advice.seeds or None),
                *again,
            ]
        if advice.action == "train longer":
            longer = result.epoch_multiplier * epochs
            return [suggest("train", source, policy=policy, epochs=longer)]
        return [suggest("train", source, policy=policy), *again]


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

    def pairs(self, seeds: int | None) -> str:
        """Return the number of trainings of each policy."""
        return _seeds(seeds)

    def folds(self) -> dict[str, Any]:
        """Return nothing: the command divides its own data."""
        return {}

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

    def facts(self, comparison: Comparison, started: str) -> dict[str, Any]:
        """Return the content of the report, without pictures and the next command."""
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
            "limits": [missing],
            "curves": {},
            "provenance": run_provenance(started, comparison.seconds),
        }

    def shown(self, comparison: Comparison, policies: Mapping[str, Treatment]) -> dict[str, Any]:
        """Return the policies; without data there are no pictures."""
        return {"policies": {name: policy_facts(policy) for name, policy in policies.items()}}

    def settled(self, treatment: Treatment) -> Policy:
        """Return the policy for a file: the data are the command's own."""
        from automorph.experiments import policy_of

        return policy_of(treatment)

    def base_rate(self) -> None:
        """Return nothing: the data are not known."""

    def origin(self) -> dict[str, Any]:
        """Return what a policy file says about where the policy was chosen."""
        return {"command": self.task.text}

    @property
    def random(self) -> str:
        """The random control: without SamplePairing, which a transform cannot apply."""
        return _PLAIN_RANDOM[self.domain]

    def after_comparison(self, comparison: Comparison, folder: Path) -> list[str]:
        """Return the command that follows the advice."""
        assert comparison.advice is not None
        advice = comparison.advice
        if advice.action == "use":
            winner = comparison.policies[comparison.winner]
            return [self._use(winner, folder, found=winner)]
        if advice.action == "keep":
            return [suggest("search")]
        if advice.action == "add seeds":
            return [suggest_again(seeds=advice.seeds)]
        tried = first_policies(self.domain, random=self.random)
        return [suggest_again(policies=tried)]

    def after_search(self, result: SearchResult, folder: Path) -> list[str]:
        """Return the command that follows the advice."""
        assert result.advice is not None
        advice, found = result.advice, result.policy
        if advice.action == "compare":
            policy = policy_argument(found, folder, found=found)
            return [suggest("compare", policies=["none", policy], seeds=advice.seeds or None)]
        longer = advice.action == "train longer"
        times = result.epoch_multiplier if longer else 1
        return [self._use(result.advised, folder, found=found, times=times)]

    def _use(self, treatment: Treatment, folder: Path, *, found: Treatment, times: int = 1) -> str:
        """Return the command line of one training with a policy, in a new folder.

        What changes with the epoch is trained by `compare`, which calls the command once for each
        part; what is drawn by the seed of a training is drawn first.
        """
        from automorph.experiments import policy_of
        from automorph.policies import save_policy

        policy = policy_of(treatment)
        if policy.needs_epoch:
            file = policy_argument(treatment, folder, found=found)
            return suggest("compare", policies=[file], seeds=1)
        file = str(save_policy(policy.with_seed(0), folder / "recommended.json"))
        out = str(folder / "recommended")
        epochs = None if self.task.epochs is None else times * self.task.epochs
        line = replace(self.task, epochs=epochs).line(policy=file, seed="0", out=out)
        return f"mkdir -p {shlex.quote(out)} && {line}"


def words_of(
    source: str | None, task: Task | ExternalTask, settings: Mapping[str, Any] | None = None
) -> DataWords | CommandWords:
    """Return the words about a task; ``source`` is DATA, ``settings`` are options not typed."""
    from automorph.experiments import ExternalTask

    if isinstance(task, ExternalTask):
        return CommandWords(task)
    return DataWords(source or task.name, task, settings or {})
