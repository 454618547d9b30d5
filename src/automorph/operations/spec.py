"""The declaration of an operation: a map with one magnitude."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automorph.errors import PolicyError

Domain = Literal["image", "text", "vector"]
GREY = 128
"""The level that an operation paints with by default."""
MEAN: Final = "mean"
"""As a fill: the mean colour of the training data, wherever they are known."""
Colour = int | tuple[int, ...] | Literal["mean"]
"""One level from 0 to 255, or one per channel, or `MEAN`."""


@dataclass(frozen=True)
class Operation:
    """One transformation function and the range of its values.

    A larger magnitude in [0, 1] is always stronger. Range and identity decide which value it means:

    - identity inside the range: a fair coin chooses the side, and values run from the identity to
      that end (``Rotate``: -30 to 30 degrees around 0);
    - identity at or beyond an end: values run from the nearer end to the farther one
      (``Posterize``: from 8 bits down to 4);
    - no identity: values run from the low end to the high end.

    >>> rotate = Operation("Rotate", low=-30, high=30, identity=0, unit="deg")
    >>> rotate.values([0.0, 0.5, 1.0], [1, 1, -1]).tolist()
    [0.0, 15.0, -30.0]
    """

    name: str
    kernel: str = ""
    low: float = 0.0
    high: float = 0.0
    identity: float | None = None
    unit: str = ""
    whole: bool = False
    domain: Domain = "image"
    label_risk: str = ""
    random: bool = False
    partner: bool = False
    function: Callable[..., Any] | None = field(default=None, repr=False)
    batched: bool = False
    about: str = ""
    corpus: Any = field(default=None, repr=False, compare=False)
    """The corpus that a text operation was fitted to; see `SearchSpace.fitted`."""
    fill: Colour | None = field(default=None, repr=False)
    """The colour that the operation paints with (Cutout); None: grey, 128.

    `MEAN` is grey too until the operation is given the mean of the data; see `SearchSpace.painted`.
    """
    definition: int = 1
    """The number of the kernel's definition, by which the operation is computed."""
    settings: tuple[tuple[str, Any], ...] = field(default=(), repr=False)
    """Constants of the kernel that differ from its own, by name; see `with_settings`."""

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise PolicyError(
                f"operation {self.name!r} has the range ({self.low}, {self.high}); "
                "expected low <= high. To make it stronger towards the low end, set `identity` "
                "to the high end."
            )
        object.__setattr__(self, "fill", _colour(self.name, self.fill))
        object.__setattr__(self, "settings", _settled(dict(self.settings)))
        if not self.kernel:
            object.__setattr__(self, "kernel", "user" if self.function else self.name)

    @property
    def drawn(self) -> bool:
        """True if the value is drawn uniformly from the range, whatever the magnitude."""
        return dict(self.settings).get("value") == "drawn"

    @property
    def magnitude_free(self) -> bool:
        """True if the magnitude has no effect (``Invert``, or a fixed value)."""
        return self.low == self.high

    @property
    def signed(self) -> bool:
        """True if a fair coin chooses the side of the identity."""
        return self.identity is not None and self.low < self.identity < self.high

    @property
    def identity_at_zero(self) -> bool:
        """True if magnitude 0 leaves every example unchanged."""
        return self.identity is not None and self.values(0.0, 1.0).item() == self.identity

    @property
    def ends(self) -> tuple[float, float]:
        """The values at magnitudes 0 and 1 (on the positive side, if signed)."""
        zero, one = (float(self.values(m, 1.0).item()) for m in (0.0, 1.0))
        return zero, one

    def values(self, magnitude: ArrayLike, sign: ArrayLike = 1.0) -> NDArray[np.float64]:
        """Convert magnitudes ``(n,)`` and signs +-1 ``(n,)`` to values in the operation's unit."""
        m = np.asarray(magnitude, np.float64)
        if self.identity is None:
            value = self.low + (self.high - self.low) * m
        elif self.signed:
            end = np.where(np.asarray(sign) > 0, self.high, self.low)
            value = self.identity + m * (end - self.identity)
        elif abs(self.low - self.identity) <= abs(self.high - self.identity):
            value = self.low + (self.high - self.low) * m
        else:
            value = self.high + (self.low - self.high) * m
        return np.rint(value) if self.whole else np.asarray(value, np.float64)

    def __call__(
        self, example: Any, value: float, *, rng: np.random.Generator | None = None
    ) -> Any:
        """Apply the user's function to one example, to try it out or to test it.

        The function gets a copy, as it does in a policy, and ``rng`` (None: a generator seeded with
        0) if it has that parameter. Operations of the catalogue have no function.

        >>> double = Operation("double", function=lambda image, value: image * 2)
        >>> double(np.ones((1, 2, 1), np.uint8), 0).ravel().tolist()
        [2, 2]
        """
        if self.function is None:
            raise PolicyError(
                f"{self.name} is a catalogue operation, which works on batches; "
                "expected an operation made with @automorph.operation. Use this one in a policy: "
                "automorph.policies.Uniform(operations=SearchSpace('one', (it,)), length=1)"
            )
        options: dict[str, Any] = {}
        if "rng" in inspect.signature(self.function).parameters:
            options["rng"] = np.random.default_rng(0) if rng is None else rng
        own = example.copy() if hasattr(example, "copy") else example
        if not self.batched:
            return self.function(own, value, **options)
        batch = [own] if isinstance(own, str) else own[None]
        result = self.function(batch, np.array([value], np.float64), **options)
        return None if result is None else result[0]

    def at(self, value: float) -> Operation:
        """Return the operation fixed at one value, as in TANDA.

        >>> Operation("Rotate", low=-30, high=30, identity=0, unit="deg").at(2.5).name
        'Rotate[2.5]'
        """
        return replace(self, name=f"{self.name}[{value:g}]", low=value, high=value)

    def between(self, low: float, high: float) -> Operation:
        """Return the operation with another range."""
        return replace(self, low=low, high=high)

    def with_settings(self, **settings: Any) -> Operation:
        """Return the operation with other constants of its kernel (ranges, sizes, words).

        ``value="drawn"`` is a setting of every operation of images: the value is uniform over the
        range in each draw, so a sub-policy can hold a range.

        >>> Operation("Rotate", low=-9, high=9).with_settings(value="drawn").drawn
        True
        """
        return replace(self, settings=tuple({**dict(self.settings), **settings}.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        # For pickling: `@operation` binds the operation to the name of its function, so the other
        # process finds the function through that name.
        declared = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        home = (
            getattr(self.function, "__module__", ""),
            getattr(self.function, "__qualname__", ""),
        )
        if self.function is not None and _function_at(*home) is self.function:
            declared["function"] = None
            return _rebuilt, (declared, home)
        return _rebuilt, (declared, None)


def _settled(settings: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Return settings in their one form: sorted, lists as tuples."""
    return tuple(
        (key, tuple(value) if isinstance(value, list) else value)
        for key, value in sorted(settings.items())
    )


def _colour(who: str, fill: Any) -> Colour | None:
    """Return a colour in its one form: grey is None, and equal levels of all channels are one."""
    if fill is None or fill == MEAN:
        return MEAN if fill else None
    levels = tuple(fill) if isinstance(fill, (tuple, list)) else (fill,)
    whole = all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in levels)
    if not whole or not 1 <= len(levels) <= 4 or not all(0 <= v <= 255 for v in levels):
        raise PolicyError(
            f"operation {who!r} got fill={fill!r:.60}; expected a level from 0 to 255, one per "
            "channel, or mean"
        )
    if len(levels) > 1:
        return tuple(int(level) for level in levels)
    return None if levels[0] == GREY else int(levels[0])


def _function_at(module: str, name: str) -> Callable[..., Any] | None:
    """Return the function of the operation at ``module.name``, or None if there is none."""
    try:
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError):
        return None
    return found.function if isinstance(found, Operation) else None


def _rebuilt(declared: dict[str, Any], home: tuple[str, str] | None) -> Operation:
    return Operation(**declared | ({"function": _function_at(*home)} if home else {}))


def operation(
    *,
    range: tuple[float, float] = (0.0, 0.0),
    unit: str = "",
    identity: float | None = None,
    name: str | None = None,
    domain: Domain = "image",
    batched: bool = False,
    whole: bool = False,
    label_risk: str = "",
) -> Callable[[Callable[..., Any]], Operation]:
    """Turn a function into an operation.

    The function takes one example and a value, ``f(image, value)``: an image is uint8
    ``(H, W, C)``, and the result has the same shape and type, or is ``None`` to reject the example
    (it then stays unchanged). With ``batched=True`` it takes ``(n, H, W, C)`` and ``(n,)`` instead.
    A third parameter named ``rng`` receives the example's own ``numpy.random.Generator`` (that of
    the batch's first example, if batched), so results are the same for any number of workers.

    >>> @operation(range=(0, 40), unit="level", identity=0)
    ... def lift(image, value):
    ...     return np.minimum(image.astype(int) + int(value), 255).astype(np.uint8)
    >>> lift.name, lift.values(0.5).item()
    ('lift', 20.0)
    """

    def declare(function: Callable[..., Any]) -> Operation:
        return Operation(
            name or function.__name__,
            low=float(range[0]),
            high=float(range[1]),
            identity=identity,
            unit=unit,
            whole=whole,
            domain=domain,
            label_risk=label_risk,
            function=function,
            batched=batched,
            about=(function.__doc__ or "").strip().split("\n")[0],
        )

    return declare
