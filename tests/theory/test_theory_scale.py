"""The measurements of the theory at scale, in sizes that take a moment."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from automorph.theory import alignment

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def scale(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import theory_scale

    yield theory_scale
    for name in ("theory_scale", "theory_digits", "record"):
        sys.modules.pop(name, None)


def test_bias_and_variance_add_up_to_the_squared_error(scale: ModuleType) -> None:
    rng = np.random.default_rng(0)
    predicted = rng.dirichlet(np.ones(4), size=(6, 50))
    labels = rng.integers(0, 4, 50)
    found = scale.bias_and_variance(predicted, labels)
    squared = np.square(predicted - np.eye(4)[labels]).sum(2).mean()
    assert found["bias"] + found["variance"] == pytest.approx(squared)
    same = scale.bias_and_variance(np.repeat(predicted[:1], 3, axis=0), labels)
    assert same["variance"] == pytest.approx(0, abs=1e-12)


def test_bias_does_not_depend_on_the_number_of_repeats(scale: ModuleType) -> None:
    rng = np.random.default_rng(1)
    labels = np.zeros(4000, int)
    made = np.abs(0.5 + 0.2 * rng.standard_normal((30, 4000, 1)))
    predicted = np.concatenate([made, 1 - made], axis=2)
    few, many = (scale.bias_and_variance(predicted[:n], labels) for n in (3, 30))
    assert few["bias"] == pytest.approx(many["bias"], abs=0.01)
    assert few["variance"] == pytest.approx(many["variance"], rel=0.05)


def test_alignments_are_those_of_the_package(scale: ModuleType) -> None:
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 5, 200)
    phi = (rng.normal(size=(200, 30)) + 1 + 0.2 * labels[:, None]).astype(np.float32)
    found = scale.alignments(phi, labels)
    assert found["uncentred"] == pytest.approx(alignment(phi, labels, centred=False), rel=1e-5)
    assert found["centred"] == pytest.approx(alignment(phi, labels), rel=1e-5)


def test_composed_copies_have_the_operations_of_every_part(scale: ModuleType) -> None:
    made = scale.composed("rotation + shift + crop")
    names = [[name for name, _ in draws] for draws in made]
    assert names == [["Rotate", "TranslateX", "TranslateY", "ResizedCrop"]] * 8
    shifts = {tuple(value for name, value in draws if "Translate" in name) for draws in made}
    assert len(shifts) == 8


def test_every_claim_is_made_from_its_cells(scale: ModuleType) -> None:
    arm = {"bias": 0.2, "variance": 0.1, "error": 0.1}
    orders = dict.fromkeys(scale.ORDERS, 0.5)
    cell = {"uncentred": 0.01, "centred": 0.02, "regulariser": 0.1, "accuracy": orders,
            "agreement": orders, "objectives": {**orders, "first": 0.4}}  # fmt: skip

    def read(name: str) -> list[dict[str, object]]:
        networks = {one: {**arm, "bias": 0.2 + 0.01 * i} for i, one in enumerate(scale.ARMS)}
        return [networks if name.startswith("networks") else cell] * scale.SEEDS

    claims, rows = list(scale.scale_claims(read)), scale.scale_rows(read)
    assert len(claims) == 2 * 8 + 3 * 4
    assert len(rows) == 2 * len(scale.ARMS) + 3
    assert len(scale.cell_names()) == 5 * (2 + 3)
