"""Lightning: a callback augments training batches on the device."""

import lightning.pytorch as lightning
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from automorph import AugmentCallback

digits, labels = load_digits(return_X_y=True)
images = torch.from_numpy(digits.reshape(-1, 1, 8, 8) / 16).float()
rows = TensorDataset(images, torch.from_numpy(labels), torch.arange(len(labels)))
train, test = torch.utils.data.random_split(rows, [400, len(rows) - 400], torch.Generator())


class Digits(lightning.LightningModule):
    """A small network."""

    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(2048, 10)
        )

    def training_step(self, batch, number):
        """Train on augmented images."""
        images, labels, _ = batch
        return nn.functional.cross_entropy(self.network(images), labels)

    def test_step(self, batch, number):
        """Measure accuracy; test images are never augmented."""
        images, labels, _ = batch
        right = (self.network(images).argmax(1) == labels).float().mean()
        self.log("accuracy", right, prog_bar=True)

    def configure_optimizers(self):
        """Use Adam."""
        return torch.optim.Adam(self.parameters(), lr=3e-3)


# Element 2 of a batch holds the example indices, so results do not depend on batching.
augment = AugmentCallback("crop + randaugment(n=1,m=5)", index=2)
lightning.seed_everything(0)
trainer = lightning.Trainer(
    max_epochs=5, callbacks=[augment], accelerator="cpu", logger=False,
    enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
)  # fmt: skip
model = Digits()
trainer.fit(model, DataLoader(train, batch_size=64, shuffle=True))
trainer.test(model, DataLoader(test, batch_size=512))
