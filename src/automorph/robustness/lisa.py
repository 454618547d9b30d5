"""LISA: examples are mixed across subgroups of one class, or across classes of one subgroup.

Yao, Wang, Li, Zhang, Liang, Zou and Finn, "Improving out-of-distribution robustness via selective
augmentation" (ICML 2022), section 3.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from automorph.operations import Stream
from automorph.policies import Mixed
from automorph.robustness.builtin import LISA
from automorph.robustness.groups import Grouper
from automorph.training import Augmenter, Batch, RawBatch, Task


def partner_groups(
    groups: NDArray[np.int64], grouper: Grouper, uniform: NDArray[np.float32], *, share: float
) -> NDArray[np.int64]:
    """Return the group of the partner of every group, from uniform numbers ``(groups, 2)``.

    With probability ``share`` it has the same class and another subgroup, else the same subgroup
    and another class. ``groups`` ``(n,)`` are those of the rows; only groups among them are drawn.
    If no group is of the wanted kind, it is one of the other kind, or, without either, the same.

    >>> grouper = Grouper(("a", "b"), ("x", "y"))
    >>> partner_groups(np.arange(4), grouper, np.zeros((4, 2), np.float32), share=0.5)
    array([1, 0, 3, 2])
    """
    present = np.unique(groups)
    same_class = grouper.class_of[present][:, None] == grouper.class_of[present]
    subgroup = present % len(grouper.subgroups)
    kinds = (same_class & ~np.eye(len(present), dtype=bool),
             (subgroup[:, None] == subgroup) & ~same_class)  # fmt: skip
    found = groups.copy()
    for number, group in enumerate(present.tolist()):
        able = [present[kind[number]] for kind in kinds]
        rows = groups == group
        within = uniform[:, 0] < share
        for own, options, others in ((rows & within, *able), (rows & ~within, *able[::-1])):
            pool = options if len(options) else others
            if len(pool):
                found[own] = pool[(uniform[own, 1] * len(pool)).astype(np.int64)]
    return found


def mixed_batch(
    raw: RawBatch,
    policy: Augmenter,
    method: LISA,
    task: Task,
    grouper: Grouper,
    groups: NDArray[np.int64],
) -> Batch:
    """Return the encoded batch, every example mixed with a partner from the training part.

    ``policy`` augments both; ``groups`` are those of the training part. Images are mixed by a box
    (CutMix), all else by a weighted mean; the weight is drawn from Beta(alpha, alpha).
    """
    stream = Stream(seed=raw.seed, epoch=raw.epoch, index=raw.numbers)
    uniform = stream.uniform("lisa", 3)
    own = groups[raw.index]
    wanted = partner_groups(own, grouper, uniform[:, :2], share=method.share)
    mates = raw.index.copy()
    for group in np.unique(wanted).tolist():
        members, rows = np.flatnonzero(groups == group), wanted == group
        mates[rows] = members[(uniform[rows, 2].astype(np.float64) * len(members)).astype(np.int64)]
    part = task.data.train
    others = part.drawn(mates, seed=raw.seed, epoch=raw.epoch, numbers=raw.numbers)
    both = replace(
        raw,
        examples=np.concatenate([raw.examples, others]),
        labels=np.concatenate([raw.labels, task.target.encode(part.expected[mates])]),
        index=np.concatenate([raw.index, mates]),
        occurrence=None if raw.occurrence is None else np.tile(raw.occurrence, 2),
    )
    batch, n = policy(both, None), len(raw)
    inputs, partners = batch.inputs[:n], batch.inputs[n:]
    boxes = inputs.ndim == 4 and method.mix == "cutmix"
    how = Mixed(mix="cutmix" if boxes else "mixup", alpha=method.alpha)
    mixing = how.mixing(stream, raw.examples.shape)
    labels = mixing.labels(batch.labels[:n], batch.labels[n:])
    made = replace(batch, inputs=inputs, labels=labels, index=raw.index)
    if not inputs.is_floating_point():  # Words: the network mixes their embeddings.
        share: Any = torch.from_numpy(mixing.weight).to(raw.device)
        return replace(made, partner=partners, share=share)
    return replace(made, inputs=mixing.examples(inputs, partners))
