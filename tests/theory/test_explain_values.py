"""Operations that change a value are at risk, and those that leave it as it is are not."""

import numpy as np
import pytest

from automorph.data import from_arrays
from automorph.diagnostics import explain
from automorph.operations import SearchSpace, named_space

TRIED = ("HorizontalFlip", "VerticalFlip", "Brightness", "Invert")


@pytest.fixture(scope="module")
def found():
    """The value is the mean brightness of an image."""
    random = np.random.default_rng(0)
    scale = random.uniform(0.2, 1.0, (240, 1, 1, 1))
    images = (random.integers(100, 256, (240, 12, 12, 1)) * scale).astype(np.uint8)
    brightness = images.mean(axis=(1, 2, 3)) * 3 + 10
    data = from_arrays(images, brightness, target="values")
    space = SearchSpace("tried", tuple(op for op in named_space("catalogue") if op.name in TRIED))
    return explain(data, space, model="cnn:4", features="random")


def test_operations_on_brightness_are_at_risk_and_flips_are_not(found):
    for name in ("Brightness", "Invert"):
        assert found[name].verdict == "label risk", found[name].reason
        assert found[name].reason.startswith("values at risk (predictions further off: value ")
    for name in ("HorizontalFlip", "VerticalFlip"):
        assert found[name].verdict != "label risk"
        assert found[name].best.diagnosis.label_risk < 0.05


def test_the_risk_is_stated_in_the_units_of_the_values(found):
    diagnosis = found["Invert"].best.diagnosis
    deviation = found.bench.labels.std()
    assert diagnosis.further_off[0] == pytest.approx(diagnosis.label_risk * deviation)
    assert found.to_dict()["target"] == "values"
    assert 0.5 < found.accuracy <= 1  # R2


def test_values_without_any_relation_to_the_images_tell_nothing():
    random = np.random.default_rng(1)
    images = random.integers(0, 256, (160, 8, 8, 1), np.uint8)
    data = from_arrays(images, random.normal(size=160), target="values")
    space = SearchSpace("tried", (named_space("catalogue")["HorizontalFlip"],))
    [finding] = explain(data, space, model="cnn:4", features="random").findings
    assert finding.verdict == "cannot tell"
    assert "the features do not tell the values (R2" in finding.reason
