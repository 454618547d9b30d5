"""The recipe of a training: every tuned setting in one frozen record, and its defaults."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from numbers import Integral, Real
from typing import Any, Literal, get_args

from automorph.errors import UsageError

Optimizer = Literal["sgd", "adamw", "muon", "lbfgs"]
Schedule = Literal["cosine", "constant", "stable"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]
Selection = Literal["last", "best"]
Stop = Literal["epochs", "converged"]
Loss = Literal["default", "huber", "dice", "dice+cross-entropy"]
Balance = Literal["none", "sampler", "loss", "logits"]
BALANCES: tuple[str, ...] = get_args(Balance)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The settings by which a network is trained.

    ``batch_size`` is the number of examples of one optimiser step, over all processes;
    ``accumulate`` divides it into this many passes, for less memory. ``optimizer`` is ``sgd`` (with
    Nesterov's momentum), ``adamw`` (``momentum`` is then beta_1) or ``muon`` (Jordan et al. 2024):
    ``lr`` is then roughly the angle by which a step turns the matrices before the output layer, and
    ``momentum`` theirs; all other weights follow ``sgd`` with the rate ``sgd_share`` times ``lr``
    and ``sgd_momentum``. ``lbfgs`` fits the head on frozen features to its optimum: ``epochs`` is
    then the number of augmented copies, and no other entry but ``batch_size`` and ``precision`` has
    a meaning. The rate rises linearly over ``warmup_epochs`` (half of the epochs at
    most) and then follows ``schedule`` (``cosine`` ends at 0; ``stable`` is constant and falls to 0
    over the last share ``cooldown`` of the epochs, see `learning_rate`). With ``stop="converged"``,
    which needs ``schedule="stable"``, the constant phase ends when the validation loss stops
    improving, and ``epochs`` is the most that the training may take. ``weight_decay`` does not
    apply to biases, normalisations and what ``muon`` turns. ``ema_decay`` evaluates and keeps a
    running average of the weights. ``layer_decay`` moves every layer by this share of the step of
    the next one, from the output layer down (see `layer_shares`); ``frozen_statistics`` keeps the
    means and variances of batch normalisations as the network was built. ``precision`` ``auto``
    depends on device and network, see `choose_precision`. ``select`` keeps the weights of the
    ``last`` epoch, or those with the ``best`` validation accuracy. ``balance`` makes up for classes
    of different sizes: by a ``sampler`` that draws all equally often, by weights in the ``loss`` or
    by adjusted ``logits`` (see `automorph.training.Balance`). ``loss`` is that of the target, or of
    values Huber's in place of the squared error (``huber``), of masks the Dice loss (``dice``) or
    its sum with the cross-entropy (``dice+cross-entropy``). Raises `UsageError` for values
    out of range.
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
    cooldown: float = 0.25
    stop: Stop = "epochs"
    sgd_share: float = 1.0
    sgd_momentum: float = 0.9
    layer_decay: float = 1.0
    frozen_statistics: bool = False
    balance: Balance = "none"
    loss: Loss = "default"

    def __post_init__(self) -> None:
        for field, choices in (
            ("optimizer", get_args(Optimizer)),
            ("schedule", get_args(Schedule)),
            ("precision", get_args(Precision)),
            ("select", get_args(Selection)),
            ("stop", get_args(Stop)),
            ("balance", BALANCES),
            ("loss", get_args(Loss)),
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
            ("cooldown", 0, 0.9),
            ("sgd_share", 0, math.inf),
            ("sgd_momentum", 0, 1),
            ("layer_decay", 0, 1),
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
        frozen = self.frozen_statistics
        if not isinstance(frozen, bool):
            raise UsageError(f"recipe: frozen_statistics is {frozen!r:.60}; expected True or False")
        if self.stop == "converged" and self.schedule != "stable":
            raise UsageError(
                f"recipe: stop is 'converged' and schedule is {self.schedule!r}; expected "
                "'stable': a training can end by itself only if its rate is constant until then"
            )
        for field in ("sgd_share", "sgd_momentum"):
            value, unset = getattr(self, field), getattr(Recipe, field)
            if self.optimizer != "muon" and value != unset:
                raise UsageError(
                    f"recipe: {field} is {value} and optimizer is {self.optimizer!r}; expected "
                    f"'muon': leave out {field}, or set it to {unset}"
                )

    def to_dict(self) -> dict[str, Any]:
        """Return the entries as plain data, without those that this recipe does not use.

        Recipes of versions that did not know such an entry thus stay equal to new ones.

        >>> "cooldown" in Recipe().to_dict(), "cooldown" in Recipe(schedule="stable").to_dict()
        (False, True)
        """
        unused = {
            name
            for name, (field, value) in _USED_WITH.items()
            if getattr(self, field) != value and getattr(self, name) == getattr(Recipe, name)
        }
        unused |= {name for name in _LATER if getattr(self, name) == getattr(Recipe, name)}
        return {name: value for name, value in asdict(self).items() if name not in unused}


_USED_WITH = {
    "cooldown": ("schedule", "stable"),
    "stop": ("schedule", "stable"),
    "sgd_share": ("optimizer", "muon"),
    "sgd_momentum": ("optimizer", "muon"),
}
"""Entries that earlier versions did not know, and the choice that makes use of them."""
_LATER = ("layer_decay", "frozen_statistics", "balance", "loss")
"""Entries that earlier versions did not know, and that are used unless they have their default."""
