"""Random linear problems with label-preserving operations: the simulations of Wu et al. (2020)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automorph.theory.mixup import mixup_rows
from automorph.theory.ridge import Error, ridge_error

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LinearProblem:
    """``rows`` ``(n, p)`` of low rank, ``beta`` ``(p,)`` of length 1, ``maps`` ``(k, p, p)``.

    The maps are rotations that keep beta, and so every label; ``wrong`` is one that does not.
    """

    rows: Floats
    beta: Floats
    maps: Floats
    wrong: Floats

    def error(
        self, *, penalty: float, noise: float, added: Sequence[tuple[Floats, int]] = ()
    ) -> Error:
        """Return the exact error of ridge after adding transformed copies with unchanged labels.

        Each entry of ``added`` is a map and the number of examples (the first ones) it is applied
        to. The penalty is fixed.
        """
        rows, noises = [self.rows], [np.eye(len(self.rows))]
        for turn, count in added:
            rows.append(self.rows[:count] @ turn.T)
            noises.append(np.eye(len(self.rows))[:count])
        mixing = np.concatenate(noises)
        return ridge_error(
            np.concatenate(rows),
            self.beta,
            penalty=penalty,
            noise=noise,
            mixing=mixing,
            clean=mixing @ (self.rows @ self.beta),
        )

    def mixup_error(
        self, *, penalty: float, noise: float, count: int, alpha: float = 1.0, seed: int = 0
    ) -> Error:
        """Return the exact error after adding ``count`` mixup rows; the penalty grows with them.

        ``penalty`` is the whole one of the original examples; rows should be centred.
        """
        mixed = mixup_rows(self.rows, count=count, alpha=alpha, seed=seed)
        n = len(self.rows)
        return ridge_error(
            np.concatenate([self.rows, mixed.rows]),
            self.beta,
            penalty=penalty * (n + count) / n,
            noise=noise,
            mixing=np.concatenate([np.eye(n), mixed.mixing]),
        )

    def centred(self) -> LinearProblem:
        """Return the problem with rows of mean zero, as mixup's theorem assumes."""
        return LinearProblem(self.rows - self.rows.mean(0), self.beta, self.maps, self.wrong)


def draw_problem(
    *, features: int = 100, examples: int = 40, rank: int = 20, maps: int = 2, seed: int = 0
) -> LinearProblem:
    """Draw normal rows in a random subspace of ``rank`` dimensions, beta, and random rotations."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.standard_normal((features, rank)))[0]
    rows = rng.standard_normal((examples, rank)) @ basis.T
    beta = rng.standard_normal(features)
    beta /= np.linalg.norm(beta)
    frame = np.linalg.qr(np.column_stack([beta, rng.standard_normal((features, features - 1))]))[0]
    turns = []
    for _ in range(maps):
        turn = np.eye(features)
        turn[1:, 1:] = np.linalg.qr(rng.standard_normal((features - 1, features - 1)))[0]
        turns.append(frame @ turn @ frame.T)
    wrong = np.linalg.qr(rng.standard_normal((features, features)))[0]
    return LinearProblem(rows, beta, np.array(turns), wrong)
