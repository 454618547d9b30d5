"""The default recipes: one table by network, and the tables of earlier versions.

A run folder that was begun with the defaults of an earlier version keeps them (`run_defaults.py`),
and anybody can ask for them by the name of the version.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from automorph.errors import UsageError
from automorph.registry import unknown
from automorph.training.recipe import Recipe

LATEST = "0.2"
ENTRIES = ("defaults",)
"""What `recipe_for` takes besides the entries of a `Recipe`."""


def family_of(model: str) -> str:
    """Return the row of the table for a network.

    >>> family_of("resnet9:16"), family_of("timm:resnet18:pretrained"), family_of("text-cnn")
    ('small', 'timm-pretrained', 'text')
    """
    head = model.partition(":")[0]
    if head == "features":
        return "frozen"
    if head == "timm":
        return "timm-pretrained" if model.endswith(":pretrained") else "timm"
    if head in ("transformers", "sentence"):
        return head
    if head == "bag-of-words" or head.startswith("text-"):
        return "text"
    return "wide" if head.startswith("wrn") or head == "resnet18" else "small"


def check_defaults(version: str) -> None:
    """Raise ``UsageError`` for a version without a table of its own."""
    if version not in TABLES:
        raise UsageError(unknown("version", version, list(TABLES), where="of the default recipes"))


def recipe_for(model: str, n: int, *, defaults: str = LATEST, **changes: Any) -> Recipe:
    """Return a default recipe for a network and ``n`` training examples, with entries changed.

    ``epochs="auto"`` ends the training when it has converged (the default of networks trained from
    scratch), with the table's epochs as the most that it may take; a number is the number of
    epochs. ``defaults`` is the version whose table is used. Raises `UsageError` for an unknown one.

    >>> recipe = recipe_for("cnn", 2000, epochs=5)
    >>> recipe.epochs, recipe.optimizer, recipe.stop
    (5, 'muon', 'epochs')
    """
    check_defaults(defaults)
    if family_of(model) == "frozen":
        return Recipe(**_frozen(model, n, changes))
    if changes.get("optimizer") == "lbfgs":
        raise UsageError(
            f"got the optimizer 'lbfgs' for the model {model!r}; expected a model on frozen "
            "features, such as features:timm:NAME: choose sgd, adamw or muon"
        )
    table = TABLES[defaults]
    auto = changes.get("epochs") == "auto"
    if auto:
        changes = {name: value for name, value in changes.items() if name != "epochs"}
    entries = table(family_of(model), n, changes.get("epochs"))
    if changes.get("optimizer", "muon") != "muon":
        # The other entries of the later tables fit Muon; those of 0.1 fit the other optimisers.
        entries = _version_0_1(family_of(model), n, changes.get("epochs"))
    if "epochs" in changes:
        entries["stop"] = "epochs"
    elif auto:
        entries |= {"schedule": "stable", "stop": "converged"}
    if entries.get("stop") == "converged" and changes.get("schedule", "stable") != "stable":
        entries["stop"] = "epochs"  # The other schedules have no phase that could end.
    return Recipe(**{**entries, **changes})


def _version_0_1(family: str, n: int, epochs: int | None) -> dict[str, Any]:
    """Up to 5,000 examples are seen 40 times, larger sets less often (50,000: 19 times).

    Small networks on texts converge sooner: 500 texts are seen 30 times, 2,000 texts 19 times.
    """
    often, few = (30, 500) if family == "text" else (40, 5000)
    default = max(5, round(min(40, often * (few / n) ** (1 / 3))))
    if family == "transformers":
        default = 5  # Pretrained weights need few epochs.
    epochs = epochs or default
    entries: dict[str, Any] = {
        "epochs": epochs,
        "batch_size": 64 if n <= 5000 else 128,
        "warmup_epochs": min(2, epochs / 5),
    }
    return (
        entries
        | {
            # Transformers need warm-up, convolutional networks lose little by it; pretrained
            # weights should move less.
            "timm": _adamw(lr=1e-3, weight_decay=0.05),
            "timm-pretrained": _adamw(lr=2e-4, weight_decay=0.05),
            "transformers": _adamw(lr=3e-5, weight_decay=0.01) | {"batch_size": 16},
            "text": _adamw(lr=1e-3, weight_decay=0.01),
            "sentence": _adamw(lr=1e-2, weight_decay=0.01),
            "wide": {"lr": 0.1, "weight_decay": 5e-4},
            "small": {"lr": 0.05, "weight_decay": 5e-4},
        }[family]
    )


def _adamw(**entries: float) -> dict[str, Any]:
    return {"optimizer": "adamw", "clip_norm": 1.0, **entries}


def _version_0_2(family: str, n: int, epochs: int | None) -> dict[str, Any]:
    """Networks trained from scratch on images use Muon, and end when they have converged.

    Rate, momentum and batch size: CIFAR-10 with 1,600 images, chosen on 5,400 further training
    images (25 recipes); with 500 images, batches of 64 at a rate of 0.1 were as good. Within a few
    hundred examples the batch shrinks, so that an epoch has a handful of steps. Smaller rates for
    smaller batches: proportional to the root of the batch, which keeps the variance of an epoch's
    steps (Malladi et al., "On the SDEs and scaling rules for adaptive gradient algorithms",
    NeurIPS 2022).
    """
    entries = _version_0_1(family, n, epochs)
    if family == "timm-pretrained":
        return entries | _fine_tuning(n, epochs)
    if family not in ("small", "wide"):
        return entries
    most = max(10, round(min(80, 80 * (5000 / n) ** (1 / 3))))
    length = epochs or most
    batch_size = 128 if n >= 1200 else 64 if n >= 300 else 32 if n >= 100 else 16
    lr = round(0.14 * math.sqrt(batch_size / 128), 3)
    return {
        "epochs": length,
        "batch_size": batch_size,
        "optimizer": "muon",
        "lr": lr,
        "momentum": 0.6,  # Jordan, "airbench" (2024).
        "sgd_share": round(0.05 / lr, 3),  # The rate of 0.1 for what Muon does not move.
        "sgd_momentum": 0.9,
        "weight_decay": 5e-4,
        "warmup_epochs": min(2, length / 5),
        "schedule": "stable",
        "cooldown": 0.3,  # Level with a cosine of the same length (two seeds).
        "stop": "converged",
    }


def _fine_tuning(n: int, epochs: int | None) -> dict[str, Any]:
    """Fine-tuning of a pretrained network on images: chosen from the literature, not tuned.

    - Rates that fall from the output layer to the input: Clark et al., "ELECTRA", ICLR 2020; Bao et
      al., "BEiT", ICLR 2022. 0.85 leaves the first layer of EfficientNet-Lite0 a sixteenth of the
      rate, so that the rate of the output layer, which is new, may be larger than that of 0.1.
    - Statistics of batch normalisation stay those of the pretraining: of small batches of few
      images they would be estimated worse.
    - Few steps: Kolesnikov et al., "Big Transfer", ECCV 2020, take 500 for small data sets of any
      size. Here 500 batches of 32, but 5 to 20 epochs.
    - The running average of the weights evens out the last of so few steps.

    Checked once, which is not a tuning: 160 images of RSSCN7 at 64 pixels, EfficientNet-Lite0, six
    epochs, flip-crop, seed 0; of 40 validation images 75 % were right, 45 % with the rate of 0.1
    (2e-4, nothing frozen), 68 % without frozen statistics, 63 % with a rate of 3e-3.
    """
    length = epochs or max(5, min(20, round(16_000 / n)))
    return {
        "epochs": length,
        "batch_size": 32 if n < 2000 else 64,
        "lr": 1e-3,
        "warmup_epochs": min(1, length / 5),
        "layer_decay": 0.85,
        "frozen_statistics": True,
        "ema_decay": 0.95,
    }


def _frozen(model: str, n: int, changes: dict[str, Any]) -> dict[str, Any]:
    """A linear head on frozen features: 8,000 forward passes, but 2 to 8 copies.

    A head is fitted on few numbers for each image, and more copies change it less and less.
    """
    if wrong := sorted(changes.keys() - OF_FROZEN):
        raise UsageError(
            f"got {', '.join(wrong)} for the model {model!r}, whose head is fitted to its optimum "
            f"and not trained step by step; expected only {', '.join(sorted(OF_FROZEN))}: leave "
            "out the others, or fine-tune the network: timm:NAME:pretrained"
        )
    copies = max(2, min(8, round(8000 / n)))
    given = {key: value for key, value in changes.items() if value != "auto" or key != "epochs"}
    none = {"lr": 0.0, "weight_decay": 0.0, "momentum": 0.0, "schedule": "constant"}
    return {"epochs": copies, "batch_size": 64, "optimizer": "lbfgs", **none, **given}


OF_FROZEN = {"epochs", "batch_size", "precision", "balance", "loss"}
"""Entries of a recipe that apply to frozen features."""

TABLES: dict[str, Callable[[str, int, int | None], dict[str, Any]]] = {
    "0.1": _version_0_1,
    "0.2": _version_0_2,
}
"""By version: the entries for a family of networks, ``n`` examples, and given epochs or None."""
