"""Find the subgroup on which a model fails, mend the model, prove it."""

from automorph.patching.auditing import audit
from automorph.patching.discovery import Slice, discover
from automorph.patching.findings import Audit, Group, measure
from automorph.patching.groups import Grouper, grouper_of
from automorph.patching.methods import Robust, list_methods, load_method
from automorph.patching.robust import RobustRun, train_robust

__all__ = [
    "Audit",
    "Group",
    "Grouper",
    "Robust",
    "RobustRun",
    "Slice",
    "audit",
    "discover",
    "grouper_of",
    "list_methods",
    "load_method",
    "measure",
    "train_robust",
]
