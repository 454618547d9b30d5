"""The operations of the search spaces of the papers, as functions."""

from __future__ import annotations

from dataclasses import replace

from automorph.operations.catalogue import OPERATIONS
from automorph.operations.spec import MEAN, Operation
from automorph.operations.text import TEXT_OPERATIONS

Operations = tuple[Operation, ...]


def _ranged(**ranges: tuple[float, float] | None) -> tuple[Operation, ...]:
    return tuple(
        OPERATIONS[name] if ends is None else OPERATIONS[name].between(*ends)
        for name, ends in ranges.items()
    )


def _pixels(name: str, most: float) -> Operation:
    base = OPERATIONS[name]
    return replace(base, low=-most, high=most, unit="px")


_FACTORS = {"Brightness": 0.9, "Color": 0.9, "Contrast": 0.9, "Sharpness": 0.9}
# In torchvision, Solarize starts at 255, so the weakest magnitude still inverts pure white.
_SOLARIZE = (0.0, 255.0)


def _factors(span: float) -> dict[str, tuple[float, float]]:
    return {name: (1.0 - span, 1.0 + span) for name in _FACTORS}


def randaugment() -> tuple[Operation, ...]:
    """RandAugment (Cubuk et al. 2019), ranges of torchvision."""
    return _ranged(
        Identity=None, ShearX=(-0.3, 0.3), ShearY=(-0.3, 0.3),
        TranslateX=(-150 / 331, 150 / 331), TranslateY=(-150 / 331, 150 / 331),
        Rotate=(-30, 30), **_factors(0.9), Posterize=(4, 8), Solarize=_SOLARIZE,
        AutoContrast=None, Equalize=None,
    )  # fmt: skip


def randaugment_imagenet() -> tuple[Operation, ...]:
    """RandAugment's released code for ImageNet: magnitude 1 is its level 30, three times its scale.

    As in that code, Solarize and Posterize get weaker with the level, and factors run from 0.1; it
    truncates where operations here round, so the ends of ranges are shifted by about a half.
    """
    kept = {"Posterize": (-0.49, 11.51), "Solarize": (-0.49, 767.51)}
    return (
        *_ranged(AutoContrast=None, Equalize=None, Invert=None, Rotate=(-90, 90)),
        *(replace(OPERATIONS[name], low=low, high=high, identity=None, whole=True)
          for name, (low, high) in kept.items()),
        *(replace(OPERATIONS[name], low=0.1, high=5.5, identity=None) for name in _FACTORS),
        *_ranged(ShearX=(-0.9, 0.9), ShearY=(-0.9, 0.9)),
        *(replace(_pixels(name, 300), whole=True) for name in ("TranslateX", "TranslateY")),
        replace(OPERATIONS["Cutout"], low=0, high=240, unit="px", whole=True),
        replace(OPERATIONS["SolarizeAdd"], low=0, high=330, whole=True),
    )  # fmt: skip


def trivial(shear: float, translate: float, rotate: float, span: float, bits: int) -> Operations:
    """TrivialAugment (Mueller and Hutter 2021): ranges are the ends of its 31 strengths."""
    geometry = _ranged(
        Identity=None, ShearX=(-shear, shear), ShearY=(-shear, shear), Rotate=(-rotate, rotate)
    )
    return (
        *geometry[:3], _pixels("TranslateX", translate), _pixels("TranslateY", translate),
        geometry[3],
        *_ranged(**_factors(span), Posterize=(bits, 8), Solarize=_SOLARIZE,
                 AutoContrast=None, Equalize=None),
    )  # fmt: skip


def autoaugment() -> tuple[Operation, ...]:
    """AutoAugment (Cubuk et al. 2018, section 3): 16 operations, ranges of torchvision."""
    return _ranged(
        ShearX=(-0.3, 0.3), ShearY=(-0.3, 0.3), TranslateX=(-150 / 331, 150 / 331),
        TranslateY=(-150 / 331, 150 / 331), Rotate=(-30, 30), AutoContrast=None, Invert=None,
        Equalize=None, Solarize=_SOLARIZE, Posterize=(4, 8), **_factors(0.9),
        Cutout=(0, 60 / 331), SamplePairing=(0, 0.4),
    )  # fmt: skip


def augmix() -> tuple[Operation, ...]:
    """AugMix (Hendrycks et al. 2020): nine operations that do not overlap its test corruptions.

    As in its released code: 4 - int(0.4 level) bits, a threshold of 256 - int(25.6 level), and
    moves of up to a third of the side; level is ten times the magnitude.
    """
    first = _ranged(AutoContrast=None, Equalize=None)
    moves = _ranged(
        Rotate=(-30, 30), Solarize=(0, 256), ShearX=(-0.3, 0.3), ShearY=(-0.3, 0.3),
        TranslateX=(-1 / 3, 1 / 3), TranslateY=(-1 / 3, 1 / 3),
    )  # fmt: skip
    return (*first, _fewer_bits(4), *moves)


def fast_autoaugment() -> tuple[Operation, ...]:
    """Fast AutoAugment and DADA (released code): 15 operations, those of AutoAugment but pairing.

    Ranges are theirs; which end a magnitude begins at does not matter to a search over all of them.
    """
    return (
        *_ranged(
            ShearX=(-0.3, 0.3), ShearY=(-0.3, 0.3), TranslateX=(-0.45, 0.45),
            TranslateY=(-0.45, 0.45), Rotate=(-30, 30), AutoContrast=None, Invert=None,
            Equalize=None, Solarize=(0, 256), Posterize=(4, 8), **_factors(0.9),
        ),
        replace(OPERATIONS["Cutout"], low=0, high=0.2, fill=MEAN),
    )  # fmt: skip


