"""Networks of one policy under several seeds, kept as one run: their ensemble, or the best."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from automorph.data import open_part
from automorph.files import folder_lock
from automorph.models import Ensemble
from automorph.training.augmenter import as_augmenter
from automorph.training.base import on_device
from automorph.training.batch import Encoder, Units
from automorph.training.checkpoint import read_facts
from automorph.training.corpus import fitted
from automorph.training.device import Machine, find_machine, repeatable
from automorph.training.evaluation import Evaluation, evaluate
from automorph.training.judging import by_thresholds, judge
from automorph.training.load_model import load_trained, trained_facts
from automorph.training.precision import Chosen
from automorph.training.result import RunResult
from automorph.training.run_dir import RunFolder
from automorph.training.task import Task
from automorph.training.task_record import run_identity


@dataclass(frozen=True)
class EnsembleRun:
    """A run folder, how many networks it averages, and its result; ``losses`` chose.

    ``losses`` on the validation part: of the ensemble, and of the best single network.
    """

    folder: Path
    members: int
    result: RunResult
    losses: tuple[float, float]

    @property
    def words(self) -> str:
        """What was kept, and why."""
        both, best = (f"{loss:.3f}" for loss in self.losses)
        if self.members > 1:
            return (
                f"{self.members} networks, whose probabilities are averaged (validation loss "
                f"{both}; the best one alone has {best})"
            )
        return f"the best of the networks (validation loss {best}; their average has {both})"


def keep_networks(
    task: Task,
    augmenter: Any,
    files: Sequence[Path],
    folder: str | os.PathLike[str],
    *,
    precision: Chosen = "fp32",
) -> EnsembleRun:
    """Keep trained networks as the run ``folder``: their ensemble, or the best single one.

    ``files`` are weights of `train`, of one policy under several seeds. The ensemble is kept if its
    loss on the validation part is not above that of the best network; the test part is used once,
    for what is kept. A finished folder is read. Weights are not averaged: networks that began from
    different weights have no common ones.
    """
    store = RunFolder(folder)
    with folder_lock(store.path):
        if (result := store.result()) is not None:
            facts = read_facts(store.model_path)
            best, both = facts["validation_losses"]
            return EnsembleRun(store.path, facts.get("members") or 1, result, (both, best))
        machine = Machine(find_machine("auto").device)
        loaded = [load_trained(file) for file in files]
        networks = [on_device(one.model, machine) for one in loaded]
        encoder = loaded[0].encoder or task.encoder
        seen = partial(_seen, task, encoder=encoder, precision=precision, machine=machine)
        with repeatable(machine):
            single = [seen("validation", one) for one in networks]
            best = int(np.argmin([one.loss for one in single]))
            whole = Ensemble(networks, task.data.target)
            averaged = seen("validation", whole)
            members = len(networks) if averaged.loss <= single[best].loss else 1
            model = whole if members > 1 else networks[best]
            parts = {"validation": averaged if members > 1 else single[best]}
            parts["test"] = seen("test", model)
        judged = judge(task, parts)
        parts = by_thresholds(parts, judged.thresholds, task)
        losses = averaged.loss, single[best].loss
        result = RunResult(
            accuracy={part: one.accuracy for part, one in parts.items()},
            loss={part: one.loss for part, one in parts.items()},
            curves=(), chosen=0, selection="last", finished=True, units=Units(), seconds=0.0,
            seed=0 if members > 1 else best, precision=precision, model=model,
            predictions={part: one.predictions for part, one in parts.items()},
            metrics=judged.metrics, thresholds=judged.thresholds,
        )  # fmt: skip
        seeds = list(range(len(files))) if members > 1 else best
        identity = run_identity(task, as_augmenter(fitted(augmenter, task)).describe(), seeds)
        store.open(identity, {"precision": precision}, notes=task.data.notes)
        store.finish(
            result,
            model.state_dict(),
            {
                **trained_facts(task, result.thresholds),
                **({"members": members} if members > 1 else {}),
                "validation_losses": [losses[1], losses[0]],
            },
        )
        return EnsembleRun(
            store.path, members, replace(result, checkpoint=store.model_path), losses
        )


def _seen(
    task: Task,
    part: str,
    model: nn.Module,
    *,
    encoder: Encoder,
    precision: Chosen,
    machine: Machine,
) -> Evaluation:
    return evaluate(
        model, open_part(task.data, part), encoder=encoder, precision=precision, machine=machine,
        target=task.target, scorer=task.judged_by,
    )  # fmt: skip
