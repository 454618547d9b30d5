"""A task whose trainings take a tenth of a second."""

from __future__ import annotations

import numpy as np
import torch

from automorph.data import limited, load_data, split
from automorph.training import Recipe, Task, make_task

torch.set_num_threads(1)
WHOLE = split(load_data("digits"), validation=0.2, test=0.2, seed=0)


def small_task(epochs: int = 2, n: int = 60) -> Task:
    held = WHOLE.parts["validation"].take(np.arange(60))
    data = limited(WHOLE, n).replace(validation=held)
    recipe = Recipe(epochs=epochs, batch_size=20, lr=0.05, precision="fp32")
    return make_task(data, model="cnn:4", recipe=recipe)
