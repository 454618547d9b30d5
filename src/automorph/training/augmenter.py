"""What a training loop calls once a step: the augmenter protocol, and policies as augmenters."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from automorph.errors import UsageError
from automorph.operations import Stream
from automorph.policies import Policy, Table, identity_form, load_policy
from automorph.training.batch import Batch, RawBatch, Units
from automorph.training.evaluation import Evaluation
from automorph.training.result import Epoch
from automorph.training.sampler import batches


@runtime_checkable
class Augmenter(Protocol):
    """Batch in, batch out; online methods get the model as well, and the losses back.

    Subclass it to inherit the defaults: an augmenter without model, memory or extra cost needs
    only ``__call__``. The result may have more or fewer rows than the raw batch.
    """

    needs_model: bool = False
    """Whether the model is used; if not, batches may be made ahead, in background threads."""
    whole_batch: bool = False
    """Whether examples of a batch meet (as in mixup): several processes then see it whole."""

    def __call__(self, raw: RawBatch, model: nn.Module | None) -> Batch:
        """The batch to train on. ``model`` is in training mode, and None unless needed."""
        ...

    def epoch_rows(
        self, n: int, batch_size: int, *, seed: int, epoch: int
    ) -> Sequence[NDArray[np.int64]]:
        """The rows of every batch of an epoch, as many batches as `order.batches` makes.

        The default shows every example once; a sampler may draw rare ones more often.
        """
        return batches(n, batch_size, seed=seed, epoch=epoch)

    def loss(self, logits: Tensor, batch: Batch, *, smoothing: float = 0.0) -> Tensor:
        """The losses ``(n,)`` of the rows of ``batch``; their mean is minimised.

        ``batch`` is what was returned or, with ``accumulate``, a piece of it. Views of one example
        come together (see `Batch.views`), so that they may be compared.
        """
        return batch.target.loss(logits, batch.labels, smoothing=smoothing)

    def feedback(self, losses: Tensor) -> None:
        """Take the losses ``(n,)`` of the step, one an example, in the order that was returned."""
        return None

    def judge(self, seen: Evaluation) -> float:
        """How good the weights are, by the validation part: ``select="best"`` keeps the best."""
        return seen.accuracy

    def units(self) -> Units:
        """Work of the last call beyond the plain step on the batch that it returned."""
        return Units()

    def end_epoch(self, record: Epoch) -> dict[str, Any]:
        """Learn from the epoch that is over; the result, plain finite data, joins its record."""
        return {}

    def describe(self) -> Any:
        """What identifies the augmenter in run.json: text, numbers, lists and dicts of them."""
        return type(self).__name__

    def state_dict(self) -> dict[str, Tensor]:
        """What a resumed run must know: tensors by name."""
        return {}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take back what ``state_dict`` gave."""
        return None


@runtime_checkable
class AugmenterSpec(Protocol):
    """What makes an augmenter for every run: a value with a name, which processes can exchange."""

    @property
    def name(self) -> str:
        """What a user types to get it."""
        ...

    @property
    def policy(self) -> Policy:
        """What its views are drawn from before anything is learned."""
        ...

    def table(self) -> Table:
        """What it does, as people read it."""
        ...

    def build(self) -> Augmenter:
        """A new augmenter that remembers nothing."""
        ...

    def describe(self) -> Any:
        """What identifies it: text, numbers, lists and dicts of them."""
        ...


class PolicyAugmenter(Augmenter):
    """A policy, or the name of one, as an augmenter; None augments nothing.

    The random numbers depend on the run's seed, the epoch and the numbers of the examples only.
    """

    def __init__(self, policy: Any | None = None) -> None:
        if isinstance(policy, (str, os.PathLike)):
            policy = load_policy(policy)
        if policy is not None and not hasattr(policy, "augment"):
            raise UsageError(
                f"got {policy!r} as a policy; expected an object with an `augment` method: "
                "automorph.load_policy makes one from a name or a file"
            )
        self.policy = policy
        self.whole_batch = policy is not None and _examples_meet(policy)

    def __call__(self, raw: RawBatch, model: nn.Module | None = None) -> Batch:
        """Augment with the policy, then encode."""
        if self.policy is None:
            return raw.batch()
        if getattr(self.policy, "mixes_labels", False) and raw.examples.dtype.kind == "T":
            return mixed_texts(self.policy, raw)
        examples, labels = self.policy.augment(
            raw.examples, labels=raw.labels, seed=raw.seed, epoch=raw.epoch, index=raw.index
        )
        return raw.batch(examples, labels=labels)

    def describe(self) -> Any:
        """Name and content of the policy, as plain data."""
        if isinstance(self.policy, Policy):
            return {"name": self.policy.name, "policy": identity_form(self.policy)}
        return "none" if self.policy is None else str(self.policy)


def mixed_texts(policy: Policy, raw: RawBatch) -> Batch:
    """A batch of texts whose policy mixes examples: words are not blended, embeddings are.

    Features of whole texts (``sentence:NAME``) are blended here, words inside the network.
    """
    stream = Stream(seed=raw.seed, epoch=raw.epoch, index=raw.index)
    mixing = policy.mixing(stream, raw.examples.shape)
    batch = raw.batch(policy.transform(raw.examples, stream), labels=raw.labels)
    if mixing is None:
        return batch
    partner = batch.inputs[torch.from_numpy(mixing.partner).to(raw.device)]
    share = torch.from_numpy(mixing.weight).to(raw.device)
    batch = replace(batch, labels=batch.target.mix(batch.labels, mixing))
    if partner.is_floating_point():
        weight = share.view(-1, *[1] * (partner.ndim - 1))
        return replace(batch, inputs=weight * batch.inputs + (1 - weight) * partner)
    return replace(batch, partner=partner, share=share)


def as_augmenter(thing: Any | None) -> Augmenter:
    """An augmenter as it is; what makes one, made; a policy, or None, as a `PolicyAugmenter`."""
    if isinstance(thing, Augmenter):
        return thing
    if isinstance(thing, AugmenterSpec):
        return thing.build()
    if not (thing is None or isinstance(thing, (str, os.PathLike)) or hasattr(thing, "augment")):
        raise UsageError(
            f"got {type(thing).__name__!r} to augment with; expected None, a policy (with an "
            "`augment` method) or its name, or an augmenter (see automorph.training.Augmenter)"
        )
    return PolicyAugmenter(thing)


def _examples_meet(policy: Any) -> bool:
    """Whether the result for one example depends on the others of its batch."""
    if getattr(policy, "mixes_labels", False):
        return True
    space = getattr(policy, "space", None)
    if space is None:
        return True  # Unknown: the whole batch is always right, and only several processes pay.
    return any(operation.partner or operation.batched for operation in space)
