"""The identity of a task: everything that the result of a training depends on, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import partial
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from automorph.captured import captured_values
from automorph.data import Dataset, split_hashes
from automorph.models import held_in_evaluation
from automorph.training.task import Task, default_encoder


def run_identity(task: Task, augmenter: Any, seed: int | list[int]) -> dict[str, Any]:
    """Return what identifies a run: its task, what its augmenter says of itself, and its seeds."""
    return {**task_identity(task), "augmenter": augmenter, "seed": seed}


def task_identity(task: Task) -> dict[str, Any]:
    """Return what trainings of a task depend on besides augmentation and seed.

    Two tasks have the same identity exactly when their trainings can replace each other. The
    versions in it are those of the libraries that decide pixels and weights (`versions_of`).
    """
    data = task.data
    seen: Any = data.train.data  # Data decoded on demand describes how it is decoded.
    return {
        "data": {
            "name": data.name,
            "hash": data.hash,
            "order": blake2b(data.train.digests.tobytes(), digest_size=8).hexdigest(),
            "parts": split_hashes(data),
            "classes": list(data.classes),
            **({"window": [data.window.low, data.window.high]} if data.window else {}),
            **({"resizing": data.resizing.to_dict()} if data.resizing else {}),
            # The hash of such data is that of its files, whatever they are decoded to.
            **({"pixels": seen.sample_hash} if hasattr(seen, "sample_hash") else {}),
            **_unlabelled(data),
            **({"folds": data.folds.describe()} if data.folds else {}),
        },
        **({"seen": seen.describe()} if hasattr(seen, "describe") else {}),
        "model": named(task.model),
        **_structure(task),
        **({"weights": task.weights.hash} if task.weights else {}),
        "start": task.start and blake2b(task.start.read_bytes(), digest_size=8).hexdigest(),
        "encoder": named(task.encoder),
        "recipe": task.recipe.to_dict(),
        **({"protect": list(task.protect)} if task.protect else {}),
        **metrics_of(task),
        "versions": versions_of(task),
    }


def metrics_of(task: Task) -> dict[str, Any]:
    """Return the names of the metrics; nothing for accuracy alone, as in earlier versions."""
    return {"metric": task.metric, "also": list(task.also)} if task.asks_metrics else {}


def _unlabelled(data: Dataset) -> dict[str, Any]:
    """Return the number and the contents of unlabelled examples, in their order."""
    pool = data.unlabelled
    if pool is None:
        return {}
    contents = blake2b(pool.digests.tobytes(), digest_size=8).hexdigest()
    return {"unlabelled": {"n": len(pool), "hash": contents}}


def from_version_1(record: Mapping[str, Any], task: Task) -> dict[str, Any]:
    """Return a record of the identity of a run with its ``task`` as `task_identity` has it.

    In records of ``compare``, ``search`` and ``patch`` of version 0.1 it lacked the encoder, the
    start weights and the order of the examples. The first two are those that a task has by default:
    a task with others does not match.
    """
    old = record.get("task")
    if not isinstance(old, dict) or isinstance(old.get("data"), dict):
        return dict(record)
    wanted = task_identity(task)
    # ``patch`` recorded the path of the weights.
    start = wanted["start"] if str(task.start) == old.get("start") else old.get("start")
    names = {"name": "data", "hash": "hash", "parts": "parts"}
    new = {
        "data": {
            **{name: old.get(key) for name, key in names.items()},
            **{name: wanted["data"][name] for name in ("order", "classes")},
        },
        "model": wanted["model"] if old.get("model") == task.network else old.get("model"),
        "start": start,
        "encoder": named(default_encoder(task.data, task.model)),
        **{name: old[name] for name in ("recipe", "seen", "protect") if name in old},
    }
    return {**record, "task": new}


def versions_of(task: Task) -> dict[str, str]:
    """Return the versions of the libraries that decide the pixels and weights of a task."""
    names = ["torch"]
    if task.data.domain == "image":
        names.append("pillow")
    model = task.model.removeprefix("features:") if isinstance(task.model, str) else ""
    if model.startswith("timm:"):
        names.append("timm")
    if model.startswith(("transformers:", "sentence:")):
        names.append("transformers")
    return installed(*names)


def installed(*names: str) -> dict[str, str]:
    """Return the installed versions of packages by name, without those that are not installed.

    The build is left out: ``2.8.0+cpu`` and ``2.8.0`` are the same version.
    """
    found = {}
    for name in names:
        try:
            found[name] = version(name).partition("+")[0]
        except PackageNotFoundError:
            continue
    return found


def named(thing: Any) -> str:
    """Return a name that is equal in every process: text, values of a record, or an import path."""
    if isinstance(thing, str):
        return thing
    if is_dataclass(thing):
        words = repr(thing)
        if len(words) <= 200:
            return words
        # It may hold a whole vocabulary.
        return f"{type(thing).__name__}:{blake2b(words.encode(), digest_size=8).hexdigest()}"
    home = thing if hasattr(thing, "__qualname__") else type(thing)
    return f"{home.__module__}.{home.__qualname__}"


def _structure(task: Task) -> dict[str, Any]:
    """Return what the names of the user's own network and encoder leave open."""
    found = {}
    if not isinstance(task.model, str):
        model = task.build(0)
        shapes = [(name, tuple(one.shape), one.dtype) for name, one in model.state_dict().items()]
        # Most networks hold no layer in evaluation mode, and keep the hash of earlier versions.
        held = list(held_in_evaluation(model)) or ""
        found["model"] = blake2b(f"{model}{shapes}{held}".encode(), digest_size=8).hexdigest()
    if settings := _settings(task.encoder):
        found["encoder"] = settings
    return {"structure": found} if found else {}


def _settings(thing: Any) -> str:
    """Return the values that a function carries, or the plain attributes of an object."""
    if isinstance(thing, partial):
        return f"{named(thing.func)} {thing.args!r} {thing.keywords!r}"
    if is_dataclass(thing):
        return ""
    if hasattr(thing, "__qualname__"):
        values = captured_values(thing)
        return repr(values) if values else ""
    plain = {k: v for k, v in sorted(getattr(thing, "__dict__", {}).items()) if _is_plain(v)}
    return repr(plain) if plain else ""


def _is_plain(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (str, int, float, bool))
