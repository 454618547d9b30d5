"""Features of a task's examples by its frozen backbone, computed once and kept on disk."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from hashlib import blake2b
from typing import Any

import numpy as np
import torch

from automorph._version import __version__
from automorph.data import Split
from automorph.models import FrozenFeatures, content_of, from_transformers
from automorph.policies import Policy
from automorph.text import runs_network
from automorph.training.augmenter import Augmenter, PolicyAugmenter
from automorph.training.batch import Batch
from automorph.training.evaluation import AT_ONCE
from automorph.training.feature_cache import cached
from automorph.training.linear_head import Features
from automorph.training.loader import Loader
from automorph.training.precision import casting
from automorph.training.task_record import installed, named, task_identity, versions_of
from automorph.training.text import SentenceEncoder


class FrozenSource:
    """Features of augmented copies of the training part, and of whole parts as they are."""

    def __init__(self, network: FrozenFeatures, loader: Loader) -> None:
        self.network = network
        self.loader = loader
        self.copies: list[Features] = []
        self.whole: dict[str, Features] = {}
        self.origin = _origin(network, loader)

    @property
    def varies(self) -> bool:
        """Whether copies differ, as far as is known before they are made."""
        augmenter = self.loader.augmenter
        policy = getattr(augmenter, "policy", augmenter)
        plain = policy is None or (
            isinstance(policy, Policy) and not len(policy.space) and not policy.mixes_labels
        )
        # A balancing sampler shows other examples in each copy.
        sampled = self.loader.balance.kind == "sampler"
        return sampled or not plain or hasattr(self.loader.task.data.train.data, "drawn")

    def first(self, count: int, step: Callable[[], object] = lambda: None) -> Features:
        """Return the rows of the first copies; ``step`` is called after each batch that is made.

        Copies that are all the same are returned once.
        """
        count = count if self.varies else 1
        while len(self.copies) < count:
            self.copies.append(self._copy(len(self.copies), step))
        return Features.joined(self.copies[:count])

    def part(self, part: Split) -> Features:
        """Return the rows of a part without augmentation."""
        content = {
            **self.origin,
            "part": blake2b(part.digests.tobytes() + part.expected.tobytes()).hexdigest(),
            "at_once": AT_ONCE,
            **({"seen": part.data.describe()} if hasattr(part.data, "describe") else {}),
        }
        if content["part"] not in self.whole:
            rows = cached(content, lambda: self._features(self._plain(part)))
            self.whole[content["part"]] = rows
        return self.whole[content["part"]]

    def _copy(self, number: int, step: Callable[[], object]) -> Features:
        loader = self.loader
        task = task_identity(loader.task)
        content = {
            **self.origin,
            "task": {**task, "data": {**task["data"], "parts": None}},
            "augmenter": loader.augmenter.describe(),
            "seed": loader.seed,
            "epoch": number,
            "counted": loader.counted,
        }

        def make() -> Features:
            with closing(loader.epoch(number, self.network)) as batches:
                return self._features(_counted(batches, step))

        return cached(content, make) if _describes_itself(loader.augmenter) else make()

    def _plain(self, part: Split) -> Iterator[Batch]:
        """Yield a part in the batches of `evaluate`, so that sums are equal to the last digit."""
        task, device = self.loader.task, self.loader.machine.device
        for start in range(0, len(part), AT_ONCE):
            index = np.arange(start, min(start + AT_ONCE, len(part)))
            labels = torch.from_numpy(task.target.encode(part.expected[index])).to(device)
            yield Batch(task.encoder(part.data[index], device), labels, index, target=task.target)

    def _features(self, batches: Iterable[Batch]) -> Features:
        precision, device = self.loader.precision, self.loader.machine.device
        found = []
        with torch.no_grad(), casting(precision, device):
            for batch in batches:
                weights = torch.ones(len(batch)) if batch.weights is None else batch.weights.cpu()
                rows = self.network.features(batch.inputs).cpu()
                found.append(Features(rows, batch.labels.cpu(), weights))
        return Features.joined(found)


def _origin(network: FrozenFeatures, loader: Loader) -> dict[str, Any]:
    """Return what decides the features of given inputs, to the last digit."""
    task, device = loader.task, loader.machine.device
    encoder: Any = task.encoder
    backbone = network.backbone
    if isinstance(encoder, SentenceEncoder):
        backbone = from_transformers.encoder_of(encoder.name)
    on_cpu = device.type == "cpu"
    return {
        "automorph": __version__,
        "versions": {**versions_of(task), **installed("numpy")},
        "backbone": content_of(backbone),
        "architecture": task.network,
        "encoder": named(encoder),
        "classes": task.classes,
        "precision": loader.precision,
        "device": torch.backends.cpu.get_cpu_capability() if on_cpu else str(device),
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
    }


def _describes_itself(augmenter: Augmenter) -> bool:
    """Whether the description of an augmenter decides its draws: no code or network of its own."""
    policy = augmenter.policy if isinstance(augmenter, PolicyAugmenter) else augmenter
    if policy is None:
        return True
    return isinstance(policy, Policy) and not any(
        one.function or runs_network(one.kernel) for one in policy.space
    )


def _counted(batches: Iterable[Batch], step: Callable[[], object]) -> Iterator[Batch]:
    for batch in batches:
        yield batch
        step()
