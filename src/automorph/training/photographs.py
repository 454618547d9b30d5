"""Size, network and regime for photographs, chosen so that a search fits into a stated time.

A table of costs decides, and no clock: the same data get the same choice on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass

from automorph.data import Chosen, Photographs
from automorph.models import resizing_of, weights_for
from automorph.training.recipe_table import recipe_for
from automorph.training.task import Regime

BUDGET = 600.0
"""Seconds that a search takes if it is given neither trials nor a budget."""
CORES = 2
"""Cores that the time is meant for."""
FIVE_SEEDS = 68
"""Plain trainings in a search whose final table has five seeds (see `searchers.plan_by_time`)."""
LEAST = 27
"""Plain trainings in the smallest search, whose table has two; a shorter time is refused."""
USABLE = 0.9
"""Share of the time that is planned with, as there."""
_START = 1.5
"""Seconds of a training besides its epochs."""
_CONVERGED = 0.6
"""Share of the most epochs after which a training from scratch has usually converged: the mean over
seven suite sets (benchmarks/recipes.py, part suite)."""


@dataclass(frozen=True)
class Setting:
    """A row of the table: a network at a size, and what one training image costs.

    ``cost`` is milliseconds of one core: the work of an epoch, divided by its training images.
    """

    regime: Regime
    model: str
    size: int
    cost: float

    def seconds(self, n: int) -> float:
        """Return the seconds on one core of a training with ``n`` training images."""
        recipe = recipe_for(self.model, n)
        share = _CONVERGED if recipe.stop == "converged" else 1
        return _START + share * recipe.epochs * n * self.cost / 1000

    def __str__(self) -> str:
        how = {
            "scratch": "trained from scratch",
            "fine-tuned": "fine-tuned",
            "frozen": "a linear head on features that stay as they are",
        }
        return f"{self.model} ({how[self.regime]})"


_LITE = "timm:tf_efficientnet_lite0:pretrained"
_FROZEN = "features:timm:tf_efficientnet_lite0"
SETTINGS = (
    Setting("fine-tuned", _LITE, 128, 25),
    Setting("fine-tuned", _LITE, 96, 16),
    Setting("frozen", _FROZEN, 128, 4.5),
    Setting("frozen", _FROZEN, 96, 3.0),
    Setting("scratch", "resnet9:16/4", 128, 2.0),
    Setting("scratch", "resnet9:16/2", 64, 1.8),
    Setting("scratch", "resnet9:16", 32, 1.2),
)
"""What photographs may be trained with, the best first.

The costs at 32 and 64 px are those of benchmarks/recipes.py (parts suite and sizes: processor
seconds of a training by its epochs and 1,600 images; flip-crop + trivialaugment, one thread). The
others were measured in turn with that of 64 px, in one process, and are multiples of it: 1.1 at 128
px; 9 and 14 for fine-tuning in fp32, 1.6 and 2.4 for a forward pass in bf16.
"""


def choose_setting(
    photographs: Photographs, *, budget: float | None = None, frozen: bool = True
) -> Chosen:
    """Choose the best setting whose searches fit into ``budget`` seconds (None: ten minutes).

    They fit with a final table of five seeds or, if that is too long for every setting, with one of
    two; if nothing fits, the fastest setting is chosen. A pretrained network needs its weights in
    an installed package; nothing is downloaded. Images are hardly enlarged. ``frozen``: whether
    frozen features may be chosen.

    >>> choose_setting(Photographs(50_000, side=375, alike=False), frozen=False).model
    'resnet9:16'
    """
    allowed = BUDGET if budget is None else budget
    n = photographs.n_train
    usable = [
        one
        for one in SETTINGS
        if one.size <= 1.5 * photographs.side
        and (frozen or one.regime != "frozen")
        and _at_hand(one)
    ]
    usable = usable or [SETTINGS[-1]]
    fits = [
        one
        for trainings in (FIVE_SEEDS, LEAST)
        for one in usable
        if _whole(one, n, trainings) <= allowed
    ]
    setting = fits[0] if fits else min(usable, key=lambda one: one.seconds(n))
    return Chosen(
        size=(setting.size, setting.size),
        resizing=resizing_of(setting.model),
        model=setting.model,
        seconds=setting.seconds(n),
        budget=allowed,
        note=_note(photographs, setting, allowed),
    )


def _whole(setting: Setting, n: int, trainings: int) -> float:
    """Return the seconds of a search with so many trainings."""
    return trainings * setting.seconds(n) / (CORES * USABLE)


def _note(photographs: Photographs, setting: Setting, budget: float) -> str:
    needed = _whole(setting, photographs.n_train, LEAST)
    if needed <= budget:
        why = f"so that a search takes about {_in_words(budget)} on two cores"
        more = "let a search take longer with --budget"
    else:
        why = f"as the fastest, and a search takes at least {_in_words(needed)} on two cores"
        more = "use fewer images with --limit"
    return (
        f"{photographs.words}: {setting.size} px and {setting}, chosen {why}; change them with "
        f"--size and --model, or {more}"
    )


def _at_hand(setting: Setting) -> bool:
    return setting.regime == "scratch" or weights_for(setting.model) is not None


def _in_words(seconds: float) -> str:
    if seconds < 5400:
        return f"{max(1, round(seconds / 60))} minutes"
    return f"{seconds / 3600:.0f} hours"
