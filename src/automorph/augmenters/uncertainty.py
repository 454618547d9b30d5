"""Uncertainty-based random sampling.

Wu, Zhang, Valiant, Re, "On the generalization effects of linear transformations in data
augmentation" (ICML 2020), algorithm 1: of C random compositions of every example, S are trained on,
chosen by the loss of the model itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from automorph.augmenters import selection
from automorph.augmenters.adaptive import Adaptive, eased
from automorph.augmenters.base import (
    InTrainingMethod,
    composition,
    examples_meet,
    stream_of,
    views,
    views_at,
)
from automorph.augmenters.distributed import summed
from automorph.augmenters.scoring import Scorer, Scores, Scoring
from automorph.augmenters.usage_counter import Tally
from automorph.errors import UsageError
from automorph.policies import Policy, check_range, load_policy, with_options
from automorph.training import Augmenter, Batch, Epoch, RawBatch, Units

Rule = Literal["top", "proportional", "random", "lowest", "adaptive"]


@dataclass(frozen=True, kw_only=True)
class Uncertainty(InTrainingMethod):
    """Several candidates of every example are drawn; the model's loss chooses which to train on.

    ``draws`` makes the ``candidates``, of which ``rule`` chooses ``selected``:

    - ``top``: those of highest loss (the paper);
    - ``proportional``: drawn in proportion to the loss, with repetition (the released code);
    - ``adaptive``: as hard as the training can bear (see `automorph.augmenters.adaptive`);
    - ``random`` and ``lowest``: controls. Before scoring, all candidates are alike, so ``random``
      takes the first ones and scores none.
    """

    draws: Policy
    candidates: int = 4
    selected: int = 1
    rule: Rule = "proportional"
    scoring: Scoring = field(default_factory=Scoring)

    def __post_init__(self) -> None:
        check_range("uncertainty", "c", self.candidates, int, 1, 1000)
        check_range("uncertainty", "s", self.selected, int, 1, self.candidates)
        if self.rule not in get_args(Rule):
            raise UsageError(
                f"uncertainty got rule={self.rule!r}; expected one of {', '.join(get_args(Rule))}"
            )

    @property
    def title(self) -> str:
        """The name with all options."""
        options = [f"c={self.candidates}", f"s={self.selected}", f"rule={self.rule}"]
        return with_options("uncertainty", [*options, self._draws(), *self.scoring.options])

    def _draws(self) -> str:
        length = getattr(self.draws, "length", 0)
        usual = length and self.draws == default_draws(self.rule, length, "randaugment")
        return f"n={length}" if usual else f"policy={self.draws.name}"

    @property
    def inner(self) -> Policy:
        """The policy of the candidates."""
        return self.draws

    def build(self) -> Augmenter:
        """Build a new augmenter."""
        return UncertaintyAugmenter(self)


def default_draws(rule: str, n: int, space: str) -> Policy:
    """Return compositions of n operations, fired with probability 1/2 (adaptive rule: always)."""
    return composition(n, space, p=1.0 if rule == "adaptive" else 0.5)


class UncertaintyAugmenter(Augmenter):
    """Draws, scores and chooses; trains on the very tensors that were scored."""

    def __init__(self, method: Uncertainty) -> None:
        self.method = method
        self.policy = method.policy
        self.needs_model = method.rule != "random"
        # The adaptive rule measures losses against the largest entropy of classes.
        self.targets = ("classes",) if method.rule == "adaptive" else ("classes", "values")
        self.whole_batch = examples_meet(self.policy)
        self.scorer = Scorer(method.scoring)
        self.tally = Tally(method)
        self.adaptive: Adaptive | None = None
        self.cost = Units()
        # Sums and numbers of losses: of candidates and of chosen ones, as scored; and as trained.
        self.scored = np.zeros((2, 2))
        self.trained = torch.zeros(2)
        self.floor: Tensor = torch.zeros(())
        self.device = torch.device("cpu")

    def __call__(self, raw: RawBatch, model: nn.Module | None) -> Batch:
        """Return the chosen candidates, an example's rows adjacent."""
        method = self.method
        if method.rule == "adaptive" and self.adaptive is None:
            self.adaptive = Adaptive(self.tally.fired.size, raw.labels.shape[1])
            self._ease()
        self.device = raw.device
        if model is None or not self._due(raw.step):
            return self._noted(self._unscored(raw))
        count = method.candidates
        batch = views(self.policy, raw, count)
        scores = self.scorer(model, batch, step=raw.step)
        self.cost = Units(forward=round(len(batch) * self.scorer.share))
        cells = self.tally.cells(self.policy.sample(stream_of(raw, count)))
        chosen = self._choose(scores, cells, raw)
        picked = np.take_along_axis(scores.excess, chosen, axis=1)
        self.scored += [[scores.excess.sum(), scores.excess.size], [picked.sum(), picked.size]]
        rows = (np.arange(len(raw))[:, None] * count + chosen).ravel()
        self.tally.take(cells[rows])
        return self._noted(taken(batch, rows, views=method.selected))

    def _due(self, step: int) -> bool:
        """Return True if the model's losses decide this step."""
        if self.adaptive is not None and (
            self.method.candidates == 1 or not self.adaptive.strength
        ):
            return False
        return self.method.rule != "random" and self.scorer.due(step)

    def _ease(self) -> None:
        if self.adaptive is not None:
            self.policy = self.method.around(eased(self.method.draws, self.adaptive.strength))

    def _noted(self, batch: Batch) -> Batch:
        self.floor = batch.target.floor(batch.labels)
        return batch

    def _unscored(self, raw: RawBatch) -> Batch:
        """Return the first candidates; for the adaptive rule, drawn by predicted weights."""
        self.cost = Units()
        count, selected = self.method.candidates, self.method.selected
        chosen = np.tile(np.arange(selected), (len(raw), 1))
        if self.adaptive is not None:
            cells = self.tally.cells(self.policy.sample(stream_of(raw, count)))
            uniform = stream_of(raw).uniform("selection", count)
            weights = self.adaptive.foreseen(cells, count)
            chosen = selection.without_repetition(weights, uniform, selected)
        stream = stream_of(raw, selected, copy=chosen)
        self.tally.take(self.tally.cells(self.policy.sample(stream)))
        return views_at(self.policy, raw, chosen)

    def _choose(self, scores: Scores, cells: NDArray[np.int64], raw: RawBatch) -> NDArray[np.int64]:
        """Return the indices of the chosen candidates, ``(n, selected)``."""
        rule, count = self.method.rule, self.method.selected
        if rule == "top":
            return selection.highest(scores.losses, count)
        if rule == "lowest":
            return selection.lowest(scores.losses, count)
        stream = stream_of(raw)
        if self.adaptive is None:
            return selection.in_proportion(scores.losses, stream.uniform("selection", count))
        weights = self.adaptive.weights(scores.excess, scores.right, cells)
        uniform = stream.uniform("selection", self.method.candidates)
        return selection.without_repetition(weights, uniform, count)

    def feedback(self, losses: Tensor) -> None:
        """Record the training losses of the chosen candidates."""
        # Sums are shared between processes, so the mean entropy suffices.
        above = losses.sum() - len(losses) * self.floor.mean()
        number = torch.tensor(float(len(losses)), device=losses.device)
        self.trained = self.trained.to(losses.device) + torch.stack([above, number])

    def units(self) -> Units:
        """Return the forward passes of scoring, in whole passes of the model."""
        return self.cost

    def end_epoch(self, record: Epoch) -> dict[str, Any]:
        """Report the trained views and their losses, and update the adaptive rule."""
        facts = self.tally.close(self.device)
        (total, n), (chosen, s) = summed(torch.from_numpy(self.scored), self.device).tolist()
        trained, rows = summed(self.trained.cpu(), self.device).tolist()
        self.scored, self.trained = np.zeros((2, 2)), torch.zeros_like(self.trained)
        if n:
            facts["candidate_loss"], facts["selected_loss"] = total / n, chosen / s
        if self.adaptive is not None:
            self.adaptive.end_epoch(
                record.validation_loss, trained / max(rows, 1), self.device, lr=record.lr
            )
            self._ease()
            facts["strength"] = self.adaptive.strength
            facts["guard"] = float(self.adaptive.guard().mean())
        return facts

    def describe(self) -> Any:
        """Return name and content of the method."""
        return self.method.describe()

    def state_dict(self) -> dict[str, Tensor]:
        """Return the adaptive rule's state and the probe's weights."""
        memory = {} if self.adaptive is None else self.adaptive.state_dict()
        return {**memory, **self.scorer.state_dict()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore the result of ``state_dict``."""
        self.scorer.load_state_dict(state)
        self.adaptive = Adaptive.from_state_dict(state) if "adaptive" in state else None
        self._ease()


def taken(batch: Batch, rows: NDArray[np.int64], *, views: int) -> Batch:
    """Return some rows of a batch, without augmenting or encoding them again."""
    at = torch.from_numpy(rows).to(batch.inputs.device)
    inputs = batch.inputs[at]
    if inputs.ndim == 4:
        inputs = inputs.contiguous(memory_format=torch.channels_last)
    return replace(
        batch, inputs=inputs, labels=batch.labels[at], index=batch.index[rows], views=views
    )


def build(
    c: int = 4, s: int = 1, rule: str = "proportional", n: int = 2, space: str = "randaugment",
    policy: str = "", tail: str = "", every: int = 1, size: float = 1.0, precision: str = "",
    frozen: int = 0, probe: int = 0,
) -> InTrainingMethod:  # fmt: skip
    """Build the method from the options that a user types."""
    draws = load_policy(policy) if policy else default_draws(rule, n, space)
    scoring = Scoring(every=every, size=size, precision=precision, frozen=frozen, probe=probe)
    method = Uncertainty(
        draws=draws, candidates=c, selected=s, rule=rule, scoring=scoring,  # type: ignore[arg-type]
    )  # fmt: skip
    return method.surrounded(before=(), after=(load_policy(tail),) if tail else ())
