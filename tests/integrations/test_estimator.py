"""The scikit-learn classifier."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_digits
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, RidgeClassifierCV, SGDClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import estimator_checks_generator

from automorph.data.dataset import strings
from automorph.errors import UsageError
from automorph.integrations import AugmentedClassifier
from automorph.operations import SearchSpace, operation
from automorph.policies import Uniform, load_policy
from automorph.text.wordnet import find_wordnet

needs_wordnet = pytest.mark.skipif(
    find_wordnet() is None, reason="WordNet's files are not on this machine (wordnet-base)"
)
DIGITS, LABELS = load_digits(return_X_y=True)


@operation(range=(0, 0.01), identity=0, domain="vector")
def jitter(vector, value, rng):
    """Shift a vector slightly."""
    return vector + value * rng.standard_normal(vector.shape)


JITTER = Uniform(operations=SearchSpace("jitter", (jitter,)), low=1.0, high=1.0)


def checks():
    """Run scikit-learn's own checks without a policy and with one for vectors."""
    for policy in ("none", JITTER):
        model = AugmentedClassifier(LogisticRegression(max_iter=50), policy)
        for estimator, check in estimator_checks_generator(model):
            yield pytest.param(
                estimator, check, id=f"{policy}-{getattr(check, 'func', check).__name__}"[:90]
            )


# A repeated example and one of weight 2 get different copies, so these checks do not apply
# with a policy.
RANDOM = ("check_sample_weight_equivalence", "check_methods_sample_order_invariance_fit")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("estimator", "check"), list(checks()))
def test_scikit_learns_own_checks(estimator, check):
    name = getattr(check, "func", check).__name__
    if estimator.policy is JITTER and name.startswith(RANDOM):
        pytest.skip("copies are drawn for each example apart")
    check(estimator)


def test_images_in_rows():
    model = AugmentedClassifier(KNeighborsClassifier(1), "crop", copies=3, shape=(8, 8),
                                levels=(0, 16))  # fmt: skip
    model.fit(DIGITS[:100], LABELS[:100])
    assert model.n_examples_ == 400
    rows = model.estimator_._fit_X
    np.testing.assert_array_equal(rows[:100], DIGITS[:100])
    images = np.rint(DIGITS[:100].reshape(-1, 8, 8, 1) / 16 * 255).astype(np.uint8)
    expected = load_policy("crop").augment(images, copy=2).reshape(100, 64) / 255 * 16
    np.testing.assert_allclose(rows[200:300], expected)
    plain = KNeighborsClassifier(1).fit(DIGITS[:100], LABELS[:100])
    assert model.score(DIGITS[500:], LABELS[500:]) > plain.score(DIGITS[500:], LABELS[500:])


def test_rows_of_whole_numbers_are_rounded():
    rows = np.arange(17).repeat(2)[:32].reshape(2, 16)
    inside = KNeighborsClassifier(1)
    model = AugmentedClassifier(inside, "flip(p=1)", shape=(4, 4), levels=(0, 16))
    kept = model.fit(rows, [0, 1]).estimator_._fit_X
    flipped = rows.reshape(2, 4, 4)[:, :, ::-1].reshape(2, 16)
    np.testing.assert_array_equal(kept[2:], flipped)
    assert kept.dtype == rows.dtype


def test_images_as_they_are():
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), np.uint8)
    labels = np.arange(20) % 2
    model = AugmentedClassifier(LogisticRegression(), "randaugment", copies=2).fit(images, labels)
    assert model.n_examples_ == 60
    assert model.predict_proba(images).shape == (20, 2)


def series(texts):
    return pytest.importorskip("pandas").Series(texts, index=range(7, 7 + len(texts)))


def objects(texts):
    return np.array(texts, object)


@pytest.mark.parametrize("kind", [list, tuple, np.array, objects, strings, series])
@pytest.mark.parametrize("policy", ["typos", "none"])
def test_texts(kind, policy):
    texts = ["a good film", "a bad film", "good and fine", "bad and dull"] * 5
    labels = [1, 0, 1, 0] * 5
    inside = make_pipeline(CountVectorizer(), LogisticRegression())
    model = AugmentedClassifier(inside, policy, copies=2).fit(kind(texts), labels)
    assert model.n_examples_ == (60 if policy == "typos" else 20)
    assert model.predict(kind(["a good one", "so bad"])).tolist() == [1, 0]
    expected = load_policy(policy).augment(texts, seed=1)
    assert load_policy(policy).augment(kind(texts), seed=1).tolist() == list(expected)


class Kept(BaseEstimator, ClassifierMixin):
    """Keeps the texts that it is fitted to."""

    def fit(self, texts, labels):
        self.texts_, self.classes_ = list(texts), np.unique(labels)
        return self

    def predict(self, texts):
        return np.repeat(self.classes_[:1], len(texts))


