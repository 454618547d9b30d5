"""Targets: what a network predicts for an example, and how that is learned, decided and scored.

The package has one target, `Classes`: one label per example (`AdjustedClasses` learns it where some
classes are rare). Training, searches, objectives and
audits ask `Target` and write no loss, decision or metric of their own; a second kind of label is a
second file here and a case of `target_of`.

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
from automorph.targets.supported import check_target

__all__ = ["AdjustedClasses", "Classes", "Masks", "Target", "check_target", "target_of"]
