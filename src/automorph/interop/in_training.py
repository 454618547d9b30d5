"""The check that only policies are exported; in-training methods are refused."""

from __future__ import annotations

from typing import Any

from automorph.errors import PolicyError
from automorph.policies import Policy, load_policy


def policy_to_export(policy: Any) -> Policy:
    """Return the policy of a name, file or object; refuse in-training methods."""
    try:
        return load_policy(policy)
    except PolicyError as error:
        # The package of in-training methods needs torch, so it is imported only now.
        method = _online_method(policy)
        if method is None:
            raise
        raise PolicyError(
            f"got {method.name!r}, which is an in-training method: it uses the network during "
            "training, so it cannot be exported. Its views are drawn from a "
            f"policy, which can be exported instead: {method.policy.name!r}"
        ) from error


def _online_method(thing: Any) -> Any:
    """Return the in-training method that was given or named, or None."""
    from automorph.augmenters import as_treatment

    try:
        found = as_treatment(thing)
    except PolicyError:
        return None
    return None if isinstance(found, Policy) else found
