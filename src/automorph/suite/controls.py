"""What the suite trains beside the entrant, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from automorph.experiments import FullTraining
from automorph.policies import load_policy
from automorph.suite.sets import LIMIT

ENTRANT = "entrant"
USUAL = "flip-crop + trivialaugment"
"""What one would use without a search."""
LONGER = 4
"""How many times as long the control trains that gets more time instead of more augmentation."""
SEEDS = 3

CONTROLS = {
    "none": ("none", 1),
    "flip-crop": ("flip-crop", 1),
    USUAL: (USUAL, 1),
    "random": ("flip-crop + random", 1),
    "longer": ("flip-crop", LONGER),
}
"""The five controls: policy, and the length of the training in plain trainings."""


LABELS = {"longer": f"flip-crop, {LONGER} times as long"}
"""Controls in words, where the name of the arm does not say it."""


@dataclass(frozen=True)
class Setting:
    """How much is trained: paired seeds, labelled examples, epochs (None: the default recipe's)."""

    seeds: int = SEEDS
    limit: int = LIMIT
    epochs: int | None = None

    @property
    def is_standard(self) -> bool:
        """Whether its numbers can stand beside those of the suite."""
        return self == Setting()

    @property
    def suffix(self) -> str:
        """What the folder of a set adds to its name, so that settings do not mix.

        >>> Setting().suffix, Setting(limit=200, epochs=1).suffix
        ('', '-200-examples-1-epochs')
        """
        examples = f"-{self.limit}-examples" if self.limit != LIMIT else ""
        return examples + (f"-{self.epochs}-epochs" if self.epochs is not None else "")

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"seeds": self.seeds, "limit": self.limit, "epochs": self.epochs}

    def control_jobs(self) -> dict[tuple[str, int], FullTraining]:
        """Return the trainings of all controls, by arm and seed; seed by seed."""
        return {
            (arm, seed): FullTraining(
                policy=load_policy(policy), seed=seed, epoch_multiplier=multiplier
            )
            for seed in range(self.seeds)
            for arm, (policy, multiplier) in CONTROLS.items()
        }