def pba() -> tuple[Operation, ...]:
    """Population based augmentation (Ho et al. 2019; released code): 15 operations.

    Ranges end at level 9 of 10, the largest that its search draws. Enhancers run from 0.1 to 1.72.
    """
    factors = {
        name: replace(OPERATIONS[name], low=0.1, high=1.72, identity=None) for name in _FACTORS
    }
    return (
        *_ranged(Rotate=(-27, 27), TranslateX=(-9 / 32, 9 / 32), TranslateY=(-9 / 32, 9 / 32)),
        factors["Brightness"], factors["Color"], *_ranged(Invert=None), factors["Sharpness"],
        _fewer_bits(3.6), *_ranged(ShearX=(-0.27, 0.27), Solarize=(25.6, 256),
                                   ShearY=(-0.27, 0.27), Equalize=None, AutoContrast=None),
        replace(OPERATIONS["Cutout"], low=0, high=18 / 32, fill=MEAN), factors["Contrast"],
    )  # fmt: skip


def first_augmix() -> tuple[Operation, ...]:
    """AugMix's operations before they followed the released code, to repeat earlier results.

    Posterize goes from 4 bits to 1 and is rounded, so that mild draws keep too few.
    """
    return _ranged(
        AutoContrast=None, Equalize=None, Posterize=(1, 4), Rotate=(-30, 30), Solarize=_SOLARIZE,
        ShearX=(-0.3, 0.3), ShearY=(-0.3, 0.3), TranslateX=(-1 / 3, 1 / 3),
        TranslateY=(-1 / 3, 1 / 3),
    )  # fmt: skip


def _fewer_bits(lost: float) -> Operation:
    """Return Posterize to 4 - int(``lost`` * magnitude) bits.

    The kernel truncates its value, so the range begins just below the next whole number.
    """
    top = 5 - 1e-6
    return replace(OPERATIONS["Posterize"], low=top - lost, high=top, whole=False)


def dauphin() -> tuple[Operation, ...]:
    """Uncertainty sampling (Wu et al. 2020): the 16 operations of the released code.

    Its scales are kept where others differ: Posterize keeps int(4 m) bits, so that a quarter of the
    draws is black, and Solarize inverts from 256 m on, so that weak is strong. Translations are 10
    of 32 pixels, Cutout up to half the side in the mean of the data, and mixup is an operation.
    """
    scaled = {"Brightness": (0.1, 1.9), "Color": (0.1, 1.9), "Contrast": (0.1, 1.9)}
    posterize = replace(OPERATIONS["Posterize"], low=0, high=4, identity=None, whole=False)
    return (
        *_ranged(AutoContrast=None, **scaled),
        *cutout(),
        *_ranged(Equalize=None, Invert=None, Mixup=None),
        posterize,
        *_ranged(Rotate=(-30, 30), Sharpness=(0.1, 1.9), ShearX=(-0.3, 0.3), ShearY=(-0.3, 0.3)),
        replace(OPERATIONS["Solarize"], low=0, high=256, identity=None),
        *_ranged(TranslateX=(-10 / 32, 10 / 32), TranslateY=(-10 / 32, 10 / 32)),
    )


def cutout() -> tuple[Operation, ...]:
    """Cutout of up to half the shorter side, in the mean of the data."""
    return (replace(OPERATIONS["Cutout"], fill=MEAN),)


def _held(name: str, *values: float) -> tuple[Operation, ...]:
    return tuple(OPERATIONS[name].at(value) for value in values)


def tanda_mnist() -> tuple[Operation, ...]:
    """TANDA on MNIST (Ratner et al. 2017; released code): each value is its own operation."""
    return (
        *_held("Rotate", 2.5, -2.5, 5, -5, 10, -10),
        *_held("Zoom", 0.9, 1.1),
        *_held("ShearX", 0.1, -0.1, 0.2, -0.2, 0.4, -0.4),
        *_held("Swirl", 0.1, -0.1, 0.2, -0.2, 0.4, -0.4),
        *_held("Elastic", 0.035, 0.045, 0.055),
        *_held("Erosion", 1),
        *_held("Dilation", 1),
    )


def tanda_cifar10() -> tuple[Operation, ...]:
    """TANDA on CIFAR-10 (Ratner et al. 2017; released code)."""
    return (
        *_held("Rotate", 2.5, -2.5, 5, -5),
        *_held("Zoom", 0.9, 1.1, 0.75, 1.25),
        *_held("ShearX", 0.1, -0.1, 0.25, -0.25),
        *_held("Swirl", 0.1, -0.1, 0.25, -0.25),
        *_held("Hue", 0.1, -0.1, 0.25, -0.25),
        *_held("Contrast", 0.5, 0.75, 1.25, 1.5),
        *_held("Brightness", 0.5, 0.75, 1.25, 1.5),
        *_held("Color", 0.5, 0.75, 1.25, 1.5),
        OPERATIONS["HorizontalFlip"],
    )


def catalogue() -> tuple[Operation, ...]:
    """Return the operations of version 0.1: what a typed name draws from must not change."""
    return tuple(OPERATIONS[name] for name in _FIRST)


_FIRST = (
    "Identity", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "AutoContrast",
    "Equalize", "Invert", "Solarize", "SolarizeAdd", "Posterize", "Contrast", "Color", "Brightness",
    "Sharpness", "Cutout", "SamplePairing", "HorizontalFlip", "VerticalFlip", "PadCrop",
    "ResizedCrop", "Hue", "Zoom", "Swirl", "Elastic", "Erosion", "Dilation", "Blur", "Noise",
    "RandomErasing",
)  # fmt: skip


def texts(*names: str) -> tuple[Operation, ...]:
    """Return operations on texts by name."""
    return tuple(TEXT_OPERATIONS[name] for name in names)
