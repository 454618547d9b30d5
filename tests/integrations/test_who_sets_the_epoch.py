"""Who sets the epoch: every trainer, and loops in which nobody does; see docs/how-to/epochs.md."""

from __future__ import annotations

import time
from functools import partial

import numpy as np
import pytest
import torch
from loader_data import Labelled, image_as, pixels
from torch import nn
from torch.utils.data import BatchSampler, ConcatDataset, DataLoader, Subset, TensorDataset

from automorph.integrations import Augmented, Collate, OnDevice, count_repeats
from automorph.integrations.huggingface import transform
from automorph.policies import load_policy

POLICY = "flip-crop + randaugment(n=2,m=9)"
N = 24
LAST = pytest.mark.filterwarnings(
    "ignore:.*fork.*:DeprecationWarning", "ignore:This DataLoader will create"
)


def drawn(index, epoch, *, seed=0):
    """What the policy makes of some examples in an epoch."""
    images = load_policy(POLICY).augment(pixels(N)[index], seed=seed, epoch=epoch, index=index)
    return torch.from_numpy(images).permute(0, 3, 1, 2)


class Indexed(Labelled):
    """``(image, number)``."""

    def __getitem__(self, number):
        return super().__getitem__(number)[0], int(number)


def wrong(batches, epoch):
    """The images that are not drawn as those of their epoch."""
    return sum(
        (images != drawn(numbers.numpy(), epoch)).flatten(1).any(1).sum().item()
        for images, numbers in batches
    )


# Plain loops


def augmented():
    return DataLoader(Augmented(Labelled(), POLICY), 4, shuffle=True)


def collated():
    return DataLoader(Labelled(), 4, collate_fn=Collate(POLICY))


def transformed():
    datasets = pytest.importorskip("datasets")
    data = datasets.Dataset.from_dict({"image": [image_as("pil", one) for one in pixels(N)]})
    data = data.cast_column("image", datasets.Image()).with_transform(transform(POLICY))
    return DataLoader(data, 4, collate_fn=len)


def on_the_device():
    layer = OnDevice(POLICY)
    images = torch.from_numpy(pixels(N)).permute(0, 3, 1, 2)
    return (layer(images[rows], index=rows) for rows in torch.arange(2 * N).split(4) for rows in
            [rows % N])  # fmt: skip


@pytest.mark.parametrize("make", [augmented, collated, transformed])
def test_the_second_identical_pass_warns(make):
    loader = make()
    list(loader)
    with pytest.warns(UserWarning, match="identically.*call set_epoch") as told:
        list(loader)
    assert len(told) == 1


