"""Policies whose operations run a network of their own, which passes do not count."""

from __future__ import annotations

from collections.abc import Iterable

from automorph.experiments.job import Treatment
from automorph.experiments.table import policy_of
from automorph.policies import drawable
from automorph.text import runs_network


def uncounted_networks(treatments: Iterable[Treatment]) -> list[str]:
    """Return a sentence about every policy whose cost is more than its passes."""
    found = []
    for treatment in treatments:
        names = [one.name for one in drawable(policy_of(treatment)) if runs_network(one.kernel)]
        if names:
            found.append(
                f"{treatment.name} runs a network of its own ({', '.join(names)}), whose work is "
                "not in the passes, which are those of the trained network: see its wall time."
            )
    return found
