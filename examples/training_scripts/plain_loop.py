"""A plain PyTorch loop that `automorph compare --command` and `search --command` can run.

Data are the digits of scikit-learn or, with --data, a .npz file with the arrays train_images,
train_labels, validation_images, .. and test_labels; images are uint8 (n, H, W, C).
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

import automorph

PARTS = ("train", "validation", "test")


class Part(Dataset):
    """Images uint8 (C, H, W), their classes and their numbers."""

    def __init__(self, images, labels):
        self.images = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
        self.labels = torch.from_numpy(labels).long()

    def __len__(self):
        return len(self.images)

    def __getitem__(self, number):
        return self.images[number], self.labels[number], number


def read(path):
    """Return the three parts of the data."""
    if path:
        with np.load(path) as arrays:
            return [Part(arrays[f"{part}_images"], arrays[f"{part}_labels"]) for part in PARTS]
    from sklearn.datasets import load_digits

    digits, labels = load_digits(return_X_y=True)
    images = (digits.reshape(-1, 8, 8, 1) / 16 * 255).astype(np.uint8)
    cut = np.split(np.arange(len(images)), [400, 800])
    return [Part(images[rows], labels[rows]) for rows in cut]


def network(channels, classes):
    """Return a small convolutional network."""

    def block(before, after):
        return [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]

    return nn.Sequential(
        *block(channels, 16), nn.MaxPool2d(2), *block(16, 32), nn.MaxPool2d(2), *block(32, 64),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(256, classes),
    )  # fmt: skip


def evaluate(model, part):
    """Return the accuracy, and the loss of each example."""
    model.eval()
    with torch.no_grad():
        logits = torch.cat([model(x.float() / 255 - 0.5) for x, _, _ in DataLoader(part, 512)])
    losses = nn.functional.cross_entropy(logits, part.labels, reduction="none")
    return (logits.argmax(1) == part.labels).float().mean(), losses


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--policy", required=True)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=10, help="in total, with those of --resume")
parser.add_argument("--out", type=Path, required=True)
parser.add_argument("--resume", default="", help="a checkpoint of an earlier run")
parser.add_argument("--data", default="")
parser.add_argument("--workers", type=int, default=0)
args = parser.parse_args()

torch.manual_seed(args.seed)
train, validation, test = read(args.data)
classes = int(train.labels.max()) + 1
# Element 2 of a sample is its number, so draws depend on nothing but seed, epoch and example.
augment = automorph.Collate(args.policy, seed=args.seed, index=2, classes=classes)
model = network(train.images.shape[1], classes)
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
order = torch.Generator()
loader = DataLoader(
    train, 64, shuffle=True, drop_last=True, generator=order, num_workers=args.workers,
    collate_fn=augment,
)  # fmt: skip

first = 0
if args.resume:
    saved = torch.load(args.resume, weights_only=True)
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    first = saved["epochs"]

for epoch in range(first, args.epochs):
    augment.set_epoch(epoch)
    order.manual_seed(1000 * args.seed + epoch)  # so that a resumed training sees the same order
    model.train()
    for x, y, _ in loader:
        loss = nn.functional.cross_entropy(model(x.float() / 255 - 0.5), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch + 1}: loss {loss.item():.3f}", flush=True)

state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epochs": args.epochs}
torch.save(state, args.out / "last.pt")
accuracy, losses = evaluate(model, validation)
automorph.write_result(
    args.out, metric="accuracy", validation=accuracy, test=evaluate(model, test)[0],
    validation_losses=losses, passes=args.epochs - first, checkpoint="last.pt",
)  # fmt: skip
