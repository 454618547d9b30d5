"""`explain` with rows that belong together: nothing is told from another view of the same thing."""

import numpy as np

from automorph.data import from_arrays
from automorph.diagnostics.diagnosis import Bench


def views(seed=0):
    """Sixty things with labels drawn at random, four views each: only the thing can be told."""
    random = np.random.default_rng(seed)
    things = random.integers(0, 256, (60, 8, 8, 1))
    images = np.repeat(things, 4, axis=0) + random.integers(-8, 9, (240, 8, 8, 1))
    labels = np.repeat(random.permutation(np.arange(60) % 2), 4)
    return np.clip(images, 0, 255).astype(np.uint8), labels, np.repeat(np.arange(60), 4)


def pixels(images):
    return np.asarray(images, np.float32).reshape(len(images), -1) / 255


def test_other_views_of_a_thing_do_not_tell_its_label():
    images, labels, things = views()
    apart = Bench(images, labels, pixels)
    together = Bench(images, labels, pixels, groups=things)
    assert apart.accuracy > 0.9
    assert together.accuracy < 0.65


def test_errors_count_things_and_not_views():
    images, labels, things = views()
    together = Bench(images, labels, pixels, groups=things)
    found = together.diagnose(lambda images, copy: images[:, :, ::-1])
    assert found.changes.shape == found.risks.shape == (60,)
    values = np.arange(240.0)
    assert np.isclose(together.by_group(values).mean(), values.mean())


def test_explain_keeps_rows_together(monkeypatch):
    from automorph.diagnostics import run_explain

    images, labels, things = views()
    data = from_arrays(images, labels, groups=things)
    seen = []
    bench = run_explain.Bench

    def recorded(*args, **options):
        seen.append(options["groups"])
        return bench(*args, **options)

    monkeypatch.setattr(run_explain, "Bench", recorded)
    run_explain.explain(data, space="randaugment", magnitudes=[0.5], copies=1)
    assert seen[0] is not None
    assert len(np.unique(seen[0])) < len(seen[0])
