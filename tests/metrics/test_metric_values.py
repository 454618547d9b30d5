"""Every metric equals scikit-learn's, and torchmetrics' where that is installed."""

import numpy as np
import pytest
from sklearn import metrics as sk

from automorph.errors import DataError, UsageError
from automorph.metrics import load_metric
from automorph.metrics.builtin import METRICS

CLASSES = ("1", "2", "3", "4")
SHOWN = {
    "f1": "f1:2", "recall": "recall:2", "precision": "precision:2", "specificity": "specificity:2",
    "sensitivity-at-specificity": "sensitivity:2@specificity=0.8",
    "recall-at-precision": "recall:2@precision=0.4",
}  # fmt: skip
NAMES = [SHOWN.get(name, name) for name in METRICS]


def drawn(seed=0, n=200, k=4, *, tenths=False, without=()):
    """Labels and probabilities that say something about them."""
    random = np.random.default_rng(seed)
    kept = [c for c in range(k) if c not in without]
    labels = random.choice(kept, n)
    logits = random.normal(size=(n, k)) + 0.8 * np.eye(k)[labels]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if tenths:  # Many ties.
        probabilities = np.round(probabilities * 10) + 0.01
        probabilities /= probabilities.sum(axis=1, keepdims=True)
    return labels, probabilities


def of_scikit_learn(name, y, p, weights=None):
    k, d = p.shape[1], p.argmax(axis=1)
    w = {"sample_weight": weights}
    if name == "accuracy":
        return sk.accuracy_score(y, d, **w)
    if name == "balanced-accuracy":
        return sk.balanced_accuracy_score(y, d, **w)
    if name == "macro-f1":
        return sk.f1_score(y, d, average="macro", labels=np.unique(y), **w)
    if name == "f1:2":
        return sk.f1_score(y == 1, d == 1, **w)
    if name == "recall:2":
        return sk.recall_score(y == 1, d == 1, **w)
    if name == "precision:2":
        return sk.precision_score(y == 1, d == 1, **w)
    if name == "specificity:2":
        return sk.recall_score(y == 1, d == 1, pos_label=0, **w)
    if name == "auroc":
        if set(y) == set(range(k)) and weights is None:
            return sk.roc_auc_score(y, p, multi_class="ovr")
        return np.mean([sk.roc_auc_score(y == c, p[:, c], **w) for c in np.unique(y)])
    if name == "average-precision":
        return np.mean([sk.average_precision_score(y == c, p[:, c], **w) for c in np.unique(y)])
    if name == "log-loss":
        return sk.log_loss(y, p, labels=range(k), **w)
    if name == "brier":
        w = np.ones(len(y)) if weights is None else weights
        return np.average(((p - np.eye(k)[y]) ** 2).sum(axis=1), weights=w)
    if name == "quadratic-kappa":
        return sk.cohen_kappa_score(y, d, weights="quadratic", labels=range(k), **w)
    return None


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weights"])
@pytest.mark.parametrize(
    "case", [{}, {"tenths": True}, {"without": (3,)}, {"n": 7}],
    ids=["all", "ties", "class missing", "few"],
)  # fmt: skip
@pytest.mark.parametrize("name", [n for n in NAMES if "@" not in n and n != "calibration-error"])
def test_equal_to_scikit_learn(name, case, weighted):
    y, p = drawn(**case)
    weights = np.random.default_rng(1).uniform(0.1, 2, len(y)) if weighted else None
    wanted = of_scikit_learn(name, y, p, weights)
    scorer = load_metric(name, CLASSES)
    assert scorer.value(y, p, weights=weights) == pytest.approx(wanted, rel=1e-12)


def test_operating_points_equal_the_curves_of_scikit_learn():
    for seed in range(20):
        y, p = drawn(seed, tenths=seed % 2 == 0)
        positive, score = y == 1, p[:, 1]
        fpr, tpr, _ = sk.roc_curve(positive, score)
        found = load_metric("sensitivity:2@specificity=0.8", CLASSES)
        assert found.value(y, p) == tpr[1 - fpr >= 0.8].max()
        called = score >= found.threshold(y, p)
        assert (~called[~positive]).mean() >= 0.8
        precision, recall, _ = sk.precision_recall_curve(positive, score)
        found = load_metric("recall:2@precision=0.4", CLASSES)
        assert found.value(y, p) == recall[precision >= 0.4].max()


def test_a_precision_that_no_threshold_reaches_calls_nothing():
    y, p = np.array([0, 1, 0]), np.array([[0.1, 0.9], [0.9, 0.1], [0.2, 0.8]])
    scorer = load_metric("recall:b@precision=0.9", ("a", "b"))
    assert scorer.threshold(y, p) > 1
    assert scorer.value(y, p) == 0


def test_thresholds_lie_between_scores():
    y, p = np.array([0, 0, 1, 1]), np.array([[0.8, 0.2], [0.6, 0.4], [0.4, 0.6], [0.1, 0.9]])
    scorer = load_metric("sensitivity:b@specificity=1", ("a", "b"))
    assert scorer.threshold(y, p) == pytest.approx(0.5)


