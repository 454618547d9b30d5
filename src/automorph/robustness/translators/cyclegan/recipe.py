"""The settings of CycleGAN training, in one frozen record."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

from automorph.errors import UsageError
from automorph.robustness.translators.cyclegan.augmentation import CHANGES, Change
from automorph.robustness.translators.cyclegan.losses import Adversarial

Networks = Literal["compact", "released", "masked"]


@dataclass(frozen=True, kw_only=True)
class CycleRecipe:
    """How a CycleGAN is trained; the defaults suit a few hundred small images and a CPU.

    - ``steps`` of ``batch_size`` images of each subgroup, equally many of every class;
    - ``loss`` is ``least-squares`` or ``cross-entropy``; ``cycle`` weighs the cycle loss,
      ``identity`` the change of images that are in the target already;
    - ``replay`` images are kept for the discriminators;
    - ``hide`` is the deviation of noise added before translating back, in [-1, 1] pixels: a removed
      mark must not survive as a faint code that only the other generator can read (Chu, Zhmoginov
      and Sandler 2017, "CycleGAN, a master of steganography");
    - ``augment`` lists the changes of the discriminators' inputs;
    - ``width`` and ``judge_width`` are the channels of the first layers; ``networks`` are
      ``compact``, those ``released`` with model patching, with batch normalisation, or ``masked``
      (see `MaskedGenerator`); ``residual`` is that of `ImageGenerator`, for compact networks;
    - ``sparse`` and ``smooth`` weigh the mean and the roughness of the masks, from a fifth of the
      steps on, and fully from half of them: a mask that closes before its generator has learned
      anything never opens again;
    - ``average`` is the decay of the running mean of the generators, which translates (0: the
      last weights do).

    Raises `UsageError` for invalid values.
    """

    steps: int = 2000
    batch_size: int = 16
    generator_lr: float = 1e-3
    discriminator_lr: float = 4e-4
    loss: Adversarial = "least-squares"
    cycle: float = 10.0
    identity: float = 1.0
    replay: int = 50
    hide: float = 0.1
    augment: tuple[Change, ...] = ("shift",)
    width: int = 16
    judge_width: int = 32
    residual: bool = True
    average: float = 0.995
    networks: Networks = "compact"
    sparse: float = 0.5
    smooth: float = 0.2

    def __post_init__(self) -> None:
        if self.loss not in get_args(Adversarial):
            raise UsageError(
                f"CycleGAN: got loss={self.loss!r}; expected one of {get_args(Adversarial)}"
            )
        if self.networks not in get_args(Networks):
            raise UsageError(
                f"CycleGAN: got networks={self.networks!r}; expected one of {get_args(Networks)}"
            )
        if self.residual and self.networks == "released":
            raise UsageError(
                "CycleGAN: got residual=True with networks='released'; expected residual=False, "
                "because these networks make whole images"
            )
        if unknown := set(self.augment) - set(CHANGES):
            raise UsageError(
                f"CycleGAN: got augment={sorted(unknown)}; expected values from {CHANGES}"
            )
        for name, low, high in (
            ("steps", 1, math.inf),
            ("batch_size", 1, math.inf),
            ("generator_lr", 0, math.inf),
            ("discriminator_lr", 0, math.inf),
            ("cycle", 0, math.inf),
            ("identity", 0, math.inf),
            ("replay", 1, math.inf),
            ("hide", 0, 1),
            ("width", 1, math.inf),
            ("judge_width", 1, math.inf),
            ("average", 0, 1),
            ("sparse", 0, math.inf),
            ("smooth", 0, math.inf),
        ):
            if not low <= getattr(self, name) <= high:
                value = getattr(self, name)
                raise UsageError(f"CycleGAN: got {name}={value}; expected {low} to {high}")


def published(side: int) -> dict[str, Any]:
    """Return the model-patching paper's settings for a size of images, for `CycleRecipe`.

    Those of the released configurations for MNIST (28 pixels), CelebA (128) and Waterbirds (224),
    without their augmentation of the images (rotation and crop; flip and crop). Goel, Gu, Li and Ré
    trained for thousands of epochs on accelerators; on a CPU the defaults get further in the same
    time.

    >>> recipe = CycleRecipe(**published(128))
    >>> recipe.width, recipe.networks, recipe.residual
    (64, 'released', False)
    """
    small = side <= 32
    return {
        "networks": "released",
        "residual": False,
        "hide": 0.0,
        "augment": (),
        "average": 0.0,
        "loss": "cross-entropy",
        "cycle": 10.0,
        "identity": 1.0,
        "replay": 50,
        "batch_size": 25 if small else 16 if side <= 128 else 4,
        "generator_lr": 1e-3 if small else 2e-4,
        "discriminator_lr": 5e-5 if small else 2e-4,
        "width": 32 if small else 64,
        "judge_width": 64,
    }
