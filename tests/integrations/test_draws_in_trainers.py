"""No two draws of one example are alike under the loops of other libraries, resumed in mid-epoch.

As `test_no_two_draws_alike.py`, for accelerate, Lightning, the Trainer of transformers, Ray Data
and scikit-learn. The full product of samplers and workers is slow.
"""

from __future__ import annotations

import itertools
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sampler_data import (
    BATCH,
    EPOCHS,
    POLICY,
    SAMPLERS,
    Drawn,
    N,
    Row,
    check_no_two_alike,
    collated,
    key,
)
from torch import nn
from torch.utils.data import DataLoader

from automorph.integrations import Augmented, Collate, RayMap, count_repeats

pytestmark = pytest.mark.filterwarnings("ignore")


def loader(way: str, sampler: str, workers: int) -> tuple[Any, Any]:
    """Return a loader with a counted sampler, and what counts epochs in it."""
    options: dict[str, Any] = {"collate_fn": collated}
    data: Any = Row()
    if way == "collate":
        counting = options["collate_fn"] = Collate(POLICY, seed=1, index="number")
    elif way == "layer":
        counting = None
    else:
        data = counting = Augmented(data, POLICY, seed=1)
    made = DataLoader(
        data, BATCH, sampler=count_repeats(SAMPLERS[sampler]()), num_workers=workers,
        multiprocessing_context="fork" if workers else None, **options,
    )  # fmt: skip
    return made, counting


def product(ways: tuple[str, ...], *fast: tuple[str, str, int]) -> list[Any]:
    return [
        pytest.param(*case, marks=() if case in fast else pytest.mark.slow)
        for case in itertools.product(ways, SAMPLERS, range(4))
    ]


def check_resumed(whole: Drawn, plain: Drawn, rest: Drawn) -> None:
    """Check a run, the same without workers, and its rest after a stop in the second epoch."""
    check_no_two_alike(whole)
    assert whole == plain
    assert 0 < len(rest) < len(whole)
    assert rest == whole[-len(rest) :]


# accelerate


def accelerated(way: str, sampler: str, workers: int, first: int = 0, skip: int = 0) -> Drawn:
    accelerate = pytest.importorskip("accelerate")
    machine = accelerate.Accelerator(cpu=True)
    made, _ = loader(way, sampler, workers)
    prepared = machine.prepare(made)
    out: Drawn = []
    for epoch in range(first, EPOCHS):
        batches = prepared
        if epoch == first and skip:
            batches = accelerate.skip_first_batches(prepared, skip)
        batches.set_epoch(epoch)
        out += [(batch["number"].tolist(), key(batch["image"])) for batch in batches]
    return out


@pytest.mark.parametrize(
    ("way", "sampler", "workers"),
    product(("augmented", "collate"), ("augmented", "Weighted", 0), ("collate", "Repeated", 2)),
)
def test_accelerate(way: str, sampler: str, workers: int) -> None:
    run = partial(accelerated, way, sampler)
    check_resumed(run(workers), run(0), run(workers, 1, 2))


# The Trainer of transformers


def trained(
    folder: Path, way: str, sampler: str, workers: int, *, stop: int, resume: bool = False
) -> Drawn:
    transformers = pytest.importorskip("transformers")
    from automorph.integrations import EpochCallback

    made, counting = loader(way, sampler, workers)
    seen: Drawn = []

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(1, 1)

        def forward(self, image: torch.Tensor, number: torch.Tensor, label: Any = None) -> Any:
            seen.append((number.tolist(), key(image)))
            return {"loss": self.layer(number[:, None].float()).square().mean() * 0}

    class Trainer(transformers.Trainer):
        def _get_train_sampler(self, *args: Any) -> Any:
            return made.sampler

    trainer = Trainer(
        model=Model(), train_dataset=made.dataset, data_collator=made.collate_fn,
        callbacks=[EpochCallback(counting)],
        args=transformers.TrainingArguments(
            output_dir=str(folder), num_train_epochs=EPOCHS, per_device_train_batch_size=BATCH,
            remove_unused_columns=False, report_to=[], disable_tqdm=True, use_cpu=True,
            logging_strategy="no", save_strategy="steps", save_steps=stop, seed=1,
            dataloader_num_workers=workers,
        ),
    )  # fmt: skip
    trainer.train(resume_from_checkpoint=str(folder / f"checkpoint-{stop}") if resume else None)
    return seen


