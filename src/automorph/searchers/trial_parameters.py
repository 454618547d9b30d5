"""The parameters of a trial, as dashboards of Optuna show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Parameter = tuple[Any, Any]
"""A value and its Optuna distribution."""

_STEP = {"probability": "chance", "magnitude": "magnitude"}


def trial_parameters(
    job: Mapping[str, Any], choices: dict[str, tuple[str, ...]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return values and Optuna distributions of what a job tries, by name.

    ``job`` is the job's description as plain data. The parameters are those of its policy; jobs
    without one have none. Sub-policies are named as in `sub_policy_ranges`. ``choices`` has the
    choices of earlier trials by parameter, and gets those of new parameters; a parameter with other
    choices (of a policy of another space) is left out.
    """
    policy = job.get("policy")
    found = dict(_of_policy(policy)) if isinstance(policy, Mapping) else {}
    for name, (_, distribution) in list(found.items()):
        own = getattr(distribution, "choices", None)
        if own is not None and choices.setdefault(name, own) != own:
            del found[name]
    return (
        {name: value for name, (value, _) in found.items()},
        {name: distribution for name, (_, distribution) in found.items()},
    )


def _of_policy(policy: Mapping[str, Any]) -> Iterator[tuple[str, Parameter]]:
    from optuna import distributions as of

    share = of.FloatDistribution(0.0, 1.0)
    if policy.get("kind") == "chain":
        for number, stage in enumerate(policy.get("stages", ())):
            for name, parameter in _of_policy(stage):
                yield f"stage {number} {name}", parameter
    elif policy.get("kind") == "uniform":
        yield "length", (policy["length"], of.IntDistribution(0, max(10, policy["length"])))
        for name in ("low", "high", "probability"):
            yield name, (policy[name], share)
    elif policy.get("kind") == "mixture":
        names = tuple(one["name"] for one in policy["operations"]["operations"])
        for row, sub_policy in enumerate(policy["subpolicies"]):
            for column, step in enumerate(sub_policy):
                at = f"{row}.{column}"
                operation = of.CategoricalDistribution(names)
                yield f"operation {at}", (step["operation"], operation)
                for key, name in _STEP.items():
                    yield f"{name} {at}", (step[key], share)
