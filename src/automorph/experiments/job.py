"""Jobs: units of work that describe themselves and that any process can run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

from automorph.policies import Policy, identity_form
from automorph.training import AugmenterSpec, Units

Treatment = Policy | AugmenterSpec
"""What a training varies: a policy, or the spec of an augmenter that learns during training."""


@dataclass(frozen=True)
class JobResult:
    """Result of a job: ``score`` (higher is better), its cost, and more as plain data in ``facts``.

    A failed job has the score ``-inf`` and its reason in ``error``.
    """

    score: float
    units: Units = field(default_factory=Units)
    seconds: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


class Job(Protocol):
    """One piece of work: a frozen dataclass that any process can run."""

    def describe(self) -> dict[str, Any]:
        """Return its content as plain data; jobs of equal content are the same job."""

    def run(self, task: Any, folder: Path) -> JobResult:
        """Run the job. ``task`` is what all jobs of a run share, ``folder`` holds their files."""


def key_of(job: Job) -> str:
    """Return the hash of the content of a job: equal for equal jobs."""
    return digest(job.describe())


def digest(content: Any) -> str:
    """Return sixteen hexadecimal digits of plain data."""
    text = json.dumps(content, sort_keys=True)
    return blake2b(text.encode(), digest_size=8).hexdigest()


def plain_treatment(treatment: Treatment) -> Any:
    """Return a policy or an in-training method as plain data."""
    return identity_form(treatment) if isinstance(treatment, Policy) else treatment.describe()
