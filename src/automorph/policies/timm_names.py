"""timm's policy strings, as ``rand-m9-mstd0.5-inc1`` and ``augmix-m3-w3-d2``.

Operations, ranges and defaults are timm's (its ``auto_augment.py``); magnitudes go to 10. Two
things differ, and are said in ``automorph list policies``: Posterize keeps at least one bit
(timm's strongest keeps none, a black image), and resampling is nearest or bilinear as chosen, not
drawn at random for each image.
"""

from __future__ import annotations

import re

from automorph.errors import PolicyError
from automorph.policies.augmix import AugMix
from automorph.policies.base import Policy
from automorph.policies.uniform import Uniform
from automorph.space import OPERATIONS, Operation, SearchSpace, named_space

_PART = re.compile(r"(mstd|mmax|inc|[mnpwd])(-?[\d.]+)")


def timm_policy(text: str) -> Policy:
    """The policy of a timm string.

    >>> policy = timm_policy("rand-m9-mstd0.5-inc1")
    >>> policy.length, policy.low, policy.spread, policy.probability
    (2, 0.9, 0.05, 0.5)
    """
    kind, *parts = text.split("-")
    # A minus inside a part, as in "d-1", is a sign.
    joined = re.sub(r"-([a-z])-(\d)", r"-\1#\2", "-".join(["", *parts])).split("-")[1:]
    settings: dict[str, float] = {}
    for part in joined:
        match = _PART.fullmatch(part.replace("#", "-"))
        if match is None:
            raise PolicyError(
                f"the timm string {text!r} has the part {part!r}; expected parts such as m9, "
                "mstd0.5, n2, p0.5, inc1 (after rand), or m3, w3, d2 (after augmix)"
            )
        settings[match[1]] = float(match[2])
    if kind == "rand":
        return _rand(text, settings)
    if kind == "augmix":
        return AugMix(
            label=text, operations=named_space("augmix"), severity=settings.get("m", 3),
            width=int(settings.get("w", 3)),
            depth=int(settings["d"]) if settings.get("d", -1) > 0 else 3,
            fixed_depth=settings.get("d", -1) > 0,
        )  # fmt: skip
    raise PolicyError(
        f"timm strings that start with {kind!r} are not known here; expected rand-... or augmix-..."
    )


def _rand(text: str, settings: dict[str, float]) -> Policy:
    if settings.get("w"):
        raise PolicyError(
            f"{text!r} asks for timm's operation weights (w), which are not carried over; "
            "leave that part out"
        )
    magnitude = settings.get("m", 10.0) / 10
    if not 0 <= magnitude <= 1:
        raise PolicyError(f"{text!r} has m{settings['m']:g}; expected a magnitude from 0 to 10")
    spread = settings.get("mstd", 0.0)
    space = increasing_space() if settings.get("inc") else plain_space()
    # From 100 on, timm draws the magnitude uniformly from 0 to m instead.
    return Uniform(
        label=text, operations=space, length=int(settings.get("n", 2)),
        low=0.0 if spread >= 100 else magnitude, high=magnitude,
        spread=0.0 if spread >= 100 else spread / 10, probability=settings.get("p", 0.5),
    )  # fmt: skip


def _common() -> tuple[Operation, ...]:
    ends = {"Rotate": 30.0, "ShearX": 0.3, "ShearY": 0.3, "TranslateX": 0.45, "TranslateY": 0.45}
    return tuple(OPERATIONS[name].between(-end, end) for name, end in ends.items())


def increasing_space() -> SearchSpace:
    """timm's set with ``inc1``: every operation is stronger as the magnitude grows."""
    o = OPERATIONS
    factors = ("Color", "Contrast", "Brightness", "Sharpness")
    return SearchSpace("timm-increasing", (
        o["AutoContrast"], o["Equalize"], o["Invert"], *_common(),
        o["Posterize"].between(1, 4), o["Solarize"], o["SolarizeAdd"],
        *(o[name].between(0.1, 1.9) for name in factors),
    ))  # fmt: skip


def plain_space() -> SearchSpace:
    """timm's set without ``inc1``: enhancers go from 0.1 to 1.9, so the middle is the identity."""
    from dataclasses import replace

    o = OPERATIONS
    factors = ("Color", "Contrast", "Brightness", "Sharpness")
    return SearchSpace("timm", (
        o["AutoContrast"], o["Equalize"], o["Invert"], *_common(),
        replace(o["Posterize"], low=1, high=4, identity=None),
        replace(o["Solarize"], identity=None), o["SolarizeAdd"],
        *(replace(o[name], low=0.1, high=1.9, identity=None) for name in factors),
    ))  # fmt: skip