@pytest.mark.parametrize("beforehand", [False, True])
@pytest.mark.parametrize("name", [
    "tf-idf", "uniform-words(p=1)", "switchout", pytest.param("language", marks=needs_wordnet)
])  # fmt: skip
def test_corpora_are_those_of_the_fold(name, beforehand):
    # Every text has a word of its own, which tells where the words of a copy are from.
    texts = [f"a good film word{'abcdefghijklmnopqrst'[row]} 1984" for row in range(20)]
    policy = load_policy(name)
    if beforehand:
        policy = policy.fitted(texts, protect=[r"\d+"])
    model = AugmentedClassifier(Kept(), policy, copies=5)
    folds = cross_validate(
        model, texts, [0, 1] * 10, cv=4, return_estimator=True, return_indices=True,
        error_score="raise",
    )  # fmt: skip
    for fold, rows in zip(folds["estimator"], folds["indices"]["train"], strict=True):
        own = {word for row in rows for word in texts[row].split()}
        fitted = fold.estimator_.texts_
        assert fitted[:15] == [texts[row] for row in rows]
        assert fitted[15:] != fitted[:15] * 5
        assert {word for text in fitted for word in text.split()} <= own
        if beforehand:
            assert all(text.endswith("1984") for text in fitted)


def test_it_is_an_estimator_like_any_other():
    model = AugmentedClassifier(LinearSVC(), policy="crop", shape=(8, 8), levels=(0, 16))
    again = clone(model).set_params(policy="none", estimator__C=0.5)
    assert again.get_params()["estimator__C"] == 0.5
    assert hasattr(again, "decision_function")
    assert not hasattr(again, "predict_proba")
    search = GridSearchCV(
        AugmentedClassifier(KNeighborsClassifier(1), shape=(8, 8), levels=(0, 16)),
        {"policy": ["none", "crop"], "copies": [1, 3]}, cv=3,
    ).fit(DIGITS[:150], LABELS[:150])  # fmt: skip
    assert search.best_params_["policy"] in ("none", "crop")
    assert cross_val_score(model, DIGITS[:150], LABELS[:150], cv=3).shape == (3,)


def test_the_same_random_state_gives_the_same_copies():
    def rows(state):
        model = AugmentedClassifier(KNeighborsClassifier(), "randaugment", shape=(8, 8),
                                    levels=(0, 16), random_state=state)  # fmt: skip
        return model.fit(DIGITS[:50], LABELS[:50]).estimator_._fit_X

    np.testing.assert_array_equal(rows(1), rows(1))
    assert (rows(1) != rows(2)).any()


def test_scaling_belongs_inside():
    scaled = StandardScaler().fit_transform(DIGITS[:50])
    with pytest.raises(UsageError, match=r"got values from -\S+ to \S+ and levels=\(0, 16\)"):
        AugmentedClassifier(policy="crop", shape=(8, 8), levels=(0, 16)).fit(scaled, LABELS[:50])
    inside = make_pipeline(StandardScaler(), KNeighborsClassifier(1))
    model = AugmentedClassifier(inside, "crop", shape=(8, 8), levels=(0, 16))
    assert model.fit(DIGITS[:50], LABELS[:50]).n_examples_ == 100


def test_a_loss_of_levels_is_noted():
    rows = DIGITS[:50] / 16
    with pytest.warns(UserWarning, match=r"from 0 to 1 and levels=\(0.0, 255.0\), so .* 2 of 256"):
        AugmentedClassifier(policy="crop", shape=(8, 8)).fit(rows, LABELS[:50])
    AugmentedClassifier(policy="crop", shape=(8, 8), levels=(0, 1)).fit(rows, LABELS[:50])


@pytest.mark.parametrize(("inside", "named"), [
    (GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [1, 3]}, cv=2), "cv"),
    (make_pipeline(StandardScaler(), RidgeClassifierCV()), "ridgeclassifiercv__cv"),
    (SGDClassifier(early_stopping=True, random_state=0), "early_stopping"),
    (HistGradientBoostingClassifier(early_stopping=True, max_iter=2), "early_stopping"),
    (GradientBoostingClassifier(n_estimators=2, n_iter_no_change=1), "n_iter_no_change"),
    (RandomForestClassifier(20, oob_score=True, random_state=0), "oob_score"),
    (SGDClassifier(random_state=0), None),
    (HistGradientBoostingClassifier(max_iter=2), None),
    (GradientBoostingClassifier(n_estimators=2), None),
    (RandomForestClassifier(2), None),
])  # fmt: skip
def test_an_estimator_that_holds_out_examples_is_noted(inside, named):
    rows, labels = DIGITS[:60], LABELS[:60] % 2
    model = AugmentedClassifier(inside, policy="crop", shape=(8, 8), levels=(0, 16))
    if named is None:
        model.fit(rows, labels)
        return
    with pytest.warns(UserWarning, match=rf"^{named}: \w+ holds out examples itself"):
        model.fit(rows, labels)
    clone(model).set_params(policy="none").fit(rows, labels)  # No copies, no note.


@pytest.mark.parametrize(("options", "message"), [
    ({"policy": "crop", "shape": (8, 8), "levels": (0, 1)},
     r"got values from 0 to 16 and levels=\(0, 1\); expected the values of black and white"),
    ({"policy": "crop", "shape": (8, 8), "levels": (16, 16)}, r"levels=\(16, 16\); expected"),
    ({"policy": "crop"}, "no shape; give the shape of the images"),
    ({"policy": "crop", "shape": (9, 9)}, "expected the sides of the images"),
    ({"policy": "mixup"}, "mixes labels, .* leave that stage out: classifiers of scikit-learn"),
    ({"copies": -1}, "got copies=-1"),
])  # fmt: skip
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(UsageError, match=message):
        AugmentedClassifier(**options).fit(DIGITS[:50], LABELS[:50])
