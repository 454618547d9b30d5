"""Hugging Face: set_transform on a data set, and the Trainer of transformers."""

import tempfile

import numpy as np
import torch
from datasets import Dataset
from sklearn.datasets import load_digits
from torch import nn
from transformers import Trainer, TrainingArguments

from automorph.integrations import EpochCallback
from automorph.integrations.huggingface import transform

digits, labels = load_digits(return_X_y=True)
rows = {
    "image": digits.reshape(-1, 8, 8) / 16 * 255,
    "number": np.arange(len(labels)),
    "labels": labels,
}
data = Dataset.from_dict(rows)
train, test = data.select(range(400)), data.select(range(1000, len(labels)))

augment = transform("crop + randaugment(n=1,m=5)", image="image", index="number")


def decoded(batch):
    """Convert numbers to images (a data set with an Image column does not need this step)."""
    return {**batch, "image": [np.array(image, np.uint8) for image in batch["image"]]}


def as_inputs(batch):
    """Convert images to network input."""
    images = [torch.from_numpy(np.array(image)).float()[None] / 255 for image in batch["image"]]
    return {"images": images, "labels": batch["labels"]}


# Runs whenever examples are read; dataset.map would store one augmented copy for good.
train.set_transform(lambda batch: as_inputs(augment(decoded(batch))))
test.set_transform(lambda batch: as_inputs(decoded(batch)))


class Digits(nn.Module):
    """A small network with the signature that the Trainer expects."""

    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(2048, 10)
        )

    def forward(self, images, labels):
        """Return loss and scores."""
        logits = self.network(images)
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


def accuracy(out):
    """The share of correct answers."""
    return {"accuracy": (out.predictions.argmax(1) == out.label_ids).mean()}


torch.manual_seed(0)
with tempfile.TemporaryDirectory() as folder:
    trainer = Trainer(
        Digits(),
        TrainingArguments(
            output_dir=folder, num_train_epochs=5, per_device_train_batch_size=64,
            per_device_eval_batch_size=512, learning_rate=3e-3, remove_unused_columns=False,
            report_to=[], save_strategy="no", logging_strategy="no", disable_tqdm=True,
            use_cpu=True,
        ),
        train_dataset=train,
        eval_dataset=test,
        callbacks=[EpochCallback(augment)],
        compute_metrics=accuracy,
    )  # fmt: skip
    trainer.train()
    print(trainer.evaluate())
