"""What a patch shows of the models before and after: predictions, flips, saliency, pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from automorph.data import open_test
from automorph.robustness.flip_rate import contact_rows, flip_rate, maps_of
from automorph.robustness.saliency import available
from automorph.robustness.translated import Translated
from automorph.robustness.translators.base import Translator
from automorph.training import Evaluation, Task, evaluate


@dataclass(frozen=True, eq=False)
class Evidence:
    """Predictions on the test part, its subgroups, flip rates, saliency, and the pictures."""

    seen: dict[str, Evaluation]
    subgroups: NDArray[np.int64] | None
    flips: dict[str, float | None]
    on_mark: dict[str, float | None]
    looks: dict[str, Any]


def evidence_on(
    task: Task,
    models: dict[str, nn.Module],
    translator: Translator | None,
    renderings: Translated | None,
    maps: bool | None,
) -> Evidence:
    """Evaluate the models on the test part, and change its subgroups with the translator."""
    test = open_test(task.data)
    seen = {
        name: evaluate(model, test, encoder=task.encoder, target=task.target)
        for name, model in models.items()
    }
    flips = {name: flip_rate(task, model, translator, seen[name]) for name, model in models.items()}
    looks: dict[str, Any] = {}
    if renderings is not None:
        looks["sheet"] = contact_rows(task, renderings)
    on_mark: dict[str, float | None] = dict.fromkeys(models)
    if task.data.domain == "image" and (available() if maps is None else maps):
        looks["saliency"], on_mark = maps_of(task, models, translator, seen)
    return Evidence(seen, test.subgroups, flips, on_mark, looks)
