"""The result of a training by the user's own code: written by a script, read and checked here.

The form is documented in ``docs``; `write_result` writes it, and programs in any language may write
it themselves. Nothing here imports torch, because scripts import it.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, SupportsFloat

from automorph.errors import DamagedError, TrainingError, UsageError
from automorph.files import atomic_write, inside
from automorph.registry import did_you_mean

RESULT = "result.json"
_LARGEST = 256 * 2**20
"""Bytes; ten million losses need about as many."""
_NAMES = ("metric", "higher_is_better", "validation", "test", "validation_losses", "passes",
          "checkpoint")  # fmt: skip


class ResultError(TrainingError):
    """A result that cannot be used: missing, incomplete, of the wrong type, or not finite."""


class DivergedError(ResultError):
    """A result whose metric is NaN or infinite: the training ran, and its policy failed."""


@dataclass(frozen=True)
class ScriptResult:
    """The checked result of one training.

    ``validation`` and ``test_value`` are values of ``metric``; ``losses`` are the losses of the
    validation examples in a fixed order; ``passes`` counts passes over the training data in this
    job; ``checkpoint`` is a file from which a later job can continue. None: not given.
    ``ignored`` names the entries that have no meaning here, with suggestions.
    """

    validation: float
    metric: str = "score"
    higher_is_better: bool = True
    test_value: float | None = None
    losses: tuple[float, ...] | None = field(default=None, repr=False)
    passes: float | None = None
    checkpoint: Path | None = None
    ignored: tuple[str, ...] = ()


def write_result(
    out: str | os.PathLike[str],
    *,
    validation: SupportsFloat,
    test: SupportsFloat | None = None,
    metric: str = "score",
    higher_is_better: bool = True,
    validation_losses: Iterable[SupportsFloat] | None = None,
    passes: SupportsFloat | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Path:
    """Write the result of a training script for ``automorph compare --command``; return its path.

    ``out`` is the folder that the script gets as ``{out}``. ``validation`` and ``test`` are values
    of ``metric``; ``validation_losses`` has one loss per validation example, in the same order in
    every training; ``passes`` is how many passes over the training data this training made;
    ``checkpoint`` is a file inside ``out`` from which a later training can continue. Numbers may be
    those of Python, NumPy or torch. The file is written atomically.
    Raises `UsageError` for values that are not numbers or a checkpoint that does not exist.

    >>> from tempfile import mkdtemp
    >>> write_result(mkdtemp(), validation=0.913, metric="accuracy").name
    'result.json'
    """
    folder = Path(out)
    content: dict[str, Any] = {
        "metric": metric,
        "higher_is_better": bool(higher_is_better),
        "validation": _float("validation", validation),
    }
    if test is not None:
        content["test"] = _float("test", test)
    if validation_losses is not None:
        content["validation_losses"] = [_float("a validation loss", x) for x in validation_losses]
    if passes is not None:
        content["passes"] = _float("passes", passes)
    if checkpoint is not None:
        path = folder / checkpoint
        if not path.exists() or not path.resolve().is_relative_to(folder.resolve()):
            raise UsageError(
                f"got the checkpoint {checkpoint}; expected an existing file inside {folder}: save "
                "it there before the result is written"
            )
        content["checkpoint"] = str(path.resolve().relative_to(folder.resolve()))
    with atomic_write(folder / RESULT) as temporary:
        # NaN is written as it is, so that the comparison can report that the training diverged.
        temporary.write_text(json.dumps(content) + "\n", "utf-8")
    return folder / RESULT


def read_result(folder: Path, *, with_test: bool = True) -> ScriptResult:
    """Read and check the result in a folder; without ``with_test``, its test value is not read.

    Raises `ResultError`, which says what is wrong; `DivergedError` for a metric that is not finite.
    """
    path = folder / RESULT
    try:
        if (size := path.stat().st_size) > _LARGEST:
            raise ValueError(f"it has {size:,} bytes, but the limit is {_LARGEST:,}")
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ResultError(
            f"it wrote no {RESULT}; expected that file in {{out}}: write it at the end, for "
            "example with automorph.write_result"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ResultError(
            f"its {RESULT} cannot be read ({str(error)[:200]}); expected one whole JSON object: "
            "write it at once, for example with automorph.write_result"
        ) from None
    return check_result(content, folder, f"its {RESULT}", with_test=with_test)


def check_result(content: Any, folder: Path, what: str, *, with_test: bool = True) -> ScriptResult:
    """Check the content of a result, which ``what`` names in messages; see `read_result`."""
    if not isinstance(content, Mapping):
        raise ResultError(
            f"{what} has the type {type(content).__name__}; expected an object such as "
            '{"metric": "accuracy", "validation": 0.913}'
        )
    ignored = tuple(str(name)[:60] for name in content if name not in _NAMES)
    if content.get("validation") is None:
        given = ", ".join(map(repr, content))[:200] or "none"
        raise ResultError(
            f"{what} has no validation value (its entries: {given}); expected a number in the "
            "entry 'validation': the metric on the validation data"
        )
    metric = _typed(content, "metric", str, "score", what)
    if not metric.strip() or len(metric) > 60 or not metric.isprintable():
        raise ResultError(
            f"{what} has the metric {metric[:60]!r}; expected a short name, such as accuracy"
        )
    passes = _number(content, "passes", what, diverges=False)
    if passes is not None and not 0 <= passes < math.inf:
        raise ResultError(f"{what} has {passes:g} passes; expected a finite number of at least 0")
    validation = _number(content, "validation", what)
    assert validation is not None
    return ScriptResult(
        validation=validation,
        metric=metric.strip(),
        higher_is_better=_typed(content, "higher_is_better", bool, True, what),
        test_value=_number(content, "test", what) if with_test else None,
        losses=_losses(content.get("validation_losses"), what),
        passes=passes,
        checkpoint=_checkpoint(content.get("checkpoint"), folder, what),
        ignored=tuple(f"{name!r}.{did_you_mean(name, _NAMES)}" for name in ignored),
    )


def _float(what: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise UsageError(
            f"got {value!r:.60} for {what}; expected one number, such as 0.913"
        ) from None


def _typed(content: Mapping[str, Any], name: str, kind: type, default: Any, what: str) -> Any:
    value = content.get(name)
    if value is None:
        return default
    if not isinstance(value, kind):
        expected = {str: "a text", bool: "true or false"}[kind]
        raise ResultError(f"{what} has {value!r:.60} for {name!r}; expected {expected}")
    return value


def _number(
    content: Mapping[str, Any], name: str, what: str, *, diverges: bool = True
) -> float | None:
    value = content.get(name)
    if value is None:
        return None
    if isinstance(value, (str, bool)):
        raise ResultError(f"{what} has {value!r:.60} for {name!r}; expected a number")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ResultError(f"{what} has {value!r:.60} for {name!r}; expected a number") from None
    if diverges and not math.isfinite(number):
        raise DivergedError(
            f"{name} is {number} in {what}; expected a finite number: the training diverged, or "
            "the metric is undefined"
        )
    return number


def _losses(values: Any, what: str) -> tuple[float, ...] | None:
    if values is None:
        return None
    if isinstance(values, (str, Mapping)) or not isinstance(values, Iterable):
        raise ResultError(
            f"{what} has {values!r:.60} for 'validation_losses'; expected a list with one number "
            "for each validation example"
        )
    losses = list(values)
    if not losses:
        raise ResultError(
            f"{what} has an empty list of 'validation_losses'; expected one number for each "
            "validation example, or no such entry"
        )
    try:
        numbers = [float(loss) for loss in losses if not isinstance(loss, (str, bool))]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != len(losses):
        raise ResultError(
            f"{what} has entries in 'validation_losses' that are not numbers; expected one number "
            "for each validation example"
        )
    if bad := sum(not math.isfinite(number) for number in numbers):
        raise DivergedError(
            f"{bad} of {len(numbers)} validation losses are not finite in {what}; expected finite "
            "numbers: the training diverged, or a loss is undefined"
        )
    return tuple(numbers)


def _checkpoint(name: Any, folder: Path, what: str) -> Path | None:
    if name is None:
        return None
    try:
        path = inside(folder, os.fspath(name) if isinstance(name, os.PathLike) else name)
    except DamagedError:
        path = None
    if path is None or not path.exists():
        raise ResultError(
            f"{what} has the checkpoint {str(name)[:200]!r}; expected the name of an existing file "
            "inside {out}"
        )
    return path
