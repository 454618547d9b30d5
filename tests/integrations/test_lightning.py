"""Lightning: the callback and the data module in real trainings."""

from __future__ import annotations

from inspect import signature

import numpy as np
import pytest
import torch
from loader_data import pixels
from torch import nn
from torch.utils.data import DataLoader

from automorph.errors import UsageError
from automorph.integrations import AugmentCallback, Augmented, AugmentedDataModule, Collate
from automorph.policies import load_policy

L = pytest.importorskip("lightning.pytorch", reason="automorph[lightning] is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")
POLICY = "flip-crop + randaugment(n=2,m=9)"
IMAGES = torch.from_numpy(pixels(12)).permute(0, 3, 1, 2).contiguous()


class Model(L.LightningModule):
    """Record the batches."""

    def __init__(self, soft=False):
        super().__init__()
        self.layer = nn.LazyLinear(3)
        self.seen: list[torch.Tensor] = []
        self.labels: list[torch.Tensor] = []
        self.validated: list[torch.Tensor] = []

    def training_step(self, batch, number):
        images, labels = batch[0], batch[1]
        self.seen.append(images.clone())
        self.labels.append(labels.clone())
        return nn.functional.cross_entropy(self.layer(images.flatten(1).float() / 255), labels)

    def validation_step(self, batch, number):
        self.validated.append(batch[0].clone())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.01)


def loader(index=False, **options):
    rows = [
        (image, number % 3, *([number] if index else [])) for number, image in enumerate(IMAGES)
    ]
    return DataLoader(rows, batch_size=6, **options)


def trainer(tmp_path, epochs=2, **options):
    return L.Trainer(
        max_epochs=epochs, accelerator="cpu", logger=False, enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=tmp_path, **options,
    )  # fmt: skip


def test_the_callback_augments_training_batches_only(tmp_path):
    model = Model()
    callback = AugmentCallback(POLICY, seed=3, index=2)
    trainer(tmp_path, callbacks=[callback]).fit(model, loader(index=True), loader(index=True))
    seen = torch.cat(model.seen).permute(0, 2, 3, 1).numpy()
    for epoch in range(2):
        expected = load_policy(POLICY).augment(pixels(12), seed=3, epoch=epoch)
        np.testing.assert_array_equal(seen[12 * epoch : 12 * epoch + 12], expected)
    assert torch.equal(model.validated[-1], IMAGES[6:])


def test_labels_come_out_soft(tmp_path):
    model = Model()
    trainer(tmp_path, 1, callbacks=[AugmentCallback("randaugment + mixup", classes=3)]).fit(
        model, loader()
    )
    assert model.labels[0].shape == (6, 3)
    assert torch.allclose(model.labels[0].sum(1), torch.ones(6))


def test_a_resumed_training_draws_what_it_would_have_drawn(tmp_path):
    whole = Model()
    trainer(tmp_path, 3, callbacks=[AugmentCallback(POLICY)]).fit(whole, loader())
    first = Model()
    stopped = trainer(tmp_path, 2, callbacks=[AugmentCallback(POLICY)])
    stopped.fit(first, loader())
    stopped.save_checkpoint(tmp_path / "two.ckpt")
    second = Model()
    # Only newer releases of Lightning have this option.
    safe = {"weights_only": True} if "weights_only" in signature(L.Trainer.fit).parameters else {}
    trainer(tmp_path, 3, callbacks=[AugmentCallback(POLICY)]).fit(
        second, loader(), ckpt_path=tmp_path / "two.ckpt", **safe
    )
    assert torch.equal(torch.cat(second.seen), torch.cat(whole.seen)[24:])


def test_a_data_module_brings_its_own(tmp_path):
    class Photos(AugmentedDataModule, L.LightningDataModule):
        augment = AugmentCallback(POLICY, seed=1, index=2)

        def train_dataloader(self):
            return loader(index=True)

        def val_dataloader(self):
            return loader(index=True)

    model = Model()
    trainer(tmp_path).fit(model, Photos())
    seen = torch.cat(model.seen).permute(0, 2, 3, 1).numpy()
    expected = load_policy(POLICY).augment(pixels(12), seed=1, epoch=1)
    np.testing.assert_array_equal(seen[12:], expected)
    assert torch.equal(model.validated[-1], IMAGES[6:])


