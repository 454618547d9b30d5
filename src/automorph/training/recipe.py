"""The recipe of a training: every setting that is tuned, in one frozen record."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal, get_args

from automorph.errors import UsageError

Optimizer = Literal["sgd", "adamw"]
Schedule = Literal["cosine", "constant"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]
Selection = Literal["last", "best"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The settings by which a network is trained.

    ``batch_size`` is the number of examples of one optimiser step, over all processes;
    ``accumulate`` divides it into this many passes, for less memory. ``optimizer`` is ``sgd`` (with
    Nesterov's momentum) or ``adamw`` (``momentum`` is then beta_1). The rate rises linearly over
    ``warmup_epochs`` (half of the epochs at most) and then follows ``schedule`` (``cosine`` ends
    at 0). ``weight_decay`` does not apply to biases and normalisations. ``ema_decay`` evaluates and
    keeps a running average of the weights. ``precision`` ``auto`` depends on device and network,
    see `choose_precision`. ``select`` keeps the weights of the ``last`` epoch, or those with the
    ``best`` validation accuracy. Raises `UsageError` for values out of range.
    """

    epochs: int = 30
    batch_size: int = 64
    optimizer: Optimizer = "sgd"
    lr: float = 0.1
    weight_decay: float = 5e-4
    momentum: float = 0.9
    warmup_epochs: float = 0.0
    schedule: Schedule = "cosine"
    label_smoothing: float = 0.0
    ema_decay: float | None = None
    precision: Precision = "auto"
    clip_norm: float | None = None
    accumulate: int = 1
    select: Selection = "last"

    def __post_init__(self) -> None:
        for field, choices in (
            ("optimizer", get_args(Optimizer)),
            ("schedule", get_args(Schedule)),
            ("precision", get_args(Precision)),
            ("select", get_args(Selection)),
        ):
            if getattr(self, field) not in choices:
                raise UsageError(
                    f"recipe: {field} is {getattr(self, field)!r}; "
                    f"expected one of {', '.join(choices)}"
                )
        for field, low, high in (
            ("epochs", 1, math.inf),
            ("batch_size", 1, math.inf),
            ("accumulate", 1, self.batch_size),
            ("lr", 0, math.inf),
            ("weight_decay", 0, math.inf),
            ("momentum", 0, 1),
            ("warmup_epochs", 0, math.inf),
            ("label_smoothing", 0, 1),
            ("ema_decay", 0, 1),
            ("clip_norm", 0, math.inf),
        ):
            value = getattr(self, field)
            if value is None and field in ("ema_decay", "clip_norm"):
                continue
            whole = field in ("epochs", "batch_size", "accumulate")
            kind: Any = Integral if whole else Real
            if not isinstance(value, kind):
                expected = "a whole number" if whole else "a number"
                raise UsageError(f"recipe: {field} is {value!r:.60}; expected {expected}")
            if not low <= value <= high:
                raise UsageError(f"recipe: {field} is {value}; expected {low} to {high}")


def learning_rate(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """Return the learning rate of a step, counted from 0 over the whole run.

    Linear warm-up, then lr (1 + cos(pi t)) / 2 (Loshchilov and Hutter, "SGDR", ICLR 2017, eq. 5,
    without restarts), or lr.

    >>> recipe = Recipe(epochs=10, lr=1.0, warmup_epochs=2)
    >>> [round(learning_rate(recipe, step, 1), 3) for step in (0, 1, 2, 6, 9)]
    [0.5, 1.0, 1.0, 0.5, 0.038]
    """
    warm = round(min(recipe.warmup_epochs, recipe.epochs / 2) * steps_per_epoch)
    if step < warm:
        return recipe.lr * (step + 1) / warm
    if recipe.schedule == "constant":
        return recipe.lr
    share = (step - warm) / max(1, recipe.epochs * steps_per_epoch - warm)
    return recipe.lr * 0.5 * (1 + math.cos(math.pi * share))
