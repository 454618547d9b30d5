"""timm's operations with timm's ranges (its ``auto_augment.py``, magnitudes 0 to 10).

timm truncates values of Posterize and Solarize to whole numbers where operations here round; the
ends of their ranges are shifted so that results agree at timm's whole magnitudes. Posterize differs
on purpose: it keeps at least one bit, where timm's strongest keeps none and makes the image black.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from automorph.operations import OPERATIONS, Operation, SearchSpace
from automorph.policies.rendering import Fill, Interpolation

RENDERING: tuple[Fill, Interpolation] = (128, "bilinear")
"""timm fills with grey; it draws bilinear or bicubic per operation, here always bilinear."""

_FACTORS = ("Color", "Contrast", "Brightness", "Sharpness")
_MOVES = {"Rotate": 30.0, "ShearX": 0.3, "ShearY": 0.3, "TranslateX": 0.45, "TranslateY": 0.45}


def _moves() -> tuple[Operation, ...]:
    return tuple(OPERATIONS[name].between(-end, end) for name, end in _MOVES.items())


def _stronger() -> tuple[Operation, ...]:
    """Return operations that get stronger as the magnitude grows; Posterize keeps 4 bits to 1."""
    factors = tuple(OPERATIONS[name].between(0.1, 1.9) for name in _FACTORS)
    return OPERATIONS["Posterize"].between(0.51, 4.48), OPERATIONS["Solarize"], *factors


def _free(*names: str) -> tuple[Operation, ...]:
    return tuple(OPERATIONS[name] for name in names)


@cache
def increasing() -> SearchSpace:
    """Return timm's RandAugment set with ``inc1``."""
    free = _free("AutoContrast", "Equalize", "Invert", "SolarizeAdd")
    return SearchSpace("timm-increasing", (*free, *_moves(), *_stronger()))


@cache
def plain() -> SearchSpace:
    """Return timm's RandAugment set without ``inc1``.

    Posterize and Solarize get weaker as the magnitude grows, and enhancers go from 0.1 to 1.9, so
    that the middle is the identity. Posterize keeps one bit more than timm at magnitudes 4 and 7,
    because a linear range must not fall below one bit.
    """
    o = OPERATIONS
    free = _free("AutoContrast", "Equalize", "Invert", "SolarizeAdd")
    return SearchSpace("timm", (
        *free, *_moves(),
        replace(o["Posterize"], low=0.51, high=3.51, identity=None),
        replace(o["Solarize"], low=-0.49, high=255.51, identity=None, whole=True),
        *(replace(o[name], low=0.1, high=1.9, identity=None) for name in _FACTORS),
    ))  # fmt: skip


@cache
def augmix() -> SearchSpace:
    """Return timm's AugMix set: the paper's operations and the four enhancers."""
    return SearchSpace("timm-augmix", (*_free("AutoContrast", "Equalize"), *_moves(), *_stronger()))
