"""Every test of the compiled engine runs on every variant that this processor can run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from automorph import native


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "variant" in metafunc.fixturenames:
        nothing = pytest.param("", marks=pytest.mark.skip(native.why_not()))
        metafunc.parametrize("variant", native.variants() or [nothing], indirect=True)


@pytest.fixture
def variant(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of the variant that is active during the test."""
    with native.using(request.param):
        yield request.param
