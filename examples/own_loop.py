"""A training loop of your own: a policy before every step, with mixed labels."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

import automorph

EPOCHS, BATCH = 25, 64

digits, labels = load_digits(return_X_y=True)
images = (digits.reshape(-1, 8, 8, 1) / 16 * 255).astype(np.uint8)
train, test = np.arange(400), np.arange(1000, len(images))
soft = np.eye(10, dtype=np.float32)[labels]


def as_input(batch):
    """Convert uint8 (n, H, W, C) to network input."""
    return torch.from_numpy(batch).permute(0, 3, 1, 2).float() / 255 - 0.5


policy = automorph.load_policy("crop + randaugment(n=1,m=5) + mixup(alpha=0.2)")
torch.manual_seed(0)
model = nn.Sequential(
    nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 10)
)
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)

for epoch in range(EPOCHS):
    order = np.random.default_rng(epoch).permutation(train)
    for index in np.array_split(order, len(order) // BATCH):
        # The draw depends only on seed, epoch and index: resume anywhere, with any batch size.
        batch, mixed = policy.augment(
            images[index], labels=soft[index], seed=0, epoch=epoch, index=index
        )
        loss = nn.functional.cross_entropy(model(as_input(batch)), torch.from_numpy(mixed))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

with torch.no_grad():
    right = (model(as_input(images[test])).argmax(1).numpy() == labels[test]).mean()
print(f"{right:.1%} of {len(test)} test digits right, after {len(train)} labelled ones")
