"""The generators: trainable torch networks that write sequences of operations.

They are small, so they stay on the CPU and in double precision: they draw exactly what
`automorph.policies.Generated`, the same network in NumPy, draws from the same noise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from automorph.operations import SearchSpace
from automorph.policies import GATES, Fill, Generated, Interpolation, Network

DEFAULT_BOUND = 2.0
"""Logits of recurrent generators lie in [-2, 2]: no operation is e^4 times as likely as another."""

Choose = Callable[[int, Tensor], Tensor]


class DrawnSequences(NamedTuple):
    """Sequences of operation indices int64 ``(n, L)``, and their log pi ``(n, L, K)``."""

    op: Tensor
    log_p: Tensor

    @property
    def log_prob(self) -> Tensor:
        """log pi(tau_t | tau_1 .. tau_t-1), ``(n, L)``."""
        return self.log_p.gather(2, self.op[..., None])[..., 0]

    @property
    def entropy(self) -> Tensor:
        """Entropies in nats, ``(n, L)``."""
        return -(self.log_p.exp() * self.log_p).sum(dim=2)


class Generator(nn.Module):
    """Base class of the generators: draw sequences, score them, become a policy."""

    network: Network
    length: int
    bound: float | None

    def write(self, noise: Tensor) -> DrawnSequences:
        """Draw sequences from Gumbel noise ``(n, L, K)``, see `automorph.policies.generated`."""
        return self._walk(len(noise), lambda t, logits: (logits.detach() + noise[:, t]).argmax(1))

    def read(self, op: Tensor) -> DrawnSequences:
        """Return the current probabilities of sequences int64 ``(n, L)``."""
        return self._walk(len(op), lambda t, logits: op[:, t])

    def policy(
        self,
        space: SearchSpace,
        label: str,
        *,
        fill: Fill = 0,
        interpolation: Interpolation = "nearest",
    ) -> Generated:
        """Return the current generator as a policy that needs no torch."""
        flat = torch.cat([p.detach().reshape(-1) for p in self.parameters()])
        return Generated(
            operations=space, fill=fill, interpolation=interpolation, label=label,
            network=self.network, length=self.length, bound=self.bound,
            parameters=tuple(flat.tolist()),
        )  # fmt: skip

    def take(self, policy: Generated) -> None:
        """Load the parameters of a policy of the same shape."""
        with torch.no_grad():
            for p, array in zip(self.parameters(), policy.arrays.values(), strict=True):
                p.copy_(torch.from_numpy(np.array(array)))

    def _walk(self, n: int, choose: Choose) -> DrawnSequences:
        raise NotImplementedError


class MeanField(Generator):
    """One categorical for all positions (as published), or one for each; initially uniform."""

    def __init__(
        self, operations: int, length: int, *, bound: float | None = None, each: bool = False
    ) -> None:
        super().__init__()
        self.network = "per-position" if each else "mean-field"
        self.length, self.bound = length, bound
        shape = (length, operations) if each else (operations,)
        self.logits = nn.Parameter(torch.zeros(shape, dtype=torch.float64))

    def _walk(self, n: int, choose: Choose) -> DrawnSequences:
        logits: Tensor = self.logits
        bound = self.bound
        if bound is not None:
            logits = bound * torch.tanh(logits / bound)
        rows = logits.expand(n, self.length, -1)
        op = torch.stack([choose(t, rows[:, t]) for t in range(self.length)], dim=1)
        return DrawnSequences(op, rows.log_softmax(dim=2))


class Recurrent(Generator):
    """An LSTM or GRU whose state is the logits: as many units as operations, no projection.

    Its input is the previous operation as a one-hot vector, first a trained vector. Both start
    close to uniform.
    """

    def __init__(
        self, network: Network, operations: int, length: int, *, bound: float = DEFAULT_BOUND
    ) -> None:
        super().__init__()
        self.network, self.length, self.bound = network, length, bound
        self.start = nn.Parameter(torch.zeros(operations, dtype=torch.float64))
        kind = nn.LSTMCell if network == "lstm" else nn.GRUCell
        self.cell = kind(operations, operations, dtype=torch.float64)
        for name, weight in self.cell.named_parameters():
            nn.init.zeros_(weight) if "bias" in name else nn.init.uniform_(weight, -0.1, 0.1)
        nn.init.uniform_(self.start, -0.1, 0.1)
        if network == "lstm":
            # Start with an open forget gate (Jozefowicz et al. 2015, section 5).
            with torch.no_grad():
                self.cell.bias_ih[operations : 2 * operations] = 1.0

    def _walk(self, n: int, choose: Choose) -> DrawnSequences:
        units = len(self.start)
        x: Tensor = self.start.expand(n, -1)
        h = self.start.new_zeros(n, units)
        c = torch.zeros_like(h)
        one_hot: Tensor = torch.eye(units, dtype=h.dtype)
        chosen, log_p = [], []
        for t in range(self.length):
            if self.network == "lstm":
                h, c = self.cell(x, (h, c))
            else:
                h = self.cell(x, h)
            logits = (self.bound or 1.0) * h
            chosen.append(choose(t, logits))
            log_p.append(logits.log_softmax(dim=1))
            x = one_hot[chosen[-1]]
        return DrawnSequences(torch.stack(chosen, dim=1), torch.stack(log_p, dim=1))


def build_generator(
    network: Network, operations: int, length: int, *, bound: float | None = None
) -> Generator:
    """Build a generator of one of the four kinds; ``bound`` None: 2 if recurrent, else none.

    >>> build_generator("per-position", 3, 2).read(torch.tensor([[0, 2]])).entropy.exp()
    tensor([[3.0000, 3.0000]], dtype=torch.float64, grad_fn=<ExpBackward0>)
    """
    if network in GATES:
        return Recurrent(network, operations, length, bound=bound or DEFAULT_BOUND)
    return MeanField(operations, length, bound=bound, each=network == "per-position")
