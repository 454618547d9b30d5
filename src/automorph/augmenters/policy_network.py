"""The policy network: an LSTM that writes policies, one decision after the other."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from automorph.training import torch_seed


class DrawnDecisions(NamedTuple):
    """Policies as decisions, and their probability under the network.

    ``decisions`` int64 ``(m, d)`` alternate between the kinds: operation, level, operation, ..
    ``log_probability`` and ``entropy`` are ``(m,)``, sums over the decisions; ``operations``
    ``(k,)`` is the mean distribution over operations.
    """

    decisions: Tensor
    log_probability: Tensor
    entropy: Tensor
    operations: Tensor


class Controller(nn.Module):
    """One LSTM layer of 100 units on embeddings of size 32 (Zhang et al. 2020, section 4).

    ``sizes`` holds the number of choices of each kind of decision, operations first. Decisions
    alternate between the kinds (operation, level, operation, level, ..) in one sequence; each takes
    the previous one as input. Weights are initialised in U(-0.1, 0.1), biases at 0.
    """

    def __init__(self, *sizes: int, hidden: int = 100, embedding: int = 32) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(embedding, hidden)
        self.start = nn.Parameter(torch.zeros(1, embedding))
        self.embeddings = nn.ModuleList(nn.Embedding(size, embedding) for size in sizes)
        self.heads = nn.ModuleList(nn.Linear(hidden, size) for size in sizes)
        for name, weight in self.named_parameters():
            if "bias" in name or name == "start":
                nn.init.zeros_(weight)
            else:
                nn.init.uniform_(weight, -0.1, 0.1)

    def write(self, uniform: Tensor) -> DrawnDecisions:
        """Draw policies from numbers in [0, 1), one for each decision ``(m, d)``."""
        return self._walk(uniform, drawn=True)

    def read(self, decisions: Tensor) -> DrawnDecisions:
        """Return the current probabilities of decisions int64 ``(m, d)``."""
        return self._walk(decisions, drawn=False)

    def _walk(self, given: Tensor, *, drawn: bool) -> DrawnDecisions:
        given = given.to(self.start.device)
        count, length = given.shape
        x, state = self.start.expand(count, -1), None
        decisions, log_probability, entropy, operations = [], [], [], []
        for position in range(length):
            kind = position % len(self.heads)
            state = self.cell(x, state)
            log_p = self.heads[kind](state[0]).log_softmax(dim=1)
            p = log_p.exp()
            chosen = inverse(p.detach(), given[:, position]) if drawn else given[:, position]
            decisions.append(chosen)
            log_probability.append(log_p.gather(1, chosen[:, None])[:, 0])
            entropy.append(-(p * log_p).sum(dim=1))
            if kind == 0:
                operations.append(p.detach().mean(dim=0))
            x = self.embeddings[kind](chosen)
        return DrawnDecisions(
            torch.stack(decisions, dim=1),
            torch.stack(log_probability).sum(dim=0),
            torch.stack(entropy).sum(dim=0),
            torch.stack(operations).mean(dim=0),
        )


def advantages(losses: Tensor) -> Tensor:
    """Return (L_m - mean L) / (std L + 1e-5): the rewards of m policies relative to one another.

    A single policy, or equal losses, give 0 (Zhang et al. 2020, equation 4).

    >>> advantages(torch.tensor([1.0, 2.0, 3.0])).round(decimals=3)
    tensor([-1.,  0.,  1.])
    """
    if len(losses) < 2:
        return torch.zeros_like(losses)
    # In double precision, equal losses stay equal to their mean.
    precise = losses.double()
    return ((precise - precise.mean()) / (precise.std() + 1e-5)).to(losses.dtype)


def policy_gradient_loss(written: DrawnDecisions, reward: Tensor, *, entropy: float) -> Tensor:
    """Return -mean_m(R_m log p_m) - w mean_m(H_m), the loss of REINFORCE (Williams 1992).

    The policy network maximises the reward; ``reward`` ``(m,)`` carries no gradient.
    """
    gain = (reward.detach() * written.log_probability).mean()
    return -gain - entropy * written.entropy.mean()


def begun(seed: int, *sizes: int) -> Controller:
    """Build a controller whose initial weights are a pure function of the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(seed, "controller"))
        return Controller(*sizes)


def inverse(p: Tensor, uniform: Tensor) -> Tensor:
    """Return the choices ``(m,)`` of numbers in [0, 1) from distributions ``(m, k)``."""
    passed = (uniform[:, None] >= p.cumsum(dim=1)).sum(dim=1)
    return passed.clamp(max=p.shape[1] - 1)
