"""What the default search picks on the data of another benchmark: a further row of its table."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from automorph.augmenters import as_treatment
from automorph.experiments import Comparison, Treatment
from automorph.policies import Policy, policy_from_dict, policy_to_dict
from automorph.searchers import load_method, search_alone
from automorph.training import Task
from cells import Cells, Content
from record import claim

SEARCH = "search"
"""The cell of a search."""


def plain(treatment: Treatment) -> Content:
    """Return a policy, or the name of an in-training method, as plain data."""
    return (
        policy_to_dict(treatment) if isinstance(treatment, Policy) else {"method": treatment.name}
    )


def treatment_of(content: Content) -> Treatment:
    """Return what `plain` has written."""
    return as_treatment(content["method"]) if "method" in content else policy_from_dict(content)


def searched(task: Task, jobs: int, unseen: Sequence[str] = ()) -> Content:
    """Return the pick of the default search, which does not know ``unseen`` sets, and its cost."""
    found = search_alone(task, load_method("race"), unseen=unseen, jobs=jobs)
    return {
        "pick": plain(found.treatment), "name": found.treatment.name,
        "trainings": found.trainings, "caveat": found.searcher.caveat(),
        "standing": [
            [one.treatment.name, one.estimate, one.error if one.error < 1e9 else None]
            for one in found.searcher.standing()
        ],
    }  # fmt: skip


def with_pick(
    cells: Cells, task: Task, policies: Sequence[str | Treatment], jobs: int
) -> tuple[list[str | Treatment], Content]:
    """Search once; return the policies with what was picked, and the facts of the search."""
    facts = cells.kept(SEARCH, searched, task, jobs)
    pick = treatment_of(facts["pick"])
    names = [one if isinstance(one, str) else one.name for one in policies]
    more = [] if pick.name in names else [pick]
    return [*policies, *more], {key: facts[key] for key in ("name", "trainings", "caveat")}


def means_of(found: Comparison) -> dict[str, float]:
    """Return means of the main metric by policy, higher for better ones; shares in points."""
    scale = found.metric.sign * (100 if found.metric.share else 1)
    return {row.policy: scale * fmean(row.accuracy.values) for row in found.rows if row.accuracy}


def claims_on_pick(
    means: dict[str, float], pick: Content, within: float, unit: str
) -> list[Content]:
    """Judge the pick against the best other policy in hindsight, and against none."""
    own = means[pick["name"]]
    best = max((name for name in means if name != pick["name"]), key=lambda name: means[name])
    gap, gain = own - means[best], own - means["none"]
    text = f"the pick ({pick['name']}) is within {within:g} {unit} of the best other ({best})"
    return [
        claim(text, round(gap, 2), None, gap >= -within),
        claim(f"the pick is no worse than none ({unit})", round(gain, 2), None, gain >= 0),
    ]


def marked(name: str, content: dict[str, Any]) -> str:
    """Return the name of a policy for a table; what a search picked is marked."""
    own = content.get("pick", {}).get("name")
    return f"`{name}`" + " (pick of the search)" * (name == own)
