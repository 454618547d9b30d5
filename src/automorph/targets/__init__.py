"""Targets: what a network predicts for an example, and how that is learned, decided and scored.

`Classes` is one label per example (`AdjustedClasses` learns it where some classes are rare),
`SeveralLabels` any number of labels, `Values` numbers, and `Masks` a class for each pixel.
Training, searches, objectives and audits ask `Target` and write no loss, decision or metric of
their own; each kind of target is a file here and an entry of `TARGETS`.

>>> import numpy as np
>>> from automorph.targets import Classes
>>> target = Classes(3)
>>> target.encode(np.array([2, 0])).tolist()
[[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
>>> target.predict(np.array([[0.1, 0.2, 3.0], [0.0, 2.0, 1.0]])).tolist()
[2, 1]
>>> target.metric, target.score(np.array([2, 1]), np.array([2, 0]))
('accuracy', 0.5)
"""

from automorph.targets.adjusted import AdjustedClasses
from automorph.targets.base import Target, target_of
from automorph.targets.classes import Classes
from automorph.targets.masks import Masks
from automorph.targets.several_labels import SeveralLabels
from automorph.targets.supported import check_target
from automorph.targets.values import Values

__all__ = [
    "AdjustedClasses",
    "Classes",
    "Masks",
    "SeveralLabels",
    "Target",
    "Values",
    "check_target",
    "target_of",
]
