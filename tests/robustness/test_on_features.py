"""Every objective on frozen features: the head is trained by steps, the network is whole again."""

from functools import partial

import numpy as np
import pytest
import torch
from marked_images import EVEN, SKEWED, bars, marked_data

from automorph import patch
from automorph.robustness.builtin import METHODS
from automorph.robustness.patch_trainings import MENDING
from automorph.robustness.robust import train_robust
from automorph.robustness.translated import translate_part
from automorph.robustness.translators.base import ExactPairs
from automorph.training import evaluate, head_task, load_trained, make_task, recipe_for, train

pytest.importorskip("timm")
torch.set_num_threads(1)
MODEL = "features:timm:test_efficientnet:untrained"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("AUTOMORPH_CACHE", str(tmp_path_factory.getbasetemp() / "features"))


@pytest.fixture(scope="module")
def task():
    data = marked_data()
    return make_task(data, model=MODEL, recipe=recipe_for(MODEL, len(data.train), epochs=3))


@pytest.fixture(scope="module")
def pairs():
    both = [bars(counts, seed)[1] for counts, seed in ((SKEWED, 1), (SKEWED, 2), (EVEN, 3))]
    return ExactPairs(np.concatenate(both, axis=1))


@pytest.mark.parametrize("objective", [*METHODS, "dfr(part=train)"])
def test_every_objective_trains_the_head(objective, task, pairs, tmp_path):
    needs = objective == "camel"
    renderings = translate_part(pairs, task.data.train) if needs else None
    run = train_robust(task, objective, renderings=renderings, folder=tmp_path, seed=1)
    assert len(run.run.curves) == 3
    assert run.checkpoint is not None
    # The file is that of a whole network, which takes images, not features.
    trained = load_trained(run.checkpoint)
    seen = evaluate(trained.model, task.data.test, encoder=trained.encoder)
    np.testing.assert_allclose(seen.logits, run.seen["test"].logits, atol=2e-4)


def test_the_task_of_a_head_has_a_head_for_its_model(task):
    heads = head_task(task)
    run = train_robust(heads, "balanced", seed=0)
    seen = evaluate(run.model, task.data.test, encoder=heads.encoder)
    np.testing.assert_array_equal(seen.predictions, run.seen["test"].predictions)


def test_features_are_looked_up_and_scaled(task):
    encoder = head_task(task).encoder
    train, test = task.data.train, task.data.test
    known = encoder(train.data)
    np.testing.assert_allclose(known.mean(0), 0, atol=1e-4)
    before = encoder(test.data[:20])
    encoder.remember(test)
    np.testing.assert_allclose(encoder(test.data[:20]), before, atol=1e-4)
    torch.testing.assert_close(encoder(train.data), known)


def test_the_task_of_the_head_has_a_recipe_and_an_identity_of_its_own(task):
    longer = task.with_recipe(epochs=recipe_for(MODEL, len(task.data.train)).epochs)
    assert head_task(task).recipe.epochs == 3  # As asked for.
    assert head_task(longer).recipe.epochs > 100  # Not the default number of copies.
    assert head_task(task, lr=0.5).recipe.lr == 0.5
    make = partial(train, head_task(task), seed=0, parts=("validation",), progress=False)
    np.testing.assert_array_equal(
        make().predictions["validation"], make().predictions["validation"]
    )


def test_a_network_on_frozen_features_is_patched(task, pairs, tmp_path):
    result = patch(
        task, translator=pairs, baselines=["erm", "balanced"], seeds=1, folder=tmp_path, maps=False
    )
    assert {row.objective for row in result.treatments} == {"erm", "balanced", MENDING}
    assert load_trained(result.checkpoint).model.head.in_features > 1
