"""Every operation meets the contract of the kit, on both engine paths."""

from __future__ import annotations

import pytest

from automorph import native
from automorph.operations import CATALOGUE, TEXT_OPERATIONS, named_space
from automorph.testing import check_operation, example_images

BY_NAME = {"ids": lambda operation: operation.name}
VECTORS = (*named_space("disc-axes"), *named_space("disc-sticky-angles"))


@pytest.mark.parametrize("operation", CATALOGUE, **BY_NAME)
@pytest.mark.parametrize(("channels", "compiled"), [(3, False), (1, True), (3, True), (4, True)])
def test_images(operation, channels, compiled, monkeypatch):
    if compiled and not native.available():
        pytest.skip("the compiled engine was not built")
    if not compiled:
        monkeypatch.setattr(native, "available", lambda: False)
    # Grey images have no colour to change.
    idle = operation.name in ("Color", "Hue") and channels == 1
    skip = ("full_strength_changes_something", "declared_randomness_varies") if idle else ()
    check_operation(operation, examples=example_images(channels=channels), skip=skip)


@pytest.mark.parametrize("operation", TEXT_OPERATIONS.values(), **BY_NAME)
def test_texts(operation):
    check_operation(operation)


@pytest.mark.parametrize("operation", VECTORS, **BY_NAME)
def test_vectors(operation):
    # Named spaces are pickled by name, their operations alone are not.
    check_operation(operation, skip=["worker_processes_get_it"])