def test_the_second_identical_pass_of_a_layer_warns():
    batches = on_the_device()
    for _ in range(N // 4):
        next(batches)
    with pytest.warns(UserWarning, match="identically.*call set_epoch"):
        list(batches)
    layer = OnDevice(POLICY)
    shown = [layer(torch.zeros(2, 3, 8, 8)) for _ in range(5)]
    assert len(shown) == 5


@LAST
@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("collate", [False, True])
@pytest.mark.slow
def test_workers_warn_as_well(persistent, collate):
    part = {"collate_fn": Collate(POLICY)} if collate else {}
    data = Labelled() if collate else Augmented(Labelled(), POLICY)
    loader = DataLoader(
        data, 4, num_workers=2, persistent_workers=persistent, multiprocessing_context="fork",
        **part,
    )  # fmt: skip
    list(loader)
    with pytest.raises(UserWarning, match="call set_epoch"):  # It is an error in these tests.
        list(loader)


@LAST
@pytest.mark.parametrize("workers", [0, 2])
def test_who_looks_first_or_breaks_off_is_not_warned(workers):
    data = Augmented(Labelled(), POLICY)
    loader = DataLoader(
        data, 4, num_workers=workers, persistent_workers=workers > 0,
        multiprocessing_context="fork" if workers else None,
    )  # fmt: skip
    next(iter(loader))
    for epoch in range(4):
        data.set_epoch(epoch)
        assert len(list(loader)) == 6
        data.set_epoch(epoch + 100)
        next(iter(loader))


class Slow(Labelled):
    """Takes time to load, as on a busy machine."""

    def __getitem__(self, number):
        time.sleep(0.05)
        return super().__getitem__(number)


def late(worker):
    """Let the second worker begin when the first pass is already broken off."""
    time.sleep(0.8 * worker)


@LAST
def test_a_worker_that_begins_after_its_pass_was_broken_off_warns_of_nothing():
    data = Augmented(Slow(), POLICY)
    loader = DataLoader(
        data, 4, num_workers=2, persistent_workers=True, multiprocessing_context="fork",
        worker_init_fn=late,
    )  # fmt: skip
    next(iter(loader))
    for epoch in range(2):
        data.set_epoch(epoch)
        assert len(list(loader)) == 6


def test_a_loop_over_the_data_set_itself_warns():
    data = Augmented(Labelled(), POLICY)
    list(data)
    with pytest.warns(UserWarning, match="call set_epoch"):
        list(data)


def with_a_transform():
    datasets = pytest.importorskip("datasets")
    data = datasets.Dataset.from_dict({"image": [image_as("pil", one) for one in pixels(N)]})
    return data.cast_column("image", datasets.Image()).with_transform(transform(POLICY))


@pytest.mark.parametrize("inside", [
    lambda: Augmented(Labelled(), POLICY),
    lambda: Subset(Augmented(Labelled(), POLICY), range(N)),
    lambda: ConcatDataset([Augmented(Labelled(N // 2), POLICY, seed=seed) for seed in (0, 1)]),
    with_a_transform,
], ids=["augmented", "subset", "concatenated", "transform"])  # fmt: skip
def test_what_is_inside_is_told_the_epoch(inside):
    data = Augmented(inside(), "none")
    passes = []
    for epoch in range(3):
        data.set_epoch(epoch)
        passes.append([shown(data[i]) for i in range(N)])
    assert all(len(set(draws)) > 1 for draws in zip(*passes, strict=True))


def shown(row):
    return np.asarray(row["image"] if isinstance(row, dict) else row[0]).tobytes()


# accelerate


def prepared(loader):
    accelerate = pytest.importorskip("accelerate")
    return accelerate.Accelerator(cpu=True).prepare(loader)


def test_accelerate_counts_passes_that_end():
    loader = prepared(DataLoader(Augmented(Indexed(), POLICY), 4, shuffle=True))
    for epoch in range(3):
        assert wrong(loader, epoch) == 0


def test_accelerate_takes_passes_that_are_broken_off_for_one_epoch():
    loader = prepared(DataLoader(Augmented(Indexed(), POLICY), 4))
    for _ in range(2):
        next(iter(loader))
    with pytest.warns(UserWarning, match="3 times in epoch 0.*call set_epoch"):
        next(iter(loader))
    loader = prepared(DataLoader(Augmented(Indexed(), POLICY), 4))
    for epoch in range(4):
        loader.set_epoch(epoch)
        assert wrong([next(iter(loader))], epoch) == 0


def test_accelerate_with_counted_passes():
    loader = prepared(DataLoader(Augmented(Indexed(), POLICY), 4, sampler=count_repeats(range(N))))
    shown = [next(iter(loader))[0].numpy().tobytes() for _ in range(4)]
    assert len(set(shown)) == 4
    loader.set_epoch(7)
    assert wrong(loader, 7) == 0


@pytest.mark.parametrize("rank", [0, 1])
def test_accelerate_with_two_processes_sets_the_sampler(rank):
    """There it sets the sampler alone, if that counts epochs (as shuffled ones do)."""
    parts = pytest.importorskip("accelerate.data_loader")

    def shard(sampler):
        data = Augmented(Indexed(), POLICY)
        batches = parts.BatchSamplerShard(BatchSampler(sampler, 4, False), 2, rank)
        return data, parts.DataLoaderShard(data, batch_sampler=batches)

    data, loader = shard(parts.SeedableRandomSampler(range(N)))
    list(loader), list(loader)
    assert data.epoch == 0  # If this fails, accelerate was mended: say so in the documentation.
    data, loader = shard(count_repeats(parts.SeedableRandomSampler(range(N))))
    for epoch in range(3):
        batches = list(loader)
        assert sum(len(numbers) for _, numbers in batches) == N // 2
        assert wrong(batches, epoch) == 0


def test_accelerate_resumes_in_mid_epoch():
    accelerate = pytest.importorskip("accelerate")
    data = Augmented(Indexed(), POLICY)
    sampler = count_repeats([*range(N), *range(N)])
    whole = prepared(DataLoader(data, 4, sampler=sampler))
    whole.set_epoch(3)
    expected = list(whole)[5:]
    again = prepared(DataLoader(data, 4, sampler=count_repeats([*range(N), *range(N)])))
    rest = accelerate.skip_first_batches(again, 5)
    rest.set_epoch(3)
    for (images, numbers), (wanted, numbered) in zip(rest, expected, strict=True):
        assert torch.equal(numbers, numbered)
        assert torch.equal(images, wanted)


# Lightning


def lightning(tmp_path, *, data, epochs, steps=-1, callbacks=(), resume=None, save=None):
    """Train; return the epoch, numbers and images of every step."""
    L = pytest.importorskip("lightning.pytorch", reason="automorph[lightning] is not installed")
    from lightning.pytorch.callbacks import ModelCheckpoint

    class Model(L.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer, self.seen = nn.Linear(360, 3), []

        def training_step(self, batch, number):
            images, numbers = batch
            self.seen.append((self.current_epoch, numbers.clone(), images.clone()))
            return self.layer(images.flatten(1).float() / 255).square().mean()

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.01)

    model = Model()
    saving = [] if save is None else [
        ModelCheckpoint(dirpath=tmp_path, filename="kept", every_n_train_steps=save)
    ]  # fmt: skip
    trainer = L.Trainer(
        max_epochs=epochs, max_steps=steps, accelerator="cpu", logger=False,
        enable_progress_bar=False, enable_model_summary=False, default_root_dir=tmp_path,
        enable_checkpointing=bool(saving), callbacks=[*callbacks, *saving],
    )  # fmt: skip
    given = {"datamodule": data} if isinstance(data, L.LightningDataModule) else {
        "train_dataloaders": data
    }  # fmt: skip
    trainer.fit(model, **given, ckpt_path=resume)
    return model.seen


IMAGES = torch.from_numpy(pixels(N)).permute(0, 3, 1, 2).contiguous()
ROWS = TensorDataset(IMAGES, torch.arange(N))
quiet = pytest.mark.filterwarnings("ignore")


def callback(policy=POLICY, **options):
    pytest.importorskip("lightning.pytorch", reason="automorph[lightning] is not installed")
    from automorph.integrations import AugmentCallback

    return AugmentCallback(policy, **options)


@quiet
@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize("module", [False, True])
def test_lightning_resumes_in_mid_epoch(tmp_path, indexed, module):
    index = 1 if indexed else None
    if module:
        L = pytest.importorskip("lightning.pytorch")
        from automorph.integrations import AugmentedDataModule

        class Data(AugmentedDataModule, L.LightningDataModule):
            def __init__(self):
                super().__init__()
                self.augment = callback(index=index)

            def train_dataloader(self):
                return DataLoader(ROWS, 4)

        make, callbacks = Data, tuple
    else:
        make, callbacks = partial(DataLoader, ROWS, 4), lambda: [callback(index=index)]
    lightning(tmp_path, data=make(), epochs=-1, steps=8, save=8, callbacks=callbacks())
    seen = lightning(
        tmp_path, data=make(), epochs=3, callbacks=callbacks(), resume=tmp_path / "kept.ckpt"
    )
    assert [epoch for epoch, *_ in seen] == [1] * 4 + [2] * 6
    counted = [*range(8, N, 4), *range(0, N, 4)]
    for (epoch, numbers, images), first in zip(seen, counted, strict=True):
        under = numbers if indexed else torch.arange(first, first + 4)
        expected = load_policy(POLICY).augment(IMAGES[numbers], epoch=epoch, index=under)
        assert torch.equal(images, expected)


@quiet
@pytest.mark.parametrize(
    ("way", "workers"),
    [
        ("dataset", 2),
        ("inside", 0),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in (
                ("dataset", 0),
                ("inside", 2),
                ("collate", 0),
                ("collate", 2),
                ("sampler", 0),
                ("sampler", 2),
            )
        ),
    ],
)
def test_lightning_resumes_what_its_loaders_augment(tmp_path, way, workers):
    def make():
        data, options = Augmented(Indexed(), POLICY), {}
        if way == "inside":
            halves = [Subset(data, range(N // 2)), Subset(data, range(N // 2, N))]
            data = ConcatDataset(halves)
        elif way == "collate":
            data, options = Indexed(), {"collate_fn": Collate(POLICY, index=1)}
        elif way == "sampler":
            options = {"sampler": count_repeats(range(N))}
        return DataLoader(
            data, 4, num_workers=workers, persistent_workers=workers > 0,
            multiprocessing_context="fork" if workers else None, **options,
        )  # fmt: skip

    none = [callback("none")]
    lightning(tmp_path, data=make(), epochs=-1, steps=8, save=8, callbacks=none)
    seen = lightning(
        tmp_path, data=make(), epochs=3, callbacks=[callback("none")], resume=tmp_path / "kept.ckpt"
    )
    assert [epoch for epoch, *_ in seen] == [1] * 4 + [2] * 6
    for epoch, numbers, images in seen:
        assert wrong([(images, numbers)], epoch) == 0


@quiet
def test_lightning_sets_counted_samplers_by_itself(tmp_path):
    data = Augmented(Indexed(), POLICY)
    loader = DataLoader(data, 4, sampler=count_repeats(range(N)))
    for epoch, numbers, images in lightning(tmp_path, data=loader, epochs=3):
        assert wrong([(images, numbers)], epoch) == 0
    assert data.epoch == 0


@quiet
def test_lightning_alone_sets_no_data_set(tmp_path):
    loader = DataLoader(Augmented(Indexed(), POLICY), 4)
    with pytest.warns(UserWarning, match="call set_epoch"):
        lightning(tmp_path, data=loader, epochs=2)


@quiet
def test_two_callbacks_keep_their_counts_apart(tmp_path):
    callbacks = [callback("crop"), callback("cutout(4)")]
    lightning(tmp_path, data=DataLoader(ROWS, 4), epochs=1, save=2, callbacks=callbacks)
    kept = torch.load(tmp_path / "kept.ckpt", weights_only=True)["callbacks"]
    assert len([key for key in kept if key.startswith("AugmentCallback")]) == 2


# The Trainer of transformers


def trained(tmp_path, data, *, epochs, callbacks=(), resume=None, sampler=None, **options):
    """Train; return the numbers and images of every step."""
    transformers = pytest.importorskip("transformers")
    seen = []

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(360, 3)

        def forward(self, image, number):
            seen.append((number.clone(), image.clone()))
            return {"loss": self.layer(image.flatten(1).float() / 255).square().mean()}

    class Trainer(transformers.Trainer):
        if sampler is not None:

            def _get_train_sampler(self, *args):
                return sampler()

    trainer = Trainer(
        model=Model(), train_dataset=data, callbacks=[*callbacks],
        args=transformers.TrainingArguments(
            output_dir=str(tmp_path), num_train_epochs=epochs, per_device_train_batch_size=4,
            remove_unused_columns=False, report_to=[], disable_tqdm=True, use_cpu=True,
            logging_strategy="no", save_strategy="steps", save_steps=8, seed=1, **options,
        ),
    )  # fmt: skip
    trainer.train(resume_from_checkpoint=resume)
    return seen


class Rows(Labelled):
    def __getitem__(self, number):
        return {"image": super().__getitem__(number)[0], "number": int(number)}


@quiet
def test_the_trainer_resumes_in_mid_epoch(tmp_path):
    from automorph.integrations import EpochCallback

    def run(**options):
        data = Augmented(Rows(), POLICY)
        return trained(tmp_path, data, epochs=3, callbacks=[EpochCallback(data)], **options)

    whole = run()
    assert (
        sum(wrong([(image, number)], step // 6) for step, (number, image) in enumerate(whole)) == 0
    )
    rest = run(resume=str(tmp_path / "checkpoint-8"))
    for (number, image), (numbered, wanted) in zip(rest, whole[8:], strict=True):
        assert torch.equal(number, numbered)
        assert torch.equal(image, wanted)


@pytest.mark.slow
@quiet
def test_the_trainer_without_a_callback_forgets_the_epoch_when_it_resumes(tmp_path):
    trained(tmp_path, Augmented(Rows(), POLICY), epochs=2)
    data = Augmented(Rows(), POLICY)
    rest = trained(tmp_path, data, epochs=2, resume=str(tmp_path / "checkpoint-8"))
    # If this fails, accelerate was mended: say so in the documentation.
    assert sum(wrong([(image, number)], 0) for number, image in rest) == 0


@pytest.mark.slow
@quiet
def test_the_trainer_with_a_counted_sampler(tmp_path):
    def repeating():
        return count_repeats([0, *range(N), 0])

    whole = trained(tmp_path, Augmented(Rows(), POLICY), epochs=2, sampler=repeating)
    images = torch.cat([image for _, image in whole]).flatten(1)
    numbers = torch.cat([number for number, _ in whole])
    assert len(torch.unique(images[numbers == 0], dim=0)) == 6
    rest = trained(
        tmp_path, Augmented(Rows(), POLICY), epochs=2, sampler=repeating,
        resume=str(tmp_path / "checkpoint-8"),
    )  # fmt: skip
    assert torch.equal(torch.cat([image for _, image in rest]).flatten(1), images[30:])
