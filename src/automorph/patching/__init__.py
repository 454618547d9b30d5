"""Find the subgroup on which a model fails, mend the model, prove it."""

from automorph.patching.auditing import audit
from automorph.patching.checks import Checked, Limits, check_translator
from automorph.patching.choice import Choice, choose_translator
from automorph.patching.cyclegan import CycleRecipe
from automorph.patching.discovery import Slice, discover
from automorph.patching.findings import Audit, Group, measure
from automorph.patching.groups import Grouper, grouper_of
from automorph.patching.judges import Panel
from automorph.patching.learned import CycleGAN, fit_cyclegan
from automorph.patching.mending import patch
from automorph.patching.methods import Robust, list_methods, load_method
from automorph.patching.patched import Patched
from automorph.patching.robust import RobustRun, train_robust
from automorph.patching.translated import Translated, translate_part
from automorph.patching.translators import ExactPairs, Translator, UserEdit, all_pairs

__all__ = [
    "Audit",
    "Checked",
    "Choice",
    "CycleGAN",
    "CycleRecipe",
    "ExactPairs",
    "Group",
    "Grouper",
    "Limits",
    "Panel",
    "Patched",
    "Robust",
    "RobustRun",
    "Slice",
    "Translated",
    "Translator",
    "UserEdit",
    "all_pairs",
    "audit",
    "check_translator",
    "choose_translator",
    "discover",
    "fit_cyclegan",
    "grouper_of",
    "list_methods",
    "load_method",
    "measure",
    "patch",
    "train_robust",
    "translate_part",
]
