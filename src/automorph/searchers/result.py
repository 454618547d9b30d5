"""The result of a search: the policy, and the final table that compares it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph._moved import renamed_attributes
from automorph.data import Folds
from automorph.experiments import (
    ACCURACY,
    Advice,
    Comparison,
    Looks,
    Metric,
    Row,
    Treatment,
    Verdict,
)
from automorph.searchers.budget import Plan
from automorph.searchers.search_advice import longer_pays, simpler
from automorph.searchers.trial_analysis import Course, Effect
from automorph.training import EnsembleRun, Units


@renamed_attributes(longer="epoch_multiplier", story="history", arms="treatments")
@dataclass(frozen=True)
class SearchResult:
    """The result of a search: the policy, and the final table that compares it with its controls.

    ``found`` is the policy (or in-training method) alone, ``policy`` with the post-policy, ready
    for use. ``rows`` are those of the final table, the winner first; ``parts`` is the part of each
    row (``found``, ``none``, ``tail``, ``trivialaugment``, on texts ``eda``; with all controls also
    ``random``, ``randaugment``, ``longer``). ``looks`` is the design of the table, which ended
    after ``seeds``: before its cap if the decision was clear. ``cost`` is the cost of the search in
    plain trainings, without the final table; ``trace`` has the clock, the cost so far, the score
    and the best score of every trial; ``course`` and ``effects`` describe which operations were
    tried and how they scored. ``stopped`` is True if time cut the search short; ``trained`` counts
    the jobs that this call ran, without stored ones. If the user's own code trained, scores are
    validation values of ``metric``, negated if lower values are better, and ``cost_note`` says how
    the cost was counted. ``advice`` is the one recommendation, which the verdict states; its policy
    is a part of the table. ``network`` is what was kept of its trainings (None: nothing, as without
    a folder).

    If the data have ``folds`` (nested cross-validation), ``policy`` is that of the search on all
    examples, the first row is what the search picked in every fold, whose names are ``picks``, the
    seeds are the numbers of the trainings through all repeats, and costs are those of all searches;
    ``trace``, ``course``, ``effects`` and ``history`` are those of the search on all examples.
    """

    method: str
    found: Treatment
    policy: Treatment
    rows: tuple[Row, ...]
    parts: tuple[str, ...]
    verdict: Verdict
    seeds: tuple[int, ...]
    confidence: float
    trials: int
    failed: int
    cost: float
    units: Units
    seconds: float
    trace: tuple[dict[str, Any], ...]
    course: Course | None
    effects: tuple[Effect, ...]
    plan: Plan
    epoch_multiplier: int
    stopped: bool
    history: dict[str, Any]
    curves: dict[str, dict[str, Any]]
    predictions: dict[str, NDArray[np.int64]] = field(repr=False, compare=False)
    treatments: dict[str, Treatment]
    trained: int
    looks: Looks
    remarks: tuple[str, ...] = ()
    metric: Metric = ACCURACY
    also: tuple[Metric, ...] = ()
    cost_note: str = ""
    advice: Advice | None = None
    folds: Folds | None = None
    picks: tuple[str, ...] = ()
    network: EnsembleRun | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        """Return the final table, one line per policy, and the verdict."""
        return str(self.comparison)

    def _repr_html_(self) -> str:
        """Return the verdict and the final table, for notebooks."""
        return self.comparison._repr_html_()

    def __repr__(self) -> str:
        return f"<SearchResult of {self.method}: {self.policy.name}>"

    @property
    def comparison(self) -> Comparison:
        """The final table as a comparison, with the result of the search as its winner."""
        base = self["none"] if "none" in self.parts else self.row
        return Comparison(
            self.rows, self.seeds, base.policy, self.row.policy, self.verdict, self.confidence,
            self.curves, self.treatments, self.seconds, self.trained, self.predictions,
            remarks=self.remarks, metric=self.metric, advice=self.advice, also=self.also,
            folds=self.folds,
        )  # fmt: skip

    @property
    def by_part(self) -> dict[str, Row]:
        """The rows by their part in the table."""
        return dict(zip(self.parts, self.rows, strict=True))

    @property
    def use(self) -> Treatment:
        """The policy to use: the result of the search, or a simpler one that is no worse.

        By the validation part alone; see `search_advice.simpler`. ``advice`` also considers longer
        training, and whether the test part confirms the gain.
        """
        row = simpler(self.by_part, self.metric)
        return self.policy if row is None else self.treatments[row.policy]

    @property
    def advised(self) -> Treatment:
        """The policy that the ``advice`` is about, or what it names instead."""
        if self.advice is not None and self.advice.instead is not None:
            return self.advice.instead
        part = "found" if self.advice is None else self.advice.policy
        return self.policy if part == "found" else self.treatments[self[part].policy]

    @property
    def longer_pays(self) -> bool:
        """True if longer plain training beats the result of the search, beyond chance.

        By the validation part; see `search_advice.longer_pays`.
        """
        return longer_pays(self.by_part, self.metric, looks=self.looks) is not None

    @property
    def row(self) -> Row:
        """The row of the policy that the search found."""
        return self.rows[0]

    def __getitem__(self, part: str) -> Row:
        return self.rows[self.parts.index(part)]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: the contract of ``--json``, without paths."""
        accuracy = self.row.accuracy
        return {
            "method": self.method,
            "found": self.policy.name,
            "trials": self.trials,
            "failed": self.failed,
            "seconds": self.seconds,
            "units": asdict(self.units),
            "trainings": self.cost,
            "accuracy": None if accuracy is None else asdict(accuracy),
            "baselines": [
                {**row.to_dict(), "part": part}
                for row, part in zip(self.rows[1:], self.parts[1:], strict=True)
            ],
            "row": self.row.to_dict(),
            "seeds": list(self.seeds),
            "longer": self.epoch_multiplier,
            "stopped": self.stopped,
            "verdict": asdict(self.verdict),
            "confidence": self.confidence,
            **({} if self.metric == ACCURACY else {"metric": self.metric.to_dict()}),
            **({"also": [one.to_dict() for one in self.also]} if self.also else {}),
            **({"remarks": list(self.remarks)} if self.remarks else {}),
            **({} if self.looks.fixed else {"looks": str(self.looks)}),
            **(
                {}
                if self.folds is None
                else {"folds": self.folds.to_dict(), "picks": list(self.picks)}
            ),
        }
