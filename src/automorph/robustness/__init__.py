"""Find the subgroup on which a model fails, mend the model, and prove it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from automorph._lazy import lazy_names

if TYPE_CHECKING:
    from automorph.robustness.against import Against as Against
    from automorph.robustness.against import compare_audits as compare_audits
    from automorph.robustness.audit_reference import Reference as Reference
    from automorph.robustness.audit_reference import failures as failures
    from automorph.robustness.audit_reference import read_reference as read_reference
    from automorph.robustness.audit_result import Audit as Audit
    from automorph.robustness.audit_result import Group as Group
    from automorph.robustness.audit_result import measure as measure
    from automorph.robustness.audited_metrics import MetricEstimate as MetricEstimate
    from automorph.robustness.builtin import METHODS as METHODS
    from automorph.robustness.builtin import Robust as Robust
    from automorph.robustness.builtin import list_methods as list_methods
    from automorph.robustness.builtin import load_method as load_method
    from automorph.robustness.discovery import Slice as Slice
    from automorph.robustness.discovery import can_discover as can_discover
    from automorph.robustness.discovery import discover as discover
    from automorph.robustness.groups import Grouper as Grouper
    from automorph.robustness.groups import grouper_of as grouper_of
    from automorph.robustness.objectives import Objective as Objective
    from automorph.robustness.output_audit import OutputAudit as OutputAudit
    from automorph.robustness.output_audit import OutputGroup as OutputGroup
    from automorph.robustness.output_audit import figure_words as figure_words
    from automorph.robustness.patch_result import Patched as Patched
    from automorph.robustness.robust import RobustRun as RobustRun
    from automorph.robustness.robust import train_robust as train_robust
    from automorph.robustness.run_audit import audit as audit
    from automorph.robustness.run_patch import patch as patch
    from automorph.robustness.split_recovery import split_as_trained as split_as_trained
    from automorph.robustness.translated import Translated as Translated
    from automorph.robustness.translated import translate_part as translate_part
    from automorph.robustness.translators.base import ExactPairs as ExactPairs
    from automorph.robustness.translators.base import KnownTranslator as KnownTranslator
    from automorph.robustness.translators.base import Translator as Translator
    from automorph.robustness.translators.base import UserEdit as UserEdit
    from automorph.robustness.translators.base import all_pairs as all_pairs
    from automorph.robustness.translators.builtin import TRANSLATORS as TRANSLATORS
    from automorph.robustness.translators.builtin import check_names as check_names
    from automorph.robustness.translators.checks import Checked as Checked
    from automorph.robustness.translators.checks import Limits as Limits
    from automorph.robustness.translators.checks import check_translator as check_translator
    from automorph.robustness.translators.classifiers import Panel as Panel
    from automorph.robustness.translators.cyclegan import CycleRecipe as CycleRecipe
    from automorph.robustness.translators.cyclegan_translator import CycleGAN as CycleGAN
    from automorph.robustness.translators.cyclegan_translator import fit_cyclegan as fit_cyclegan
    from automorph.robustness.translators.selection import Choice as Choice
    from automorph.robustness.translators.selection import choose_translator as choose_translator
    from automorph.robustness.untested import Untested as Untested

# Imported when first used: names are looked up, and completed, without torch.
_HOMES = {
    "Against": "against",
    "compare_audits": "against",
    "Reference": "audit_reference",
    "failures": "audit_reference",
    "read_reference": "audit_reference",
    "METHODS": "builtin",
    "MetricEstimate": "audited_metrics",
    "TRANSLATORS": "translators.builtin",
    "Audit": "audit_result",
    "Checked": "translators.checks",
    "Choice": "translators.selection",
    "CycleGAN": "translators.cyclegan_translator",
    "CycleRecipe": "translators.cyclegan",
    "ExactPairs": "translators.base",
    "Group": "audit_result",
    "Grouper": "groups",
    "KnownTranslator": "translators.base",
    "Limits": "translators.checks",
    "Objective": "objectives",
    "OutputAudit": "output_audit",
    "figure_words": "output_audit",
    "OutputGroup": "output_audit",
    "Panel": "translators.classifiers",
    "Patched": "patch_result",
    "Robust": "builtin",
    "RobustRun": "robust",
    "Slice": "discovery",
    "Translated": "translated",
    "Translator": "translators.base",
    "Untested": "untested",
    "UserEdit": "translators.base",
    "all_pairs": "translators.base",
    "audit": "run_audit",
    "check_names": "translators.builtin",
    "check_translator": "translators.checks",
    "choose_translator": "translators.selection",
    "can_discover": "discovery",
    "discover": "discovery",
    "fit_cyclegan": "translators.cyclegan_translator",
    "grouper_of": "groups",
    "list_methods": "builtin",
    "load_method": "builtin",
    "measure": "audit_result",
    "patch": "run_patch",
    "split_as_trained": "split_recovery",
    "train_robust": "robust",
    "translate_part": "translated",
}

__all__ = [*_HOMES]

if not TYPE_CHECKING:  # A checker would take every name for one that exists.
    __getattr__ = lazy_names(__name__, _HOMES)
