"""The style sheet: distinguishable colours, no external resources."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from automorph.report.svg import SERIES

STYLE = files("automorph.report").joinpath("style.css").read_text(encoding="utf-8")
SCRIPT = files("automorph.report").joinpath("script.js").read_text(encoding="utf-8")

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
EYES = {
    "all cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


def theme(name: str) -> dict[str, str]:
    light, dark = STYLE.split("@media screen and (prefers-color-scheme: dark)", 1)
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    if name == "dark":
        found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark))
    return found


def linear(colour: str) -> NDArray[np.float64]:
    value = np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2."""
    dark, light = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other))
    return (light + 0.05) / (dark + 0.05)


def lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(to_xyz) @ np.clip(rgb, 0, 1) / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("name", ["light", "dark"])
def test_series_can_be_told_apart(name: str, eye: str) -> None:
    seen = [lab(np.array(EYES[eye]) @ linear(theme(name)[f"s{n}"])) for n in range(SERIES)]
    for (a, one), (b, other) in combinations(enumerate(seen), 2):
        apart = float(np.linalg.norm(one - other))
        assert apart > (20 if max(a, b) < 5 else 15), f"series {a} and {b} look alike"


@pytest.mark.parametrize("name", ["light", "dark"])
def test_series_and_text_stand_out(name: str) -> None:
    colours = theme(name)
    for number in range(SERIES):
        assert contrast(colours[f"s{number}"], colours["paper"]) >= 3
    for words in ("ink", "quiet", "accent", "bad"):
        assert contrast(colours[words], colours["paper"]) >= 4.5
        assert contrast(colours[words], colours["raised"]) >= 4.5
    for words in ("good", "bad", "unsure"):
        assert contrast(colours[words], colours[f"{words}-back"]) >= 4.5


def test_every_series_has_a_class() -> None:
    for number in range(SERIES):
        assert f".s{number} {{ --c: var(--s{number}); }}" in STYLE


def test_nothing_comes_from_outside() -> None:
    for source in (STYLE, SCRIPT):
        assert not re.search(r"url\(|@import|https?:|//\w|fetch\(|XMLHttp|import\(", source)
