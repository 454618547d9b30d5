"""DADA: move the policy along the gradient of the validation loss, in one training.

Li, Hu, Zhang, Yang, Wang, Hospedales, "DADA: differentiable automatic data augmentation" (ECCV
2020) minimise the validation loss after one step on augmented data,

    L_val(w - eta grad_w L_train(w; tau)),  whose derivative in eta at 0 is
    -<grad L_val(w), grad l(tau(x), y)>:

a draw tau is good if the gradient of its example points where the validation loss falls. DADA and
Faster AutoAugment (Hataya et al., ECCV 2020) send gradients through operations; most image
operations have none, so a surrogate is used (d pixel / d magnitude := 1). Here the alignment of
gradients is the reward of a score-function estimator instead: it is unbiased for the objective
above, needs no derivative of any operation, and therefore accepts black boxes. A second draw of
the same example is the baseline (leave one out), which removes the effect of the example itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from automorph.experiments import Job, JobResult
from automorph.policies import Mixture, Policy, check_range
from automorph.searchers.base import SearchContext, Searcher
from automorph.searchers.dada.choices import drawn
from automorph.searchers.dada.train import Learn

BATCH = 4
"""Runs in one batch."""
KEPT = 100
"""Sub-policies of the result, drawn from the learned distributions."""


class Differentiable(Searcher):
    """Each trial is a run of ``epochs`` epochs that learns a network and the policy at once.

    A policy is ``length`` operations in a row; each position has a choice of operation, and each
    operation a probability and a distribution over ten magnitudes. ``draws`` views of each example
    are compared. ``rate`` is Adam's on the policy (published: 5e-3, for more steps); ``epochs``
    None is half of the recipe's, at most 20. An epoch costs 2 + 2/3 draws plain ones: the step, the
    gradient of the validation loss, two forward passes per draw.
    """

    def __init__(
        self,
        setting: SearchContext,
        *,
        epochs: int | None = None,
        length: int = 2,
        draws: int = 2,
        rate: float = 2e-2,
    ) -> None:
        check_range("dada", "epochs", epochs or 1, int, 1, 100_000)
        check_range("dada", "length", length, int, 1, 20)
        check_range("dada", "draws", draws, int, 2, 100)
        check_range("dada", "rate", rate, float, 0, 10)
        self.setting = setting
        epochs = epochs or max(1, min(20, setting.epochs // 2))
        self.runs = [
            Learn(
                space=setting.space, post_policy=setting.post_policy,
                seed=setting.seed + trial, epochs=epochs, length=length, draws=draws, rate=rate,
            )
            for trial in range(setting.trials)
        ]  # fmt: skip
        self.learned: list[dict[str, Any]] = []

    def ask(self) -> Sequence[Job]:
        """Return the next few runs; the jobs are independent."""
        asked, self.runs = self.runs[:BATCH], self.runs[BATCH:]
        return asked

    def tell(self, outcomes: Sequence[JobResult]) -> None:
        """Record the learned distributions."""
        self.learned += [dict(outcome.facts) for outcome in outcomes if not outcome.error]

    def result(self) -> Policy:
        """Return sub-policies drawn from the learned distributions."""
        learned, space = self.learned, self.setting.space
        subpolicies = [
            subpolicy
            for number, facts in enumerate(learned)
            for subpolicy in drawn(facts, space, -(-KEPT // len(learned)), seed=number)
        ]
        label = f"gradient search of {len(learned)} runs"
        return Mixture(label=label, operations=space, subpolicies=tuple(subpolicies[:KEPT]))
