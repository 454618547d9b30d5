"""Metrics: how answers are judged, by names such as ``auroc`` and ``recall:malignant``.

`load_metric` gives a `Scorer`, which computes one metric from labels and probabilities with
scikit-learn. A training, a comparison or an audit has one metric that chooses and is tested, and
any number of further ones that are shown.

One rule for classes that are missing: a mean over classes is over those with examples in the part,
and a metric that needs other examples than the part has (a class of that name, two classes) is
refused before anything is trained, with the reason. It is never 0 or NaN.

>>> import numpy as np
>>> from automorph.metrics import load_metric
>>> recall = load_metric("recall:malignant", ("benign", "malignant"))
>>> recall.title, recall.higher_is_better
('recall of malignant', True)
>>> labels, probabilities = np.array([0, 0, 1, 1]), np.array([[1, 0], [0.4, 0.6], [0, 1], [1, 0]])
>>> recall.value(labels, probabilities)
0.5
"""

from automorph.metrics.bootstrap import Interval, interval, resampled, spread
from automorph.metrics.builtin import METRICS
from automorph.metrics.imbalance import IMBALANCED, default_metric
from automorph.metrics.label_scorer import LabelScorer, best_threshold
from automorph.metrics.names import DEFAULTS, check_metric, list_metrics, load_metric
from automorph.metrics.of_masks import MaskScorer
from automorph.metrics.operating_point import OperatingPoint, is_point
from automorph.metrics.scorer import Scorer, decide

__all__ = [
    "DEFAULTS",
    "IMBALANCED",
    "METRICS",
    "Interval",
    "LabelScorer",
    "MaskScorer",
    "OperatingPoint",
    "Scorer",
    "best_threshold",
    "check_metric",
    "decide",
    "default_metric",
    "interval",
    "is_point",
    "list_metrics",
    "load_metric",
    "resampled",
    "spread",
]