@pytest.mark.parametrize("case", [{}, {"n": 31}], ids=["all", "few"])
@pytest.mark.parametrize(
    ("name", "function", "options"),
    [
        ("accuracy", "multiclass_accuracy", {"average": "micro"}),
        ("balanced-accuracy", "multiclass_accuracy", {"average": "macro"}),
        ("macro-f1", "multiclass_f1_score", {"average": "macro"}),
        ("auroc", "multiclass_auroc", {"average": "macro"}),
        ("average-precision", "multiclass_average_precision", {"average": "macro"}),
        ("calibration-error", "multiclass_calibration_error", {"n_bins": 15}),
        ("quadratic-kappa", "multiclass_cohen_kappa", {"weights": "quadratic"}),
    ],
)
def test_equal_to_torchmetrics(name, function, options, case):
    functional = pytest.importorskip("torchmetrics.functional.classification")
    import torch

    y, p = drawn(**case)
    assert set(y) == set(range(4))
    theirs = getattr(functional, function)(
        torch.from_numpy(p), torch.from_numpy(y), num_classes=4, **options
    )
    assert load_metric(name, CLASSES).value(y, p) == pytest.approx(float(theirs), abs=1e-6)


OF_ONE_CLASS = [
    ("recall:2", "binary_recall", {}),
    ("precision:2", "binary_precision", {}),
    ("f1:2", "binary_f1_score", {}),
    ("specificity:2", "binary_specificity", {}),
]


@pytest.mark.parametrize("case", [{}, {"tenths": True}, {"n": 31}, {"without": (3,)}], ids=str)
@pytest.mark.parametrize(("name", "function", "options"), OF_ONE_CLASS)
def test_decisions_on_one_class_equal_torchmetrics(name, function, options, case):
    functional = pytest.importorskip("torchmetrics.functional.classification")
    import torch

    y, p = drawn(**case)
    decided, labels = (torch.from_numpy((one == 1).astype(int)) for one in (p.argmax(axis=1), y))
    theirs = float(getattr(functional, function)(decided, labels, **options))
    assert load_metric(name, CLASSES).value(y, p) == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize("case", [{}, {"tenths": True}], ids=["all", "ties"])
@pytest.mark.parametrize(
    ("name", "function"),
    [("auroc:2", "binary_auroc"), ("average-precision:2", "binary_average_precision")],
)
def test_rankings_of_one_class_equal_torchmetrics(name, function, case):
    functional = pytest.importorskip("torchmetrics.functional.classification")
    import torch

    y, p = drawn(**case)
    labels = torch.from_numpy((y == 1).astype(int))
    theirs = float(getattr(functional, function)(torch.from_numpy(p[:, 1]), labels))
    assert load_metric(name, CLASSES).value(y, p) == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize("case", [{}, {"tenths": True}, {"n": 41}], ids=["all", "ties", "few"])
@pytest.mark.parametrize(
    ("name", "function", "least"),
    [
        ("sensitivity:2@specificity=0.8", "binary_sensitivity_at_specificity", "min_specificity"),
        ("recall:2@precision=0.4", "binary_recall_at_fixed_precision", "min_precision"),
    ],
)
def test_recalls_at_a_point_equal_torchmetrics(name, function, least, case):
    functional = pytest.importorskip("torchmetrics.functional.classification")
    import torch

    y, p = drawn(**case)
    scores, labels = torch.from_numpy(p[:, 1]), torch.from_numpy((y == 1).astype(int))
    at = float(name.rpartition("=")[2])
    theirs, _ = getattr(functional, function)(scores, labels, **{least: at})
    assert load_metric(name, CLASSES).value(y, p) == pytest.approx(float(theirs), abs=1e-6)


def test_the_calibration_error_of_ties_is_that_of_torchmetrics_off_the_edges_of_bins():
    """Confidences of a few values, many times each."""
    functional = pytest.importorskip("torchmetrics.functional.classification")
    import torch

    random = np.random.default_rng(3)
    confidence = random.choice([0.52, 0.61, 0.78, 0.97], 300)
    p, y = np.stack([1 - confidence, confidence], axis=1), random.integers(0, 2, 300)
    theirs = functional.multiclass_calibration_error(
        torch.from_numpy(p), torch.from_numpy(y), num_classes=2, n_bins=15
    )
    one = load_metric("calibration-error", ("a", "b"))
    assert one.value(y, p) == pytest.approx(float(theirs), abs=1e-6)


def test_weights_of_the_calibration_error_are_repeats():
    """scikit-learn has no such metric, and that of torchmetrics takes no weights."""
    y, p = drawn(n=60)
    times = np.random.default_rng(2).integers(1, 4, len(y))
    scorer = load_metric("calibration-error", CLASSES)
    weighted = scorer.value(y, p, weights=times.astype(float))
    assert weighted == pytest.approx(scorer.value(np.repeat(y, times), np.repeat(p, times, axis=0)))


