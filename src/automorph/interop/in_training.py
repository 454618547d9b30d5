"""What can be exported of a name: policies; online methods live inside training."""

from __future__ import annotations

from typing import Any

from automorph.errors import PolicyError
from automorph.policies import Policy, load_policy


def policy_to_export(policy: Any) -> Policy:
    """The policy of a name, file or itself; an online method is refused with what it draws from."""
    try:
        return load_policy(policy)
    except PolicyError as error:
        # The package of in-training methods needs torch, so it is imported only now.
        method = _online_method(policy)
        if method is None:
            raise
        raise PolicyError(
            f"got {method.name!r}, which is an online method: it lives inside training, looks at "
            "the network there, and cannot be exported. What its views are drawn from is a "
            f"policy, which can be asked for instead: {method.policy.name!r}"
        ) from error


def _online_method(thing: Any) -> Any:
    """The online method that was given or named, or None."""
    from automorph.augmenters import as_treatment

    try:
        found = as_treatment(thing)
    except PolicyError:
        return None
    return None if isinstance(found, Policy) else found
