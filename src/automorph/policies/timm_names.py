"""timm's policy strings, such as ``rand-m9-mstd0.5-inc1`` and ``augmix-m3-w3-d2``."""

from __future__ import annotations

import re
from typing import Any

from automorph.errors import PolicyError
from automorph.policies import timm_spaces
from automorph.policies.augmix import AugMix
from automorph.policies.base import Policy
from automorph.policies.uniform import Uniform

_PART = re.compile(r"([a-z]+)(\d+\.?\d*|\.\d+)")
_KEYS = {
    "rand": {"m": int, "n": int, "p": float, "mstd": float, "inc": int, "mmax": int},
    "augmix": {"m": int, "w": int, "d": int, "a": float, "b": int, "mstd": float},
}
_OTHER = ("original", "originalr", "v0", "v0r", "3a")


def is_timm(text: str) -> bool:
    """Return whether a name is a timm string.

    >>> is_timm("rand-m9-inc1"), is_timm("rand-augment"), is_timm("augmix")
    (True, False, False)
    """
    kind, *parts = text.lower().split("-")
    if kind in _OTHER:
        return True
    return kind in _KEYS and any(re.match(r"[a-z]*\d|t", part) for part in parts)


def timm_policy(text: str) -> Policy:
    """Build the policy of a timm string.

    >>> policy = timm_policy("rand-m9-mstd0.5-inc1")
    >>> policy.length, policy.low, policy.spread, policy.probability
    (2, 0.9, 0.05, 0.5)
    """
    kind, *parts = text.lower().split("-")
    if kind in _OTHER:
        raise PolicyError(
            f"timm's AutoAugment string {text!r} is not supported; the paper's policies are "
            "autoaugment:imagenet, autoaugment:cifar10 and autoaugment:svhn"
        )
    settings = _settings(text, kind, parts)
    return _rand(text, settings) if kind == "rand" else _augmix(text, settings)


def _settings(text: str, kind: str, parts: list[str]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for part in parts:
        match = _PART.fullmatch(part)
        key = match[1] if match else ""
        if kind == "rand" and part.startswith("t"):
            raise PolicyError(
                f"{text!r} asks for timm's set of operations {part[1:]!r}, which is not supported; "
                "leave that part out"
            )
        if match is None or key not in _KEYS[kind]:
            raise PolicyError(
                f"the timm string {text!r} has the part {part!r}; expected parts such as "
                + ("m9, n2, p0.5, mstd0.5, inc1" if kind == "rand" else "m3, w3, d2, a1")
            )
        if key in settings:
            raise PolicyError(f"the timm string {text!r} has {key} twice; expected it once")
        value = float(match[2])
        if _KEYS[kind][key] is int:
            if not value.is_integer():
                raise PolicyError(f"{text!r} has {part!r}; timm takes whole numbers for {key}")
            value = int(value)
        settings[key] = value
    return settings


def _magnitude(text: str, settings: dict[str, Any], default: int) -> int:
    magnitude: int = settings.get("m", default)
    if magnitude > 10:
        raise PolicyError(
            f"{text!r} has m{magnitude}; expected a magnitude from 0 to 10 (timm clips larger ones)"
        )
    return magnitude


def _rand(text: str, settings: dict[str, Any]) -> Policy:
    if settings.get("mmax", 10) != 10:
        raise PolicyError(
            f"{text!r} has mmax{settings['mmax']}; only timm's default maximum, 10, is "
            "supported: leave mmax out"
        )
    magnitude = _magnitude(text, settings, 10) / 10
    spread = settings.get("mstd", 0.0)
    # Above 100, timm draws the magnitude uniformly from 0 to m instead.
    drawn = spread > 100
    fill, interpolation = timm_spaces.RENDERING
    return Uniform(
        operations=timm_spaces.increasing() if settings.get("inc") else timm_spaces.plain(),
        length=settings.get("n", 2),
        low=0.0 if drawn else magnitude,
        high=magnitude,
        spread=0.0 if drawn else spread / 10,
        probability=settings.get("p", 0.5),
        fill=fill,
        interpolation=interpolation,
    )


def _augmix(text: str, settings: dict[str, Any]) -> Policy:
    for key, what in (("b", "blending chain by chain"), ("mstd", "normal magnitudes")):
        if settings.get(key):
            raise PolicyError(
                f"{text!r} asks for timm's {what} ({key}), which is not supported; leave that "
                "part out"
            )
    fill, interpolation = timm_spaces.RENDERING
    return AugMix(
        operations=timm_spaces.augmix(),
        severity=_magnitude(text, settings, 3),
        weakest=0.0,
        width=settings.get("w", 3),
        depth=settings.get("d", 0),
        alpha=settings.get("a", 1.0),
        fill=fill,
        interpolation=interpolation,
    )