def test_where_the_libraries_differ_we_follow_what_the_page_says():
    """A class without examples that is predicted; the docs list which library is followed."""
    functional = pytest.importorskip("torchmetrics.functional.classification")
    import torch

    y, p = drawn(without=(3,))
    decided = p.argmax(axis=1)
    assert (decided == 3).any()
    given = (torch.from_numpy(p), torch.from_numpy(y))
    torch_recall = float(functional.multiclass_accuracy(*given, num_classes=4, average="macro"))
    balanced = load_metric("balanced-accuracy", CLASSES).value(y, p)
    assert balanced == pytest.approx(np.mean([(decided[y == k] == k).mean() for k in range(3)]))
    assert balanced == pytest.approx(torch_recall * 4 / 3, abs=1e-6)
    torch_f1 = float(functional.multiclass_f1_score(*given, num_classes=4, average="macro"))
    ours = load_metric("macro-f1", CLASSES).value(y, p)
    assert sk.f1_score(y, decided, average="macro") == pytest.approx(torch_f1, abs=1e-6)
    assert ours == pytest.approx(torch_f1 * 4 / 3, abs=1e-6)


def test_calibration_does_not_hang_on_the_rounding_of_confidences():
    confidence = np.array([0.6, 0.6 + 1e-16, 0.3 + 0.3])
    p, y = np.stack([confidence, 1 - confidence], axis=1), np.array([0, 1, 0])
    one = load_metric("calibration-error(bins=10)", ("a", "b"))
    assert one.value(y, p) == pytest.approx(abs(2 / 3 - 0.6))
    assert one.value(y, np.nextafter(p, 1)) == pytest.approx(one.value(y, p))


def test_brier_of_two_classes_is_that_of_one_of_them():
    y, p = drawn(k=2)
    wanted = sk.brier_score_loss(y, p[:, 1])
    assert load_metric("brier", ("a", "b")).value(y, p) == pytest.approx(wanted)


@pytest.mark.parametrize("name", NAMES)
def test_one_class_only_has_a_value_or_a_reason(name):
    _, p = drawn()
    scorer = load_metric(name, CLASSES)
    y = np.full(len(p), 1)
    if reason := scorer.undefined(y):
        assert "class" in reason
        with pytest.raises(DataError, match="is undefined: all examples"):
            scorer.value(y, p)
    else:
        assert np.isfinite(scorer.value(y, p))


@pytest.mark.parametrize("name", [name for name in NAMES if ":2" in name])
def test_a_named_class_without_examples_is_refused(name):
    y, p = drawn(without=(1,))
    with pytest.raises(DataError, match="no example is of the class '2'"):
        load_metric(name, CLASSES).value(y, p)


def test_the_precision_of_a_class_that_is_never_predicted_is_zero():
    y, p = np.array([0, 1]), np.array([[0.9, 0.1], [0.8, 0.2]])
    assert load_metric("precision:b", ("a", "b")).value(y, p) == 0


def test_decisions_are_enough_for_metrics_of_decisions():
    y, p = drawn()
    scorer = load_metric("macro-f1", CLASSES)
    assert scorer.of_decisions(y, p.argmax(axis=1)) == scorer.value(y, p)
    with pytest.raises(UsageError, match="only the predicted classes are known"):
        load_metric("auroc", CLASSES).of_decisions(y, y)


@pytest.mark.parametrize("name", NAMES)
def test_names_are_read_back(name):
    scorer = load_metric(name, CLASSES)
    assert (
        load_metric(scorer.name, CLASSES) == scorer
        or scorer.name == load_metric(scorer.name, CLASSES).name
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot read the metric ''"),
        ("acuracy", "unknown metric 'acuracy'. Did you mean 'accuracy'"),
        ("recall", "is that of one class; expected its name, as in recall:CLASS"),
        ("recall:malignat", "unknown class 'malignat' of the metric. Did you mean 'malignant'"),
        ("sensitivity@specificity=0.8", "as in sensitivity:CLASS@specificity=0.8"),
        ("sensitivity:malignant@specificity=80", "got 80; expected above 0 to 1"),
        ("recall:malignant@precision=high", "got precision=high; expected a number"),
        ("sensitivity:malignant@recall=0.8", "unknown metric 'sensitivity-at-recall'"),
        ("accuracy:malignant", "expected at most no options"),
        ("calibration-error(bins=0)", "got bins=0; expected 1 to 1000"),
        ("calibration-error(bin=5)", "unknown option 'bin'"),
        ("quadratic-kappa", "expected numbers, got 'malignant'"),
    ],
)
def test_bad_names_say_what_to_do(text, message):
    with pytest.raises(UsageError) as error:
        load_metric(text, ("malignant", "benign nevus"))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("label", "classes"),
    [
        ("benign nevus", ("malignant", "benign nevus")),
        ("b (other)", ("a", "b (other)")),
        ("a:b", ("a:b", "c")),
        ("10", ("2", "10")),
        ("none", ("none", "some")),
    ],
)
def test_classes_have_any_characters(label, classes):
    scorer = load_metric(f"recall:{label}", classes)
    assert classes[scorer.positive] == label
    at = load_metric(f"sensitivity:{label}@specificity=0.8", classes)
    assert classes[at.positive] == label