def test_a_hook_that_would_not_be_called_is_refused():
    with pytest.raises(UsageError, match=r"list the hook first: class Photos\(AugmentedData"):

        class Photos(L.LightningDataModule, AugmentedDataModule):
            augment = AugmentCallback(POLICY)

    class Own:
        def on_after_batch_transfer(self, batch, number):
            return super().on_after_batch_transfer(batch, number)

    class Both(Own, AugmentedDataModule, L.LightningDataModule):
        augment = AugmentCallback(POLICY)

    assert Both().setup("fit") is None


@pytest.mark.parametrize("forgets", ["setup", "nothing"])
def test_a_data_module_that_says_not_what_augments_is_refused(tmp_path, forgets):
    class Photos(AugmentedDataModule, L.LightningDataModule):
        train_dataloader = staticmethod(loader)

        if forgets == "setup":

            def setup(self, stage):
                """Does not call the method of its base class."""

    with pytest.raises(UsageError, match="got no augment in Photos; expected the callback"):
        trainer(tmp_path).fit(Model(), Photos())
    Photos.augment = "trivialaugment"
    with pytest.raises(UsageError, match="got augment='trivialaugment' in Photos"):
        trainer(tmp_path).fit(Model(), Photos())


@pytest.mark.parametrize("way", ["dataset", "collate"])
def test_the_callback_counts_epochs_of_loaders(tmp_path, way):
    rows = [(image, 0) for image in IMAGES]
    if way == "dataset":
        part = Augmented(rows, POLICY)
        data = DataLoader(part, batch_size=6)
    else:
        part = Collate(POLICY)
        data = DataLoader(rows, batch_size=6, collate_fn=part)
    trainer(tmp_path, 3, callbacks=[AugmentCallback("none")]).fit(Model(), data)
    assert part.epoch == 2


def test_batches_that_cannot_be_changed_are_refused(tmp_path):
    data = DataLoader(
        [(image, 0) for image in IMAGES], batch_size=6,
        collate_fn=lambda rows: (torch.stack([r[0] for r in rows]), torch.zeros(6).long()),
    )  # fmt: skip
    with pytest.raises(UsageError, match="got a batch of type tuple"):
        trainer(tmp_path, 1, callbacks=[AugmentCallback(POLICY)]).fit(Model(), data)


FORMS = {
    "list": (lambda *two: list(two), lambda batch: batch),
    "dict": (lambda *two: dict(zip("ab", two, strict=True)), lambda batch: batch.values()),
    "nested": (lambda *two: {"both": list(two)}, lambda batch: batch["both"]),
}


@pytest.mark.parametrize("form", FORMS)
def test_several_loaders_augment_their_data_sets(tmp_path, form):
    together, apart = FORMS[form]

    class Two(Model):
        def training_step(self, batch, number):
            left, right = apart(batch)
            self.both = torch.stack([left[0], right[0]])
            return super().training_step(left, number)

        def on_train_epoch_end(self):
            for seed, images in zip((1, 2), self.both, strict=True):
                expected = load_policy(POLICY).augment(
                    pixels(12), seed=seed, epoch=self.current_epoch
                )
                np.testing.assert_array_equal(images.permute(0, 2, 3, 1), expected)

    def run(callback):
        rows = [(image, number % 3) for number, image in enumerate(IMAGES)]
        loaders = [DataLoader(Augmented(rows, POLICY, seed=seed), 12) for seed in (1, 2)]
        model = Two()
        trainer(tmp_path, 3, callbacks=[callback]).fit(model, together(*loaders))
        assert len(model.seen) == 3

    run(AugmentCallback("none"))
    with pytest.raises(UsageError, match=r"got a \w+ of \d batches, as from several loaders"):
        run(AugmentCallback("flip-crop"))
