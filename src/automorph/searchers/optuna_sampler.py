"""Bayesian proposals: one of Optuna's samplers, with ask and tell."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from automorph.errors import UsageError
from automorph.policies import Step, SubPolicy

SAMPLERS = ("tpe", "gp")
Range = tuple[int, int] | tuple[float, float] | tuple[str, ...]


class Proposals:
    """Proposes values of named variables, better ones the more scores it has.

    ``ranges``: two integers or two floats are a range, both ends included; strings are choices.
    ``sampler``: ``tpe`` (Bergstra et al. 2011) or ``gp`` (a Gaussian process; seconds a proposal).
    The first ``trials`` / 4 proposals (at most 10) are random. Nothing is stored on disk: the same
    scores give the same proposals.

    >>> proposals = Proposals({"m": (0, 30)}, trials=8)
    >>> for _ in range(8):
    ...     tried = proposals.ask(1)
    ...     proposals.tell([-abs(tried[0]["m"] - 9)])
    >>> proposals.best()["m"]
    9
    """

    def __init__(
        self, ranges: Mapping[str, Range], *, sampler: str = "tpe", trials: int = 40, seed: int = 0
    ) -> None:
        import optuna
        from optuna import distributions as of

        if sampler not in SAMPLERS:
            raise UsageError(f"got the sampler {sampler!r}; expected {' or '.join(SAMPLERS)}")
        self.ranges: dict[str, Any] = {}
        for name, ends in ranges.items():
            if isinstance(ends[0], str):
                self.ranges[name] = of.CategoricalDistribution(ends)
            elif isinstance(ends[0], int):
                self.ranges[name] = of.IntDistribution(ends[0], int(ends[1]))
            else:
                self.ranges[name] = of.FloatDistribution(ends[0], float(ends[1]))
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        make = _tpe if sampler == "tpe" else _gaussian_process
        self.study = optuna.create_study(
            direction="maximize", sampler=make(seed % 2**32, min(10, max(2, trials // 4)))
        )
        self.failed = optuna.trial.TrialState.FAIL
        self.open: list[Any] = []

    def ask(self, count: int) -> list[dict[str, Any]]:
        """Return ``count`` proposals, based on the scores so far."""
        self.open = [self.study.ask(self.ranges) for _ in range(count)]
        return [trial.params for trial in self.open]

    def tell(self, scores: Sequence[float]) -> None:
        """Read the scores of the last proposals; higher is better."""
        for trial, score in zip(self.open, scores, strict=True):
            failed = not math.isfinite(score)
            self.study.tell(trial, None if failed else score, state=self.failed if failed else None)
        self.open = []

    def best(self) -> dict[str, Any]:
        """Return the values with the best score."""
        values: dict[str, Any] = self.study.best_params
        return values


def _tpe(seed: int, random_trials: int) -> Any:
    """Return a TPE sampler whose proposals are the same under Optuna 4.9 and 5.0.

    Defaults differ between the two, and a resumed search must ask for the jobs that it has stored.
    """
    from optuna.exceptions import ExperimentalWarning
    from optuna.samplers import TPESampler

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # 4.9 emits it for two options.
        # All other options are deprecated; both releases have the same defaults for them.
        sampler = TPESampler(
            seed=seed, n_startup_trials=random_trials, n_ei_candidates=24,
            multivariate=True, group=False, constant_liar=True,
        )  # fmt: skip
    parameters: Any = sampler._parzen_estimator_parameters
    if parameters.multivariate:
        # In 4.9, joint sampling has kernels of another width. 5.0 has only these and ignores this.
        sampler._parzen_estimator_parameters = parameters._replace(multivariate=False)
    return sampler


def _gaussian_process(seed: int, random_trials: int) -> Any:
    from optuna.samplers import GPSampler

    return GPSampler(seed=seed, n_startup_trials=random_trials, deterministic_objective=False)


def sub_policy_ranges(names: Sequence[str], count: int, length: int) -> dict[str, Range]:
    """Return the ranges of ``count`` sub-policies of ``length`` operations of these names.

    >>> list(sub_policy_ranges(("Rotate", "Invert"), 1, 1))
    ['operation 0.0', 'chance 0.0', 'magnitude 0.0']
    """
    ranges: dict[str, Range] = {}
    for at in (at for row in _places(count, length) for at in row):
        ranges[f"operation {at}"] = tuple(names)
        ranges[f"chance {at}"] = ranges[f"magnitude {at}"] = (0.0, 1.0)
    return ranges


def sub_policies(values: Mapping[str, Any], count: int, length: int) -> tuple[SubPolicy, ...]:
    """Return the sub-policies of values proposed for `sub_policy_ranges`."""
    return tuple(
        tuple(
            Step(values[f"operation {at}"], values[f"chance {at}"], values[f"magnitude {at}"])
            for at in row
        )
        for row in _places(count, length)
    )


def _places(count: int, length: int) -> list[list[str]]:
    return [[f"{i}.{j}" for j in range(length)] for i in range(count)]
