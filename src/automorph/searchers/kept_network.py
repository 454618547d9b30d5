"""What a search leaves besides a policy: the networks of the final table, trained with it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from automorph.experiments import NETWORKS, JobResult, policy_of
from automorph.policies import save_policy
from automorph.searchers.final_seeds import ADVISED
from automorph.searchers.final_table import Control
from automorph.training import NETWORK, EnsembleRun, Task, fitted, keep_networks


def can_keep(task: object, folder: Path | None) -> bool:
    """Whether the networks of a task can be kept: those with a name, in a folder."""
    return folder is not None and isinstance(task, Task) and isinstance(task.model, str)


def keep_network(
    task: Task,
    part: str,
    controls: Mapping[str, Control],
    outcomes: Mapping[tuple[str, int], JobResult],
    folder: Path,
) -> EnsembleRun | None:
    """Keep the networks of the part of the table that is advised, and delete the others.

    None if there are none of that part, or not all: those of tables that an earlier version began.
    """
    finished = {seed: one for (name, seed), one in outcomes.items() if name == part}
    place, kept = folder / NETWORK, None
    if finished and part in ADVISED:
        control, files = controls[part], []
        for seed in finished:
            files += [one for one in control.job(seed).network_files(folder) if one.exists()][:1]
        if len(files) == len(finished) or (place / "result.json").exists():
            precision = next(iter(finished.values())).facts.get("precision", "fp32")
            kept = keep_networks(task, control.treatment, files, place, precision=precision)
            if not (place / "policy.json").exists():
                save_policy(policy_of(fitted(control.treatment, task)), place / "policy.json")
    shutil.rmtree(folder / NETWORKS, ignore_errors=True)
    return kept
