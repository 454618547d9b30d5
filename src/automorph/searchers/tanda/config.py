"""The settings of the adversarial training."""

from __future__ import annotations

from dataclasses import dataclass, field

from automorph.errors import UsageError
from automorph.policies import NETWORKS, Network
from automorph.searchers.tanda.rewards import Diversity

RATES = {"image": 3e-5, "vector": 1e-2, "text": 1e-3}
"""Learning rates of the discriminators: one that learns too fast rejects every transformed example.
"""
MAGNITUDES = {"image": (0.25, 0.75), "vector": (0.25, 0.75), "text": (0.1, 0.3)}
"""Magnitudes at which operations with a range are fixed. On texts they are low (for most
operations a twentieth and about a seventh of the words): all operations of a sequence fire."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a generator is trained; defaults are those of the released code unless noted.

    - ``generator``, its sequence ``length``, and the ``bound`` of its logits (see `Generated`);
    - ``magnitudes`` at which operations with a range are fixed, one operation per value (None: the
      default of the domain, see `MAGNITUDES`);
    - ``steps``: at most this many. Training stops when the ratio of random to generated cost,
      evaluated every ``look_every`` steps, has not risen for ``patience`` evaluations; the
      generator with the best ratio by the last discriminator is kept;
    - ``batch_size`` examples a step, ``samples`` sequences for each in the generator's step;
    - ``discount`` of future costs (gamma);
    - ``rate`` of the generator's plain SGD, whose loss is a sum over batch, samples and positions;
      ``discriminator_rate`` of Adam (None: the default of the domain, see `RATES`; released: 1e-5,
      for 64 channels and more steps);
    - ``random_share``: share of random sequences among those that the discriminator is to reject,
      so that it does not forget how those fail while the generator avoids them (released: 0; the
      two networks then chase each other in circles);
    - ``diversity``: see `Diversity`; released: ``Diversity("published", 1e-4)``;
    - ``width`` of the discriminator (None: its default; released: 64 for images).
    """

    generator: Network = "lstm"
    length: int = 10
    bound: float | None = None
    magnitudes: tuple[float, ...] | None = None
    steps: int = 500
    batch_size: int = 32
    samples: int = 5
    discount: float = 0.5
    rate: float = 1e-3
    discriminator_rate: float | None = None
    random_share: float = 0.5
    diversity: Diversity = field(default_factory=Diversity)
    width: int | None = None
    look_every: int = 25
    patience: int = 8

    def __post_init__(self) -> None:
        if self.generator not in NETWORKS:
            raise UsageError(
                f"got generator={self.generator!r}; expected one of {', '.join(NETWORKS)}"
            )
        for what, low, high in (
            ("length", 1, 100), ("steps", 0, 1e9), ("batch_size", 2, 1e6), ("samples", 1, 1000),
            ("discount", 0, 1), ("random_share", 0, 1), ("rate", 0, 1e6),
            ("discriminator_rate", 0, 1e6), ("look_every", 1, 1e9), ("patience", 1, 1e9),
        ):  # fmt: skip
            value = getattr(self, what)
            if value is not None and not low <= value <= high:
                raise UsageError(f"got {what}={value}; expected {low} to {high:g}")
