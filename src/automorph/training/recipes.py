"""Default recipes, by network and amount of data."""

from __future__ import annotations

from typing import Any

from automorph.training.recipe import Recipe


def recipe_for(model: str, n: int, **changes: Any) -> Recipe:
    """Return a default recipe for a network and ``n`` training examples, with entries changed.

    Up to 5,000 examples are seen 40 times, larger sets less often (50,000: 19 times); the published
    results of Wide ResNets take 200 epochs. Small networks on texts converge sooner: 500 texts are
    seen 30 times, 2,000 texts 19 times, and so on.

    >>> recipe = recipe_for("cnn", 2000, epochs=5)
    >>> recipe.epochs, recipe.optimizer
    (5, 'sgd')
    """
    often, few = (30, 500) if model.startswith(("bag-of-words", "text-")) else (40, 5000)
    default_epochs = max(5, round(min(40, often * (few / n) ** (1 / 3))))
    if model.startswith("transformers:"):
        default_epochs = 5  # Pretrained weights need few epochs.
    epochs = changes.get("epochs") or default_epochs
    defaults: dict[str, Any] = {
        "epochs": epochs,
        "batch_size": 64 if n <= 5000 else 128,
        "warmup_epochs": min(2, epochs / 5),
    }
    if model.startswith("timm:"):
        # Transformers need warm-up, convolutional networks lose little by it; pretrained weights
        # should move less.
        rate = 2e-4 if model.endswith(":pretrained") else 1e-3
        defaults |= {"optimizer": "adamw", "lr": rate, "weight_decay": 0.05, "clip_norm": 1.0}
    elif model.startswith("transformers:"):
        defaults |= {"batch_size": 16, "optimizer": "adamw", "lr": 3e-5, "weight_decay": 0.01,
                     "clip_norm": 1.0}  # fmt: skip
    elif model.startswith(("bag-of-words", "text-", "sentence:")):
        rate = 1e-2 if model.startswith("sentence:") else 1e-3
        defaults |= {"optimizer": "adamw", "lr": rate, "weight_decay": 0.01, "clip_norm": 1.0}
    elif model.startswith("wrn") or model == "resnet18":
        defaults |= {"lr": 0.1, "weight_decay": 5e-4}
    else:
        defaults |= {"lr": 0.05, "weight_decay": 5e-4}
    return Recipe(**{**defaults, **changes})
