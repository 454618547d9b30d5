"""Find, load and select the compiled library."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

from automorph.errors import UsageError

ENGINE_VARIABLE = "AUTOMORPH_ENGINE"
"""Environment variable, read at import: ``reference``, ``native`` or a variant (``avx2``)."""

_INTERFACE = 9  # INTERFACE_VERSION of core/interface.h
_ONE: tuple[Any, ...] = (
    ctypes.c_int32, *[ctypes.c_void_p] * 3, *[ctypes.c_int32] * 3,
    ctypes.c_int64, ctypes.c_uint32, ctypes.c_uint32,
)  # fmt: skip
_UNWATCHED: tuple[Any, ...] = (ctypes.c_void_p, *[ctypes.c_int32] * 3, *[ctypes.c_int64] * 2)
_ADVICE = (
    "install Automorph from a wheel, or install a C++ compiler and run "
    "`pip install --force-reinstall --no-deps automorph` (in a checkout: `pip install -e .`)"
)


@dataclass(frozen=True)
class Library:
    """The loaded library and the variants that this processor can run, slowest first."""

    path: Path
    functions: ctypes.CDLL
    one: Callable[..., int]
    """``automorph_one``, with the types of its arguments."""
    variants: dict[str, int]
    kernels: int


@cache
def _load() -> Library | str:
    """Load the library; return it, or the reason why there is none."""
    folder = Path(__file__).parent
    # Wheels have the name that ends in abi3, which free-threaded Python does not list.
    paths = [folder / f"_core{suffix}" for suffix in (*EXTENSION_SUFFIXES, ".abi3.so")]
    found = [path for path in paths if path.is_file()]
    if not found:
        return "it was not built when Automorph was installed"
    try:
        functions = ctypes.CDLL(str(found[0]))
        if functions.automorph_interface() != _INTERFACE:
            return f"{found[0].name} belongs to another version of Automorph"
    except (OSError, AttributeError) as error:
        return f"{found[0].name} cannot be loaded: {error}"
    functions.automorph_variant.restype = ctypes.c_char_p
    names = map(functions.automorph_variant, range(functions.automorph_variant_count()))
    variants = {name.decode(): number for number, name in enumerate(names) if name}
    one = functions.automorph_one
    one.argtypes = _ONE
    functions.automorph_unwatched.argtypes = _UNWATCHED
    functions.automorph_arrow_pixels.argtypes = (ctypes.c_void_p,)
    functions.automorph_arrow_pixels.restype = ctypes.c_void_p
    return Library(found[0], functions, one, variants, functions.automorph_kernel_count())


_wish = os.environ.get(ENGINE_VARIABLE, "").strip().lower()


def library() -> tuple[Library, int]:
    """Return the library and the number of the variant in use; raise ``UsageError`` without one."""
    return _selected(_wish)


@cache
def _selected(wish: str) -> tuple[Library, int]:
    loaded = _load()
    if isinstance(loaded, str) or wish == "reference":
        raise UsageError(f"the compiled engine is not in use: {why_not()}")
    if wish in ("", "native"):
        return loaded, max(loaded.variants.values())
    if wish not in loaded.variants:
        raise UsageError(
            f"got {ENGINE_VARIABLE}={wish}; expected reference, native, or a variant that this "
            f"processor can run: {', '.join(loaded.variants)}"
        )
    return loaded, loaded.variants[wish]


def available() -> bool:
    """Test whether the compiled engine is in use.

    Raises ``UsageError`` if the environment requests it and it is missing.
    """
    if _wish == "reference":
        return False
    if not isinstance(_load(), str):
        return True
    if _wish:
        raise UsageError(
            f"got {ENGINE_VARIABLE}={_wish}, but there is no compiled engine: {why_not()}"
        )
    return False


def why_not() -> str:
    """Explain why the compiled engine is not in use and how to get it; empty if it is in use."""
    loaded = _load()
    if _wish == "reference":
        return f"{ENGINE_VARIABLE}=reference selects the NumPy path; unset it"
    return f"{loaded}; {_ADVICE}" if isinstance(loaded, str) else ""


def kernel_count() -> int:
    """Return the number of compiled kernels in the library in use."""
    return library()[0].kernels


def variants() -> tuple[str, ...]:
    """Return the variants that this processor can run, slowest first."""
    loaded = _load()
    return () if isinstance(loaded, str) else tuple(loaded.variants)


def variant() -> str:
    """Return the variant in use, such as ``avx512``; empty if the compiled engine is not in use."""
    if not available():
        return ""
    loaded, number = library()
    return next(name for name, value in loaded.variants.items() if value == number)


@contextmanager
def using(engine: str) -> Iterator[None]:
    """Select ``reference``, ``native`` or a variant within a context, for all threads."""
    global _wish
    before, _wish = _wish, engine
    try:
        yield
    finally:
        _wish = before
