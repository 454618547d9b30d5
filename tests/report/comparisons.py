"""Results of comparisons for report tests: real pictures, invented numbers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits, load_sample_image

POLICIES = ("none", "flip-crop", "randaugment(n=1,m=5)", "trivialaugment", "random")
LONG = "chain(" + ",".join(f"operation_{n}(magnitude=0.{n}23456789)" for n in range(9)) + ")"
TEN = (*POLICIES, "augmix", "cutmix", "autoaugment:cifar10", "uniformaugment", LONG)


def digits(number: int) -> NDArray[np.uint8]:
    """Grey 8 px images."""
    return (load_digits().images[:number] * (255 / 16)).astype(np.uint8)[..., None]


def photographs(number: int, size: int) -> NDArray[np.uint8]:
    """Colour images, cut out of one photograph."""
    whole = load_sample_image("china.jpg")
    return np.stack([whole[40 * n : 40 * n + size, 60 * n : 60 * n + size] for n in range(number)])


def comparison(
    policies: tuple[str, ...] = POLICIES,
    *,
    seeds: int = 3,
    gain: float = 0.012,
    failed: tuple[str, ...] = (),
    images: NDArray[np.uint8] | None = None,
    epochs: int = 12,
    draws: int = 5,
) -> dict[str, Any]:
    """A result of ``compare`` for the report: the third policy is best, later ones are worse."""
    rng = np.random.default_rng(0)
    images = digits(3) if images is None else images
    classes = [f"class {n}" for n in range(10)]
    luck = rng.normal(0, 0.004, seeds)
    rows: list[dict[str, Any]] = []
    for place, policy in enumerate(policies):
        if policy in failed:
            rows.append({"policy": policy, "label": policy, "error": "loss is nan in epoch 3"})
            continue
        better = gain * (0.2 + 1 / (1 + abs(place - 2))) if place else 0.0
        values = 0.95 + luck + better + rng.normal(0, 0.001, seeds)
        rows.append(
            {
                "policy": policy,
                "label": policy,
                "accuracy": _summary(values),
                "validation": _summary(values - 0.003),
                "difference": _difference(values - rows[0]["accuracy"]["values"])
                if place
                else None,
                "units": {"forward": 72_000 * (1 + place), "backward": 72_000},
                "seconds": {"mean": 3.2 + 0.3 * place, "values": [3.2] * seeds},
                "per_class": (0.95 + better + rng.normal(0, 0.01, 10)).tolist(),
            }
        )
    good = sorted(
        (row for row in rows if "error" not in row), key=lambda row: -row["accuracy"]["mean"]
    )
    for rank, row in enumerate(good, start=1):
        row["rank"] = rank
    winner = good[0]["policy"] if good else None
    clear = seeds > 1 and gain > 0 and len(good) > 1
    kind = "better" if clear else "unclear"
    falling = 2.3 * np.exp(-np.arange(epochs) / 4)
    return {
        "data": {
            "source": "digits",
            "domain": "image",
            "classes": classes,
            "n_train": 300,
            "n_validation": 100,
            "n_test": 1397,
            "shape": list(images.shape[1:]),
            "hash": "3f9a2c51d0b877e1",
        },
        "model": "cnn",
        "parameters": 94_410,
        "recipe": {"epochs": epochs, "optimizer": "sgd", "learning rate": 0.1, "nesterov": True},
        "seeds": list(range(seeds)),
        "confidence": 0.95,
        "rows": rows,
        "baseline": policies[0],
        "winner": winner,
        "verdict": {"kind": kind, "text": f"{winner} is the best on the validation part."},
        "curves": {
            row["policy"]: {
                "epochs": list(range(1, epochs + 1)),
                "train_loss": [(falling + noise).tolist() for noise in rng.normal(0, 0.02, seeds)],
                "validation_accuracy": [(0.96 - falling / 3).tolist()] * seeds,
            }
            for row in good
        },
        "previews": {
            policy: {
                "images": np.stack([np.roll(images, n, axis=2) for n in range(1 + draws)], axis=1),
                "labels": classes,
            }
            for policy in policies
        },
        "policies": {
            policy: {
                "table": {"columns": ["Operation", "Range"], "rows": [["rotate", "−30 to 30 deg"]]},
                "draws": [
                    {
                        "operation": "rotate",
                        "share": 0.5,
                        "magnitudes": [0.05] * 20,
                        "values": "-30 to 30 deg",
                    },
                    {"operation": "invert", "share": 0.25, "magnitudes": [], "values": ""},
                ],
                "json": json.dumps({"schema": 1, "name": policy}, indent=1),
            }
            for policy in policies
        },
        "examples": {
            f"Right with {winner}, wrong with {policies[0]}": {
                "examples": images,
                "words": ["class 1, called class 7"] * len(images),
            },
        },
        "provenance": {
            "automorph": "0.1.0",
            "command": "automorph compare digits --seeds 3",
            "started": "2026-01-02T03:04:05+00:00",
            "seconds": 83.2,
            "versions": {"python": "3.11.2", "torch": "2.9.1"},
            "split_hashes": {"train": "a81c33f09e", "test": "0c9d77ee21"},
        },
        "next": [f"automorph preview digits --policy '{winner}'", "automorph search digits"],
    }


def _summary(values: NDArray[np.float64]) -> dict[str, Any]:
    several = len(values) > 1
    se = float(values.std(ddof=1) / np.sqrt(len(values))) if several else None
    return {"mean": float(values.mean()), "se": se, "values": values.tolist()}


def _difference(values: NDArray[np.float64]) -> dict[str, Any]:
    mean = float(values.mean())
    if len(values) < 2:
        return {"mean": mean, "low": None, "high": None, "p": None, "p_adjusted": None}
    half = 3 * float(values.std(ddof=1) / np.sqrt(len(values)))
    p = 0.004 if abs(mean) > half else 0.4
    return {"mean": mean, "low": mean - half, "high": mean + half, "p": p, "p_adjusted": 2 * p}


def search() -> dict[str, Any]:
    """A result of ``search`` for the report: a comparison and the history of the search."""
    result = comparison()
    heat = {"epochs": 5, "seeds": 3, "arms": [{"name": "none", "by": "no search", "score": 0.9}]}
    return {
        **result,
        "search": {
            "method": "race",
            "space": "randaugment",
            "tail": "flip-crop",
            "budget": "20m",
            "trials": None,
            "tried": 56,
            "failed": 0,
            "trainings": 17.4,
            "seconds": 1171.0,
            "engine": "processes",
            "longer": 2,
            "stopped": False,
            "trace": [
                {"clock": 3.0 * n, "trainings": 0.3 * n, "score": 0.8, "best": 0.8 + 0.001 * n}
                for n in range(1, 57)
            ],
            "course": {
                "across": "trial",
                "places": [1.0, 2.0, 3.0],
                "over": 2,
                "operations": {f"operation {n}": [0.1, 0.02 * n, 0.03 * n] for n in range(12)},
            },
            "effects": [
                {
                    "operation": f"operation {n}",
                    "mean": 0.02 - 0.002 * n,
                    "low": -0.01,
                    "high": 0.04,
                    "trials": 56,
                }
                for n in range(20)
            ],
            "story": {
                "searches": [{"name": "pba", "trials": 4, "trainings": 4.0, "found": "pba of 4"}],
                "left_out": ["autoaugment"],
                "heats": [heat, {**heat, "epochs": 40}],
            },
        },
    }
