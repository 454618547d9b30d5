"""Policies drawn by a small network: the learned generators of TANDA."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from automorph.errors import PolicyError
from automorph.operations import Sequences, Stream
from automorph.policies.base import Table
from automorph.policies.formatting import value_text
from automorph.policies.naming import share_text
from automorph.policies.numpy_rnn import (
    GATES,
    NETWORKS,
    Choose,
    Floats,
    Network,
    shapes,
    unpacked,
    walk,
)
from automorph.policies.space_policy import SpacePolicy

MOST_PARAMETERS = 500_000
"""Parameters of an LSTM over 250 operations; its file stays below the largest size."""
LARGEST_PARAMETER = 1e6
LOOKED_AT = 4096
"""Sequences from which the shares of the operations are estimated."""


@dataclass(frozen=True, kw_only=True)
class Generated(SpacePolicy):
    """``length`` operations, each drawn from a categorical that may depend on those before it.

    tau_t ~ softmax(logits(tau_1 .. tau_t-1)), for ``network``

    - ``mean-field``: one vector of logits for all positions (Ratner et al. 2017, section 4);
    - ``per-position``: one vector for each position;
    - ``lstm`` and ``gru``: the state of a recurrent network with as many units as operations,
      times ``bound``, so no operation is ruled out; see `automorph.policies.numpy_rnn.walk`.

    ``parameters`` are those of `policies.numpy_rnn.shapes`, as one flat vector of float32.
    All operations fire, at magnitude 1: each value of an operation is an operation of its own
    (`Operation.at`). ``label`` is the title of the policy.
    """

    label: str
    network: Network = "mean-field"
    length: int = 1
    bound: float | None = None
    parameters: tuple[float, ...] = field(repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._need_operations()
        if self.network not in NETWORKS:
            raise PolicyError(
                f"Generated got network={self.network!r:.60}; expected {', '.join(NETWORKS)}"
            )
        self._settle("length", int, 1, 100)
        if self.bound is not None:
            self._settle("bound", float, 0.01, 100)
        elif self.network in GATES:
            raise PolicyError(f"Generated got no bound; {self.network} needs one for its logits")
        wanted = sum(int(np.prod(shape)) for shape in self._shapes.values())
        if len(self.parameters) != wanted or wanted > MOST_PARAMETERS:
            raise PolicyError(
                f"Generated got {len(self.parameters)} parameters; expected {wanted} for "
                f"{self.network}, {len(self.operations)} operations and length {self.length} (and "
                f"at most {MOST_PARAMETERS})"
            )
        given = np.asarray(self.parameters, np.float64)
        if given.ndim != 1 or not (np.abs(given) <= LARGEST_PARAMETER).all():
            raise PolicyError(
                "Generated got parameters that are not finite, or larger in magnitude than "
                f"{LARGEST_PARAMETER:g}; expected the weights of a trained generator"
            )
        # The shortest texts of the same float32: small files, exact round trips.
        short = given.astype(np.float32).astype("U32").astype(np.float64)
        object.__setattr__(self, "parameters", tuple(short.tolist()))

    @property
    def title(self) -> str:
        """The label."""
        return self.label

    @property
    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return shapes(self.network, len(self.operations), self.length)

    @cached_property
    def arrays(self) -> dict[str, Floats]:
        """The parameters by name, float64 of float32 values."""
        flat = np.asarray(self.parameters, np.float32).astype(np.float64)
        return unpacked(flat, self.network, len(self.operations), self.length)

    def sample(self, stream: Stream) -> Sequences:
        """Draw one sequence for each example of the stream.

        With all parameters 0, these are exactly the sequences of `Uniform` of the same length.
        """
        scores = noise(stream, self.operations.names, self.length)
        op = np.empty((len(stream), self.length), np.int64)

        def draw(t: int, logits: Floats) -> NDArray[np.int64]:
            op[:, t] = (logits + scores[:, t]).argmax(axis=1)
            return op[:, t]

        self._walk(len(stream), draw)
        return Sequences.of(op, 1.0)

    def log_prob(self, sequences: Sequences) -> Floats:
        """Return log pi(tau_t | tau_1 .. tau_t-1), float64 ``(n, L)``."""
        log_p = self._log_p(sequences)
        return np.take_along_axis(log_p, sequences.op[..., None].astype(np.int64), axis=2)[..., 0]

    def entropy(self, sequences: Sequences) -> Floats:
        """Return the entropy in nats of the categorical at each position, float64 ``(n, L)``."""
        log_p = self._log_p(sequences)
        return np.asarray(-(np.exp(log_p) * log_p).sum(axis=2))

    @cached_property
    def shares(self) -> Floats:
        """The frequency of each operation at each position, float64 ``(L, K)``; rows sum to 1.

        The mean of the conditional distributions over 4096 sequences.
        """
        sequences = self.sample(Stream(index=np.arange(LOOKED_AT)))
        return np.asarray(np.exp(self._log_p(sequences)).mean(axis=0))

    def table(self) -> Table:
        """Return a table of the operations, the most frequent first."""
        shares = self.shares.mean(axis=0)
        rows = []
        for number in np.argsort(-shares, kind="stable"):
            operation = self.operations.operations[number]
            share = share_text(float(shares[number]))
            rows.append((operation.name, value_text(operation, 1.0), share, operation.about))
        kind = (
            "a learned distribution"
            if self.network == "mean-field"
            else f"a learned {self.network} network"
        )
        caption = (
            f"For each example, {self.length} operations are drawn by {kind}; if drawn uniformly, "
            f"each would have a share of {share_text(1 / len(rows))}."
        )
        return Table(("operation", "value", "share", "what it does"), tuple(rows), caption)

    def _log_p(self, sequences: Sequences) -> Floats:
        op = sequences.op.astype(np.int64)
        if op.shape[1] != self.length or not ((op >= 0) & (op < len(self.operations))).all():
            raise PolicyError(
                f"got sequences of length {op.shape[1]}; expected {self.length} operations from "
                f"{self.label!r} in each"
            )
        out = np.empty((*op.shape, len(self.operations)))

        def read(t: int, logits: Floats) -> NDArray[np.int64]:
            shifted = logits - logits.max(axis=1, keepdims=True)
            out[:, t] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
            return op[:, t]

        self._walk(len(op), read)
        return out

    def _walk(self, n: int, choose: Choose) -> None:
        walk(self.arrays, self.network, self.bound, n, self.length, choose)


def noise(stream: Stream, names: tuple[str, ...], length: int) -> Floats:
    """Draw Gumbel noise, float64 ``(n, L, K)``: argmax of logit + noise is a softmax draw.

    Every operation has its own stream, as in `Stream.race`: equal logits make the same choices,
    and close ones nearly the same, so policies can be compared under common random numbers.
    """
    words = np.stack([stream.bits(f"race:{name}", length) for name in names], axis=2)
    return np.asarray(-np.log(-np.log((words + 0.5) * 2.0**-32)))
