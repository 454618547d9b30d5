"""Policies as their authors released them: Fast AutoAugment, DADA and PBA; RandAugment's settings.

Each file in ``tables`` lists one policy with the repository, commit and file that it was read from.
A level means what it means in that code: it is converted to the value that the code computes,
truncated where the code truncates, and from there to the magnitude that has this value here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from automorph.errors import PolicyError
from automorph.operations import OPERATIONS, Operation, SearchSpace, named_space, plain
from automorph.policies.base import Policy, check_range
from automorph.policies.naming import with_options
from automorph.policies.pba_policy import Shuffled
from automorph.policies.schedule import Piece, Schedule
from automorph.policies.subpolicies import Mixture, Step
from automorph.policies.uniform import Uniform
from automorph.registry import unknown

_FREE = ("AutoContrast", "Invert", "Equalize")
_FACTORS = ("Contrast", "Color", "Brightness", "Sharpness")
_UNIT = {
    "ShearX": (-0.3, 0.3), "ShearY": (-0.3, 0.3), "TranslateX": (-0.45, 0.45),
    "TranslateY": (-0.45, 0.45), "Rotate": (-30.0, 30.0), "Solarize": (0.0, 256.0),
    "Posterize": (4.0, 8.0), **dict.fromkeys(_FACTORS, (0.1, 1.9)), "Cutout": (0.0, 0.2),
}  # fmt: skip
"""Fast AutoAugment's and DADA's values at the levels 0 and 1."""
_TENTHS = (
    "Rotate", "TranslateX", "TranslateY", "Brightness", "Color", "Invert", "Sharpness", "Posterize",
    "ShearX", "Solarize", "ShearY", "Equalize", "AutoContrast", "Cutout", "Contrast",
)  # fmt: skip
"""PBA's operations in the order of its tables, each of which lists them twice."""

FAST_AUTOAUGMENT = {
    "cifar10": "cifar10", "cifar100": "cifar10", "svhn": "svhn", "imagenet": "imagenet"
}  # fmt: skip
"""Data sets and the table that the paper uses for each: CIFAR-100 has no policy of its own."""
DADA = {name: name for name in ("cifar10", "cifar100", "svhn", "imagenet")}
PBA: dict[str, tuple[str, tuple[int, int, int]]] = {
    "cifar10": ("cifar10", (125, 123, 114)),
    "cifar100": ("cifar10", (129, 124, 112)),
    "svhn": ("svhn", (110, 110, 114)),
}
"""Tables by data set, and the mean colour of its images, with which the released code fills."""
_CUTOUT = (125, 123, 114)
"""The colour of Cutout in Fast AutoAugment's and DADA's code, on all data sets."""
RANDAUGMENT = {
    "cifar10-wrn-28-10": (3, 5, "randaugment"),
    "cifar100-wrn-28-10": (2, 14, "randaugment"),
    "svhn-wrn-28-10": (3, 7, "randaugment"),
    "svhn-core-wrn-28-10": (3, 9, "randaugment"),
    "imagenet-resnet-50": (2, 9, "randaugment-imagenet"),
    "imagenet-efficientnet-b5": (2, 17, "randaugment-imagenet"),
    "imagenet-efficientnet-b7": (2, 28, "randaugment-imagenet"),
}
"""Published N, M and the space in which M is counted, by data set and network."""


def fast_autoaugment(policy: str = "cifar10") -> Policy:
    """Fast AutoAugment's released policy (Lim et al. 2019): cifar10, cifar100, svhn, imagenet."""
    return _mixture("fast-autoaugment", policy, FAST_AUTOAUGMENT)


def dada(policy: str = "cifar10") -> Policy:
    """DADA's released policy (Li et al. 2020): cifar10, cifar100, svhn or imagenet."""
    return _mixture("dada", policy, DADA)


def pba(policy: str = "cifar10", epochs: int | None = None) -> Policy:
    """PBA's released schedule (Ho et al. 2019): cifar10, cifar100 or svhn, for so many epochs."""
    name = _find("pba", policy, PBA)
    table, fill = PBA[name]
    space, pieces = _pba_space(fill), []
    for line in _table("pba", table)["pieces"]:
        length, _, numbers = line.partition(": ")
        steps = _pba_steps([int(number) for number in numbers.split()])
        shuffled = Shuffled(label=f"pba:{name}", operations=space, steps=tuple(steps), fill=fill)
        pieces.append(Piece(int(length), shuffled))
    schedule = Schedule(pieces=tuple(pieces), label=f"pba:{name}")
    if epochs is None or epochs == schedule.epochs:
        return schedule
    check_range("pba", "epochs", epochs, int, 1, 10**6)
    label = with_options(f"pba:{name}", [f"epochs={epochs}"])
    return replace(schedule.stretched(epochs), label=label)


