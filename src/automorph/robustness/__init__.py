"""Find the subgroup on which a model fails, mend the model, prove it."""

from automorph.robustness.audit_result import Audit, Group, measure
from automorph.robustness.builtin import Robust, list_methods, load_method
from automorph.robustness.discovery import Slice, discover
from automorph.robustness.groups import Grouper, grouper_of
from automorph.robustness.patch_result import Patched
from automorph.robustness.robust import RobustRun, train_robust
from automorph.robustness.run_audit import audit
from automorph.robustness.run_patch import patch
from automorph.robustness.split_recovery import split_as_trained
from automorph.robustness.translated import Translated, translate_part
from automorph.robustness.translators.base import ExactPairs, Translator, UserEdit, all_pairs
from automorph.robustness.translators.checks import Checked, Limits, check_translator
from automorph.robustness.translators.classifiers import Panel
from automorph.robustness.translators.cyclegan import CycleRecipe
from automorph.robustness.translators.cyclegan_translator import CycleGAN, fit_cyclegan
from automorph.robustness.translators.selection import Choice, check_names, choose_translator

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
    "check_names",
    "check_translator",
    "choose_translator",
    "discover",
    "fit_cyclegan",
    "grouper_of",
    "list_methods",
    "load_method",
    "measure",
    "patch",
    "split_as_trained",
    "train_robust",
    "translate_part",
]
