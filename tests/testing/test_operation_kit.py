"""The kit for operations accepts good operations, and catches an operation with one fault."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest
from kits import failing, states_three_parts

from automorph.errors import UsageError
from automorph.operations import (
    KERNELS,
    OPERATIONS,
    Operation,
    operation,
)
from automorph.testing import check_operation, operation_checks


@operation(range=(0, 40), unit="level", identity=0)
def lift(image, value):
    """Make everything brighter."""
    return np.minimum(image + np.uint16(value), 255).astype(np.uint8)


@operation(range=(0, 0.5), unit="share", identity=0)
def salt(image, value, rng):
    """Set a random fraction of the pixels to white."""
    image[rng.random(image.shape[:2]) < value] = 255
    return image


@operation(range=(-20, 20), unit="level", identity=0, batched=True)
def shade(images, values):
    """Make everything brighter or darker."""
    return (images + values[:, None, None, None]).clip(0, 255).astype(np.uint8)


@operation(range=(0, 3), identity=0, domain="text")
def shout(text, value):
    """Add exclamation marks."""
    return text + "!" * round(value)


@pytest.mark.parametrize("own", [lift, salt, shade, shout], ids=lambda own: own.name)
def test_own_operations_pass(own):
    check_operation(own)


@dataclass(frozen=True)
class Doubled(Operation):
    """Values beyond the range."""

    def values(self, magnitude, sign=1.0):
        return 2 * super().values(magnitude, sign)


@dataclass(frozen=True)
class OneSided(Operation):
    """Values that ignore the sign."""

    def values(self, magnitude, sign=1.0):
        return super().values(magnitude, 1.0)


@dataclass(frozen=True)
class Backwards(Operation):
    """Values that are strongest at magnitude 0."""

    def values(self, magnitude, sign=1.0):
        return super().values(1 - np.asarray(magnitude), sign) - self.high


def floats(image, value):
    return image + value


def cropped(image, value):
    return image[1:]


def always_brighter(image, value):
    return np.minimum(image + np.uint16(value + 1), 255).astype(np.uint8)


def forgetful(image, value):
    image[:] = 0  # There is no return.


def global_noise(image, value):
    return image ^ np.random.randint(0, 2, image.shape, np.uint8)


def reseeding(image, value):
    np.random.seed(0)
    return image ^ np.random.randint(0, 2, image.shape, np.uint8)


def unsigned(image, value):
    return np.minimum(image + np.uint16(abs(value)), 255).astype(np.uint8)


def centred(images, values):
    return np.broadcast_to(images.mean(axis=0).astype(np.uint8), images.shape)


def numbered(images, values):
    return images + np.arange(len(images), dtype=np.uint8)[:, None, None, None]


last = []


def lagging(image, value):
    last.append(image.copy())
    return last[-2] if len(last) > 1 else image


def moved(read):
    """The positions that a warp reads from, five pixels aside."""
    return lambda points, value, context, size: read(points, value, context, size) + 5


def declared(function, **options):
    return operation(range=(0, 30), **options)(function)


BROKEN = {
    "values_lie_in_the_range": (
        Doubled("Rotate", low=-30, high=30, identity=0),
        OneSided("Rotate", low=-30, high=30, identity=0),
        Backwards("Solarize", low=0, high=255),
        replace(lift, high=float("inf")),
    ),
    "shape_and_type_are_kept": (declared(floats), declared(cropped)),
    "identity_changes_nothing": (declared(always_brighter, identity=0),),
    "full_strength_changes_something": (declared(forgetful),),
    "results_depend_on_their_place_only": (declared(global_noise), declared(reseeding)),
    "declared_randomness_varies": (
        operation(range=(-20, 20), identity=0)(unsigned),
        replace(declared(unsigned), random=True),
    ),
    "batch_equals_single_examples": (declared(centred, batched=True),),
    "order_and_split_change_nothing": (
        declared(numbered, batched=True),
        declared(lagging),
    ),
    "masks_and_points_follow": (OPERATIONS["Swirl"],),
    "worker_processes_get_it": (operation(name="local")(lambda image, value: 255 - image),),
}  # fmt: skip
CASES = [
    pytest.param(name, subject, id=f"{name}-{number}")
    for name, subjects in BROKEN.items()
    for number, subject in enumerate(subjects)
]


def test_every_check_has_a_fault_to_catch():
    assert set(BROKEN) == {check.name for check in operation_checks()}


@pytest.mark.parametrize(("name", "subject"), CASES)
def test_each_fault_is_caught(name, subject, monkeypatch):
    if subject.name == "Swirl":
        kernel = KERNELS["Swirl"]
        monkeypatch.setitem(KERNELS, "Swirl", replace(kernel, read=moved(kernel.read)))
    found = failing(operation_checks(), subject)
    assert name in found
    assert states_three_parts(found[name]), found[name]
    with pytest.raises(AssertionError, match=name):
        check_operation(subject)


def test_all_failures_are_listed_at_once():
    with pytest.raises(AssertionError) as caught:
        check_operation(declared(always_brighter, identity=0), skip="worker_processes_get_it")
    message = str(caught.value)
    assert message.startswith("1 of 9 checks failed\n- identity_changes_nothing: ")
    assert "operation 'always_brighter': the function with the value 0 changes" in message


def test_an_error_of_the_function_is_a_failure_that_names_it():
    def broken(image, value):
        raise KeyError("x")

    with pytest.raises(AssertionError, match="KeyError: 'x'"):
        check_operation(declared(broken))


def test_unknown_checks_cannot_be_skipped():
    with pytest.raises(UsageError, match=r"unknown check 'shape' of the operation kit"):
        check_operation(lift, skip=["shape"])


def test_the_kits_need_no_test_library_and_no_torch():
    program = (
        "import sys, automorph.testing as t; from automorph.operations import find_operation\n"
        "t.check_operation(find_operation('Invert')); t.check_policy(__import__('automorph')"
        ".load_policy('flip'))\n"
        "assert not {'pytest', 'hypothesis', 'torch'} & set(sys.modules), sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
