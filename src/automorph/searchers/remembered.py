"""Policies that a search computes from the data: made once, then read from its store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from automorph.errors import PolicyError
from automorph.experiments import Store, digest
from automorph.operations import Operation
from automorph.policies import Policy, identity_form, policy_from_dict, policy_to_dict
from automorph.training import alike

ROUNDED = 1e-3
"""Relative gap of numbers that were rounded to four digits on two processors."""


def remembered(
    store: Store, operations: Iterable[Operation], name: str, make: Callable[[], Policy]
) -> Policy:
    """Return a policy that a search computes by itself: the stored one, or a new one.

    Its numbers come from floats and may round otherwise on another processor, where its
    finished trainings would not be recognised. ``operations``: the space that it is made of.
    """
    own = [operation for operation in operations if operation.function is not None]
    note = store.noted(name)
    if isinstance(note, dict) and note.get("check") == digest(note.get("policy")):
        with suppress(PolicyError):
            return policy_from_dict(note["policy"], own)
    made = make()
    # Version 0.1 did not store it, but its trials name the policies that they trained with.
    wanted = identity_form(made)
    for form in _policies(store):
        if alike(form, wanted, ROUNDED):
            content = {**policy_to_dict(made), "version": 1, "policy": form}
            with suppress(PolicyError):
                return policy_from_dict(content, own)
    plain = policy_to_dict(made)
    store.note(name, {"policy": plain, "check": digest(plain)})
    return made


def _policies(store: Store) -> Iterator[Any]:
    """Yield the policies of the jobs of earlier calls, with and without what follows them."""
    for job in store.read_jobs.values():
        form = job.get("policy")
        yield form
        stages = form.get("stages", []) if isinstance(form, dict) else []
        for count in range(1, len(stages)):
            kept = stages[:count]
            yield kept[0] if count == 1 else {"kind": "chain", "stages": kept}
