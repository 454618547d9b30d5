"""The compiled engine: one small C++ library, loaded with ctypes, for what must be fast.

It is optional. Where it was not built, or ``AUTOMORPH_ENGINE=reference`` is set, everything runs on
NumPy, with the same results.
"""

from automorph.native.library import ENGINE_VARIABLE, available, using, variant, variants, why_not
from automorph.native.random import random_bits, random_race
from automorph.native.walk import KERNELS, Operation, Program, walk

__all__ = [
    "ENGINE_VARIABLE",
    "KERNELS",
    "Operation",
    "Program",
    "available",
    "random_bits",
    "random_race",
    "using",
    "variant",
    "variants",
    "walk",
    "why_not",
]