@pytest.mark.parametrize(
    ("way", "sampler", "workers"), product(("augmented", "collate"), ("augmented", "Weighted", 0))
)
def test_the_trainer(tmp_path: Path, way: str, sampler: str, workers: int) -> None:
    stop = -(-len(SAMPLERS[sampler]()) // BATCH) + 2
    whole = trained(tmp_path / "whole", way, sampler, workers, stop=stop)
    plain = trained(tmp_path / "plain", way, sampler, 0, stop=stop)
    rest = trained(tmp_path / "whole", way, sampler, workers, stop=stop, resume=True)
    check_resumed(whole, plain, rest)


# Lightning


def lightning(
    folder: Path, way: str, sampler: str, workers: int, *, stop: int = -1, resume: bool = False
) -> list[tuple[int, list[int], list[bytes]]]:
    """Return the epoch, the numbers and the images of every step."""
    L = pytest.importorskip("lightning.pytorch", reason="automorph[lightning] is not installed")
    from lightning.pytorch.callbacks import ModelCheckpoint

    from automorph.integrations import AugmentCallback

    made, _ = loader(way, sampler, workers)
    seen = []

    class Model(L.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(1, 1)

        def training_step(self, batch: Any, step: int) -> Any:
            numbers = batch["number"]
            seen.append((self.current_epoch, numbers.tolist(), key(batch["image"])))
            return self.layer(numbers[:, None].float()).square().mean() * 0

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.01)

    trainer = L.Trainer(
        max_epochs=EPOCHS, max_steps=stop, accelerator="cpu", logger=False,
        enable_progress_bar=False, enable_model_summary=False, default_root_dir=folder,
        callbacks=[
            AugmentCallback(POLICY if way == "layer" else "none", seed=1),
            ModelCheckpoint(
                dirpath=folder, filename="kept", enable_version_counter=False,
                every_n_train_steps=stop if stop > 0 else 1000,
            ),
        ],
    )  # fmt: skip
    trainer.fit(Model(), train_dataloaders=made, ckpt_path=folder / "kept.ckpt" if resume else None)
    return seen


@pytest.mark.parametrize(
    ("way", "sampler", "workers"),
    product(("augmented", "collate", "layer"), ("augmented", "Weighted", 0), ("layer", "Rare", 0)),
)
def test_lightning(tmp_path: Path, way: str, sampler: str, workers: int) -> None:
    whole = lightning(tmp_path, way, sampler, workers)
    check_no_two_alike([drawn for _, *drawn in whole])  # type: ignore[misc]
    assert whole == lightning(tmp_path, way, sampler, 0)
    steps = len(whole) // EPOCHS
    # At the end of an epoch, it goes on as if it never stopped.
    lightning(tmp_path, way, sampler, workers, stop=steps)
    rest = lightning(tmp_path, way, sampler, workers, resume=True)
    assert rest == whole[-len(rest) :]
    assert len(rest) == 2 * steps
    # In mid-epoch, it takes the first batches of the epoch instead of the next ones.
    lightning(tmp_path, way, sampler, workers, stop=steps + 1)
    rest = lightning(tmp_path, way, sampler, workers, resume=True)
    assert [epoch for epoch, *_ in rest] == [1] * (steps - 1) + [2] * steps
    assert rest[steps - 1 :] == whole[-steps:]
    if way == "layer":
        check_no_two_alike([drawn for _, *drawn in [*whole[: steps + 1], *rest]])  # type: ignore[misc]
    else:
        assert rest[: steps - 1] == whole[steps : 2 * steps - 1]


# Ray Data


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_ray_map(sampler: str) -> None:
    """Rows of a repeated data set are numbered; blocks and their order stand for workers."""
    order = SAMPLERS[sampler]()
    images = Row().images

    def run(epochs: range, size: int, reverse: bool = False) -> dict[Any, bytes]:
        out = {}
        for epoch in epochs:
            order.set_epoch(epoch)
            numbers = np.array(list(order))
            augment = RayMap(POLICY, index="row", epoch=epoch)
            blocks = np.split(np.arange(len(numbers)), range(size, len(numbers), size))
            for rows in blocks[::-1] if reverse else blocks:
                shown = augment({"image": images[numbers[rows]], "row": rows})["image"]
                keys = zip([epoch] * len(rows), rows.tolist(), numbers[rows].tolist(), strict=True)
                out |= dict(zip(keys, (image.tobytes() for image in shown), strict=True))
        return out

    whole = run(range(EPOCHS), BATCH)
    check_no_two_alike([([number], [image]) for (*_, number), image in whole.items()])
    assert whole == run(range(EPOCHS), 2, reverse=True)
    assert run(range(1, EPOCHS), 3).items() < whole.items()


# scikit-learn


@pytest.mark.parametrize("jobs", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_scikit_learn(jobs: int) -> None:
    """Copies differ within a fit; folds are the same for any number of jobs."""
    from sklearn.model_selection import cross_validate
    from sklearn.neighbors import KNeighborsClassifier

    from automorph.integrations import AugmentedClassifier

    model = AugmentedClassifier(KNeighborsClassifier(1), POLICY, copies=4, random_state=1)
    images, labels = Row().images, np.arange(N) % 2

    def folds(jobs: int) -> list[Any]:
        fits = cross_validate(model, images, labels, cv=3, n_jobs=jobs, return_estimator=True)
        return [fit.estimator_._fit_X for fit in fits["estimator"]]

    for ours, others in zip(folds(jobs), folds(1), strict=True):
        np.testing.assert_array_equal(ours, others)
        times = Counter(row.tobytes() for row in ours)
        assert len(times) == len(ours) == 5 * N * 2 // 3
