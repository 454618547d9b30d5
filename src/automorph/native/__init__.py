"""The compiled engine: a small C++ library, loaded with ctypes, for speed.

It is optional. If it was not built, or with ``AUTOMORPH_ENGINE=reference``, everything runs on
NumPy with the same results.
"""

from typing import TYPE_CHECKING

from automorph import _moved
from automorph.native.library import (
    ENGINE_VARIABLE,
    available,
    kernel_count,
    using,
    variant,
    variants,
    why_not,
)
from automorph.native.plan import (
    LONGEST_PLAN,
    PLANES_IN,
    PLANES_OUT,
    Plan,
    Stage,
    arrow_pixels,
    memory_at,
    run_plan,
    unwatched,
)
from automorph.native.program import (
    BLACK_BOX,
    NEUTRAL,
    SHARE,
    SIGNED,
    WHOLE,
    OperationRow,
    Program,
    walk,
)
from automorph.native.random import address, random_bits, random_race
from automorph.native.step import KINDS, Rows, packed, run_step

__all__ = [
    "BLACK_BOX",
    "ENGINE_VARIABLE",
    "KINDS",
    "LONGEST_PLAN",
    "NEUTRAL",
    "PLANES_IN",
    "PLANES_OUT",
    "SHARE",
    "SIGNED",
    "WHOLE",
    "OperationRow",
    "Plan",
    "Program",
    "Rows",
    "Stage",
    "address",
    "arrow_pixels",
    "available",
    "kernel_count",
    "memory_at",
    "packed",
    "random_bits",
    "random_race",
    "run_plan",
    "run_step",
    "unwatched",
    "using",
    "variant",
    "variants",
    "walk",
    "why_not",
]

if not TYPE_CHECKING:  # A checker would take every name for one that exists.
    __getattr__ = _moved.old_names(__name__)
