"""The final table: the winner of the search and its controls, under paired seeds.

Only its trainings see the test part, once each; nothing is chosen by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.experiments import (
    ACCURACY,
    Cell,
    Difference,
    FullTraining,
    JobResult,
    Looks,
    Metric,
    Row,
    Treatment,
    curves_of,
    external_rows,
    metric_for,
    never_called,
    not_converged,
    predictions_of,
    repeated_trainings,
    rows_of,
)
from automorph.metrics import Scorer
from automorph.operations import SearchSpace
from automorph.policies import Policy, RandomPolicy, Uniform, chained, load_policy
from automorph.searchers.budget import Controls
from automorph.searchers.child_training import with_post_policy
from automorph.text import find_wordnet


@dataclass(frozen=True)
class Control:
    """A row of the final table: its label, what is trained, and for how long."""

    label: str
    treatment: Treatment
    epoch_multiplier: int = 1

    def job(self, seed: int, *, keep: bool = False) -> FullTraining:
        """Return its training under a seed; see `FullTraining` for ``keep``."""
        return FullTraining(
            policy=self.treatment, seed=seed, epoch_multiplier=self.epoch_multiplier, keep=keep
        )


def controls_of(
    winner: Treatment,
    space: SearchSpace,
    post_policy: Policy,
    epoch_multiplier: int,
    which: Controls = "all",
    *,
    usual: Policy | None = None,
) -> dict[str, Control]:
    """Return the winner of the search and its controls by their part; equal ones appear once.

    The controls are those of `references`.
    """
    policy = with_post_policy(winner, post_policy)
    found = Control(policy.name, policy)
    others = references(space, post_policy, epoch_multiplier, which, usual=usual)
    return _distinct({"found": found, **others})


def references(
    space: SearchSpace,
    post_policy: Policy,
    epoch_multiplier: int,
    which: Controls = "all",
    *,
    usual: Policy | None = None,
) -> dict[str, Control]:
    """Return the controls of a search by their part; equal ones appear once.

    ``usual`` replaces the post-policy in the controls, for methods that have none: it is what one
    would use without a search, and comes before the policies of the controls.

    Those of ``which="usual"``: no augmentation, the post-policy alone (``tail``), and with what
    usually helps: TrivialAugment, or EDA on texts if WordNet is installed. ``"all"`` adds a random
    policy of the same space (a new draw for every seed), RandAugment as published (on texts and
    for TrivialAugment there: the same draws from the space), and the post-policy alone for
    ``epoch_multiplier`` times the epochs (the compute-matched control).
    """
    plain = post_policy if usual is None else usual

    def control(treatment: Treatment) -> Control:
        return Control(treatment.name, treatment)

    def with_plain(policy: Policy) -> Control:
        if usual is None:
            return control(with_post_policy(policy, post_policy))
        return control(chained(usual, policy) if len(usual.space) else policy)

    controls = {
        "none": control(load_policy("none")),
        "tail": control(plain),
        "random": with_plain(RandomPolicy(operations=space)),
        "randaugment": with_plain(_randaugment(space)),
        "trivialaugment": with_plain(trivialaugment(space)),
        **({"eda": with_plain(load_policy("eda"))} if _eda_fits(space) else {}),
        "longer": Control(
            f"{plain.name}, {epoch_multiplier} times as long", plain, epoch_multiplier
        ),
    }
    parts = ("none", "tail", "eda" if "eda" in controls else "trivialaugment")
    return _distinct(
        {part: one for part, one in controls.items() if which == "all" or part in parts}
    )


def _distinct(controls: Mapping[str, Control]) -> dict[str, Control]:
    """Leave out controls that train as an earlier one does."""
    kept: dict[str, Control] = {}
    for part, one in controls.items():
        if all(one.job(0).describe() != other.job(0).describe() for other in kept.values()):
            kept[part] = one
    return kept


def _eda_fits(space: SearchSpace) -> bool:
    return space.domain == "text" and find_wordnet() is not None


def _randaugment(space: SearchSpace) -> Policy:
    if space.domain == "image":
        return load_policy("randaugment(n=2,m=9)")
    return Uniform(operations=space, length=2, low=0.3, high=0.3)


def trivialaugment(space: SearchSpace) -> Policy:
    """Return TrivialAugment as published; on texts, the same draws from the space."""
    if space.domain == "image":
        return load_policy("trivialaugment")
    return Uniform(operations=space, length=1, levels=31)


@dataclass(frozen=True)
class FinalTable:
    """The rows, and curves and predictions on the test part (see `predictions_of`) by label.

    Of the user's own training, there are only rows, over the ``seeds`` that all controls finished;
    ``remarks`` say what is missing. A row that stopped earlier than the table says so in its note.
    """

    rows: tuple[Row, ...]
    seeds: tuple[int, ...]
    curves: dict[str, dict[str, Any]] = field(default_factory=dict)
    predictions: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    metric: Metric = ACCURACY
    remarks: tuple[str, ...] = ()
    also: tuple[Metric, ...] = ()


def table(
    controls: Mapping[str, Control],
    seeds: Mapping[str, int],
    outcomes: Mapping[tuple[str, int], JobResult],
    *,
    looks: Looks | None = None,
    confidence: float = 0.95,
    own: bool = False,
    scorers: Sequence[Scorer] = (),
) -> FinalTable:
    """Build the table of all controls, in their order; ``own``: of the user's own training.

    ``seeds`` are the numbers of seeds by part: those that stopped early have fewer, and are made
    into rows without an interval. ``scorers`` are the metrics of the task, if it asks for others
    than accuracy.
    """
    # No augmentation may have won the search; its row is then named differently.
    base = "none" if "none" in controls else next(iter(controls))
    make = partial(
        _table, controls, base, outcomes, looks=looks, confidence=confidence, own=own,
        scorers=scorers,
    )  # fmt: skip
    most = max(seeds.values())
    made = make([part for part in controls if seeds[part] == most], most)
    rows = {row.policy: row for row in made.rows}
    for part, count in seeds.items():
        if count == most:
            continue
        apart = make([part, base], count)
        rows[apart.rows[0].policy] = _stopped(apart.rows[0], count)
        made = replace(
            made,
            curves=apart.curves | made.curves,
            predictions=apart.predictions | made.predictions,
            remarks=tuple(dict.fromkeys([*made.remarks, *apart.remarks])),
        )
    labels = [control.label for control in controls.values()]
    return replace(made, rows=tuple(rows[label] for label in labels))


def _table(
    controls: Mapping[str, Control],
    base: str,
    outcomes: Mapping[tuple[str, int], JobResult],
    parts: Sequence[str],
    count: int,
    *,
    looks: Looks | None,
    confidence: float,
    own: bool,
    scorers: Sequence[Scorer],
) -> FinalTable:
    """Build the table of the parts that have as many seeds."""
    labels, seeds = [controls[part].label for part in parts], range(count)
    results = {
        Cell(number, seed): outcomes[part, seed]
        for number, part in enumerate(parts)
        for seed in seeds
    }
    if own:
        made = external_rows(labels, seeds, results, controls[base].label, confidence, looks)
        return FinalTable(made.rows, made.seeds, metric=made.metric, remarks=made.remarks)
    predictions = predictions_of(labels, seeds, results)
    metric, *also = map(metric_for, scorers) if scorers else (ACCURACY,)
    return FinalTable(
        rows_of(
            labels, tuple(seeds), results, controls[base].label, confidence, scorers, looks=looks
        ),
        tuple(seeds),
        curves_of(labels, seeds, results),
        predictions,
        metric,
        (
            *not_converged(labels, results), *repeated_trainings(labels, results),
            *never_called(predictions, scorers),
        ),
        tuple(also),
    )  # fmt: skip


def _stopped(row: Row, seeds: int) -> Row:
    """Return the row of a policy that stopped early: what is known of it has no interval."""
    if row.accuracy is None:
        return row

    def bare(gap: Difference | None) -> Difference | None:
        return None if gap is None else Difference(gap.mean)

    return replace(
        row,
        difference=bare(row.difference),
        also={
            name: replace(one, difference=bare(one.difference)) for name, one in row.also.items()
        },
        note=f"{seeds} seeds, stopped: far behind",
    )
