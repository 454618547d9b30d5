"""Test kits: check your own operation, policy, searcher, and more against their contracts.

``check_KIND(subject)`` runs all checks of a kind and raises one `AssertionError` that lists what
failed; ``KIND_checks()`` returns them, for ``pytest.mark.parametrize``. Neither pytest
nor any other test library is needed.

>>> import numpy as np
>>> import automorph
>>> from automorph.testing import check_operation
>>> @automorph.operation(range=(0, 40), unit="level", identity=0)
... def lift(image, value):
...     return np.minimum(image + np.uint16(value), 255).astype(np.uint8)
>>> check_operation(lift, skip="worker_processes_get_it")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from automorph._lazy import lazy_names

if TYPE_CHECKING:
    from automorph.testing.augmenters import augmenter_checks as augmenter_checks
    from automorph.testing.augmenters import check_augmenter as check_augmenter
    from automorph.testing.checks import Check as Check
    from automorph.testing.executors import check_executor as check_executor
    from automorph.testing.executors import executor_checks as executor_checks
    from automorph.testing.objectives import check_objective as check_objective
    from automorph.testing.objectives import objective_checks as objective_checks
    from automorph.testing.operations import check_operation as check_operation
    from automorph.testing.operations import operation_checks as operation_checks
    from automorph.testing.policies import check_policy as check_policy
    from automorph.testing.policies import policy_checks as policy_checks
    from automorph.testing.samples import example_images as example_images
    from automorph.testing.samples import example_texts as example_texts
    from automorph.testing.samples import small_task as small_task
    from automorph.testing.searchers import check_searcher as check_searcher
    from automorph.testing.searchers import searcher_checks as searcher_checks
    from automorph.testing.sources import check_data_source as check_data_source
    from automorph.testing.sources import data_source_checks as data_source_checks
    from automorph.testing.translators import check_translator as check_translator
    from automorph.testing.translators import translator_checks as translator_checks

# Imported on first use: operations and policies are checked without torch.
_HOMES = {
    "Check": "checks",
    "augmenter_checks": "augmenters",
    "check_augmenter": "augmenters",
    "check_data_source": "sources",
    "check_executor": "executors",
    "check_objective": "objectives",
    "check_operation": "operations",
    "check_policy": "policies",
    "check_searcher": "searchers",
    "check_translator": "translators",
    "data_source_checks": "sources",
    "example_images": "samples",
    "example_texts": "samples",
    "executor_checks": "executors",
    "objective_checks": "objectives",
    "operation_checks": "operations",
    "policy_checks": "policies",
    "searcher_checks": "searchers",
    "small_task": "samples",
    "translator_checks": "translators",
}

__all__ = [*_HOMES]

if not TYPE_CHECKING:  # A checker would take every name for one that exists.
    __getattr__ = lazy_names(__name__, _HOMES)
