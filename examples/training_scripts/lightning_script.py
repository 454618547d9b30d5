"""A Lightning script that `automorph compare --command` and `search --command` can run."""

import argparse

import lightning.pytorch as lightning
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import automorph

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--policy", required=True)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=5, help="in total, with those of --resume")
parser.add_argument("--out", required=True)
parser.add_argument("--resume", default="", help="a checkpoint of an earlier run")
args = parser.parse_args()


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

    def on_validation_epoch_start(self):
        """Forget the losses of an earlier validation."""
        self.losses = []

    def validation_step(self, batch, number):
        """Measure accuracy, and keep the loss of each example."""
        images, labels, _ = batch
        logits = self.network(images)
        self.losses += nn.functional.cross_entropy(logits, labels, reduction="none").tolist()
        self.log("accuracy", (logits.argmax(1) == labels).float().mean())

    def configure_optimizers(self):
        """Use Adam."""
        return torch.optim.Adam(self.parameters(), lr=3e-3)


digits, labels = load_digits(return_X_y=True)
images = torch.from_numpy(digits.reshape(-1, 1, 8, 8) / 16).float()
rows = TensorDataset(images, torch.from_numpy(labels), torch.arange(len(labels)))
train, validation = torch.utils.data.Subset(rows, range(400)), rows[400:800]

lightning.seed_everything(args.seed)
trainer = lightning.Trainer(
    # Element 2 of a batch holds the example's number, so draws do not depend on batches or resumes.
    callbacks=[automorph.AugmentCallback(args.policy, seed=args.seed, index=2, classes=10)],
    max_epochs=args.epochs, accelerator="cpu", logger=False, enable_checkpointing=False,
    enable_progress_bar=False, enable_model_summary=False,
)  # fmt: skip
model = Digits()
trainer.fit(model, DataLoader(train, 64, shuffle=True), ckpt_path=args.resume or None)
trainer.save_checkpoint(f"{args.out}/last.ckpt")
result = trainer.validate(model, DataLoader(TensorDataset(*validation), 512), verbose=False)
automorph.write_result(
    args.out, metric="accuracy", validation=result[0]["accuracy"], validation_losses=model.losses,
    checkpoint="last.ckpt",
)  # fmt: skip