def published_randaugment(setting: str) -> Policy:
    """RandAugment with the published N and M of a data set and network (Cubuk et al. 2019).

    >>> published_randaugment("cifar10-wrn-28-10").name
    'randaugment(n=3,m=5)'
    """
    n, m, space = RANDAUGMENT[_find("randaugment", setting, RANDAUGMENT)]
    fill = 128 if space == "randaugment-imagenet" else 0  # as in the released code
    return Uniform(operations=named_space(space), length=n, low=m / 30, high=m / 30, fill=fill)


def magnitude_of(operation: Operation, value: float) -> float:
    """Return the magnitude at which an operation has a value, on either side of its identity.

    >>> magnitude_of(OPERATIONS["Rotate"].between(-30, 30), -15), magnitude_of(
    ...     OPERATIONS["Posterize"].between(4, 8), 5)
    (0.5, 0.75)
    """
    if operation.magnitude_free:
        return 0.0
    weakest, strongest = operation.ends
    side = abs(value - weakest) if operation.signed else value - weakest
    return min(1.0, max(0.0, side / (strongest - weakest)))


def _mixture(paper: str, policy: str, tables: Mapping[str, str]) -> Mixture:
    name, space = _find(paper, policy, tables), _unit_space()
    subpolicies = []
    for line in _table(paper, tables[name])["subpolicies"]:
        words = line.split()
        steps = zip(words[::2], words[1::2], strict=True)
        subpolicies.append(tuple(_unit_step(space[one], setting) for one, setting in steps))
    return Mixture(label=f"{paper}:{name}", operations=space, subpolicies=tuple(subpolicies))


def _unit_step(operation: Operation, setting: str) -> Step:
    """Return the step of ``probability/level``, where levels run from 0 to 1."""
    probability, level = (float(number) for number in setting.split("/"))
    magnitude = 0.0
    if operation.name in _UNIT:
        low, high = _UNIT[operation.name]
        value = low + level * (high - low)
        magnitude = magnitude_of(operation, int(value) if operation.whole else value)
    return Step(operation.name, probability, magnitude)


def _pba_steps(numbers: list[int]) -> Iterable[Step]:
    """Yield the steps of a row: tenths of the probability and a level from 0 to 10, by turns."""
    space = _pba_space(_CUTOUT)
    for name, tenths, level in zip(_TENTHS * 2, numbers[::2], numbers[1::2], strict=True):
        if tenths:
            yield Step(name, tenths / 10, magnitude_of(space[name], _pba_value(name, level)))


def _pba_value(name: str, level: int) -> float:
    if name in _FACTORS:
        return 0.1 + level * 1.8 / 10
    whole = {"Rotate": 30, "TranslateX": 10, "TranslateY": 10, "Cutout": 20}
    if name in whole:
        return int(level * whole[name] / 10)
    falling = {"Posterize": (4, 4), "Solarize": (256, 256)}
    if name in falling:
        top, most = falling[name]
        return top - int(level * most / 10)
    return level * 0.3 / 10


@cache
def _unit_space() -> SearchSpace:
    """Return the 15 operations of Fast AutoAugment's released code, which DADA shares.

    Factors run from 0.1 to 1.9, so the level decides on the side of 1, not a coin.
    """
    ranged = [OPERATIONS[name].between(*ends) for name, ends in _UNIT.items()]
    ranged = [replace(one, fill=_CUTOUT) if one.name == "Cutout" else one for one in ranged]
    return SearchSpace("fast-autoaugment-released", (*_free(), *map(_level_decides, ranged)))


@cache
def _pba_space(fill: tuple[int, int, int]) -> SearchSpace:
    """Return the 15 operations of PBA's released code; translations and Cutout count pixels."""
    o = OPERATIONS
    return SearchSpace("pba-released", (
        *_free(),
        o["ShearX"].between(-0.3, 0.3), o["ShearY"].between(-0.3, 0.3),
        o["Rotate"].between(-30, 30), o["Solarize"].between(0, 256), o["Posterize"].between(0, 4),
        *(replace(o[name], low=-10.0, high=10.0, unit="px", whole=True)
          for name in ("TranslateX", "TranslateY")),
        replace(o["Cutout"], low=0.0, high=20.0, unit="px", whole=True, fill=fill),
        *(_level_decides(o[name].between(0.1, 1.9)) for name in _FACTORS),
    ))  # fmt: skip


def _free() -> tuple[Operation, ...]:
    return tuple(OPERATIONS[name] for name in _FREE)


def _level_decides(operation: Operation) -> Operation:
    return replace(operation, identity=None) if operation.name in _FACTORS else operation


def _find(paper: str, policy: str, known: Iterable[str]) -> str:
    name = {plain(one): one for one in known}.get(plain(policy))
    if name is None:
        raise PolicyError(unknown("published policy", policy, known, where=f"of {paper}"))
    return name


@cache
def _table(paper: str, name: str) -> dict[str, Any]:
    file = files("automorph.policies") / "tables" / f"{paper}-{name}.json"
    table: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return table
