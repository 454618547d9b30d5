"""The augmenter protocol that the training loop calls once a step, and policies as augmenters."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from automorph.data import TARGET_KINDS, Dataset, TargetKind
from automorph.errors import UsageError
from automorph.operations import Stream, occurring
from automorph.policies import Policy, Table, check_follow, identity_form, load_policy, unmixed
from automorph.targets import Masks
from automorph.training.batch import Batch, RawBatch, Units
from automorph.training.evaluation import Evaluation
from automorph.training.result import Epoch
from automorph.training.sampler import batches


@runtime_checkable
class Augmenter(Protocol):
    """Map a raw batch to a batch; in-training methods also get the model, and the losses back.

    Subclass it to inherit the defaults: an augmenter without model, memory or extra cost needs
    only ``__call__``. The result may have more or fewer rows than the raw batch.
    """

    needs_model: bool = False
    """Whether the model is used; if not, background threads may make batches ahead."""
    whole_batch: bool = False
    """Whether examples of a batch interact (as in mixup): processes then see the whole batch."""
    targets: Sequence[TargetKind] = ("classes",)
    """The kinds of targets whose batches it makes; others are refused before the training."""

    def __call__(self, raw: RawBatch, model: nn.Module | None) -> Batch:
        """Return the batch to train on. ``model`` is in training mode, and None unless needed."""
        ...

    def epoch_rows(
        self, n: int, batch_size: int, *, seed: int, epoch: int
    ) -> Sequence[NDArray[np.int64]]:
        """Return the rows of every batch of an epoch, as many batches as `order.batches` makes.

        The default shows every example once; a sampler may draw rare examples more often. The
        repeats of an example get different draws (see `RawBatch.numbers`).
        """
        return batches(n, batch_size, seed=seed, epoch=epoch)

    def loss(self, logits: Tensor, batch: Batch, *, smoothing: float = 0.0) -> Tensor:
        """Return the losses ``(n,)`` of the rows of ``batch``; training minimises their mean.

        ``batch`` is what ``__call__`` returned or, with ``accumulate``, a piece of it. Views of one
        example are adjacent (see `Batch.views`), so that they can be compared.
        """
        return batch.target.loss(logits, batch.labels, smoothing=smoothing)

    def unlabelled_rows(self, batch_size: int) -> int:
        """Return how many examples without labels it needs for a batch of labelled ones.

        They come from ``Dataset.unlabelled`` or, in data without it, from the training part.
        """
        return 0

    def unlabelled_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Return the losses ``(m,)`` of the rows of ``batch.unlabelled``, whose mean is added.

        ``logits`` are those of these rows; ``batch`` is what `loss` gets.
        """
        return torch.zeros_like(logits[:, 0])

    def feedback(self, losses: Tensor) -> None:
        """Receive the losses ``(n,)`` of the step, one per example, in the order of the batch."""
        return None

    def judge(self, seen: Evaluation) -> float:
        """Score the weights on the validation part: ``select="best"`` keeps the highest score."""
        return seen.score

    def units(self) -> Units:
        """Return the cost of the last call beyond the plain step on the batch that it returned."""
        return Units()

    def end_epoch(self, record: Epoch) -> dict[str, Any]:
        """Learn from the finished epoch; the result, plain finite data, is added to its record."""
        return {}

    def describe(self) -> Any:
        """Return what identifies the augmenter in run.json: text, numbers, lists, dicts."""
        return type(self).__name__

    def state_dict(self) -> dict[str, Tensor]:
        """Return the tensors, by name, that a resumed run needs."""
        return {}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore what ``state_dict`` returned."""
        return None


@runtime_checkable
class AugmenterSpec(Protocol):
    """A named value that builds an augmenter for each run, and that processes can exchange.

    If its augmenters use examples without labels, it has their ``unlabelled_rows``, too; entries of
    a recipe that it trains with are its ``recipe_changes``, a mapping.
    """

    @property
    def name(self) -> str:
        """The name that a user types."""
        ...

    @property
    def policy(self) -> Policy:
        """The policy from which views are drawn before anything is learned."""
        ...

    def table(self) -> Table:
        """Describe the augmenter as a table for people to read."""
        ...

    def build(self) -> Augmenter:
        """Build a new augmenter without any state."""
        ...

    def describe(self) -> Any:
        """Return what identifies the augmenter: text, numbers, lists and dicts of them."""
        ...


class PolicyAugmenter(Augmenter):
    """A policy, or its name, as an augmenter; None augments nothing.

    The random numbers depend only on the run's seed, the epoch, the numbers of the examples and
    how often they came before in the epoch.
    """

    targets = TARGET_KINDS

    def __init__(self, policy: Any | None = None) -> None:
        if isinstance(policy, (str, os.PathLike)):
            policy = load_policy(policy)
        if policy is not None and not hasattr(policy, "augment"):
            raise UsageError(
                f"got {policy!r} as a policy; expected an object with an `augment` method: "
                "automorph.load_policy creates one from a name or a file"
            )
        self.policy = policy
        self.whole_batch = policy is not None and _examples_meet(policy)

    def __call__(self, raw: RawBatch, model: nn.Module | None = None) -> Batch:
        """Augment with the policy, then encode."""
        if self.policy is None:
            return raw.batch()
        if isinstance(raw.target, Masks):
            images, masks = raw.target.follow(
                self.policy, raw.examples, raw.labels,
                seed=raw.seed, epoch=raw.epoch, index=raw.numbers,
            )  # fmt: skip
            return raw.batch(images, labels=masks)
        if getattr(self.policy, "mixes_labels", False) and raw.examples.dtype.kind == "T":
            return mixed_texts(self.policy, raw)
        if isinstance(self.policy, Policy) and self.policy.mixes_labels:
            stream = Stream(seed=raw.seed, epoch=raw.epoch, index=raw.numbers)
            examples, labels = mixed_draw(self.policy, raw, stream)
        else:
            examples, labels = self.policy.augment(
                raw.examples, labels=raw.labels, seed=raw.seed, epoch=raw.epoch, index=raw.numbers
            )
        return raw.batch(examples, labels=labels)

    def describe(self) -> Any:
        """Return name and content of the policy, as plain data."""
        if isinstance(self.policy, Policy):
            return {"name": self.policy.name, "policy": identity_form(self.policy)}
        return "none" if self.policy is None else str(self.policy)


def mixed_draw(policy: Policy, raw: RawBatch, stream: Stream) -> tuple[Any, NDArray[np.float32]]:
    """Return one draw of the policy for each example, and the labels that it mixes alike.

    Partners from the whole training part are drawn by the stream ``partner``, and augmented under a
    number of their own: they depend on the example, not on its batch.
    """
    examples, labels = policy.transform(raw.examples, stream), raw.labels
    mixing = policy.mixing(stream, examples.shape)
    if mixing is None:
        return examples, labels
    if not mixing.anywhere or raw.others is None:
        return mixing.examples(examples), mixing.labels(labels)
    rows = np.flatnonzero(mixing.weight < 1)
    if not len(rows):
        return examples, mixing.labels(labels)
    own = stream.take(rows)
    own = replace(own, index=occurring(own.index, _PARTNERS))
    drawn, soft = raw.others(own.uniform("partner", 1)[:, 0])
    partners, theirs = examples.copy(), np.array(labels, np.float32)
    partners[rows] = policy.transform(drawn, own)
    theirs[rows] = replace(unmixed(len(rows)), earlier=policy.blends(own)).labels(soft)
    return mixing.examples(examples, partners), mixing.labels(labels, theirs)


_PARTNERS = 1 << 20
"""The partner of an example draws as its occurrence of this number would, which never comes."""


def mixed_texts(policy: Policy, raw: RawBatch) -> Batch:
    """Augment texts by a policy that mixes examples: embeddings are blended, words are not.

    Features of whole texts (``sentence:NAME``) are blended here, words inside the network.
    """
    stream = Stream(seed=raw.seed, epoch=raw.epoch, index=raw.numbers)
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
    """Convert a policy, its name, None or an `AugmenterSpec` to an augmenter.

    An `Augmenter` is returned unchanged. Raises `UsageError` for anything else.
    """
    if isinstance(thing, Augmenter):
        return thing
    if isinstance(thing, AugmenterSpec):
        return thing.build()
    if not (thing is None or isinstance(thing, (str, os.PathLike)) or hasattr(thing, "augment")):
        raise UsageError(
            f"got an augmenter of type {type(thing).__name__!r}; expected None, a policy (with an "
            "`augment` method) or its name, or an augmenter (see automorph.training.Augmenter)"
        )
    return PolicyAugmenter(thing)


def check_augmenter(augmenter: Augmenter, data: Dataset, name: str = "") -> None:
    """Raise `UsageError` if an augmenter cannot make batches for what is predicted."""
    if data.target in augmenter.targets:
        policy = getattr(augmenter, "policy", None)
        if data.target == "masks" and policy is not None:
            if not isinstance(policy, Policy):
                raise UsageError(
                    f"got {policy!r:.60} for masks; expected a policy of automorph, which moves "
                    "masks with their images: automorph.load_policy"
                )
            check_follow(policy)
        return
    named = name or type(augmenter).__name__
    raise UsageError(
        f"{named} is a training method for {' and '.join(augmenter.targets)}, but the examples of "
        f"{data.name} have {data.target} (target={data.target!r}); expected a policy, such as "
        "flip-crop or trivialaugment"
    )


def uses_unlabelled(treatment: Any) -> bool:
    """Return whether a policy, a method or an augmenter declares that it uses unlabelled examples.

    >>> from automorph.policies import load_policy
    >>> uses_unlabelled(load_policy("crop"))
    False
    """
    rows = getattr(treatment, "unlabelled_rows", None)
    return rows is not None and rows(1) > 0


def _examples_meet(policy: Any) -> bool:
    """Return whether the result for one example depends on the others of its batch."""
    if getattr(policy, "mixes_labels", False):
        return True
    space = getattr(policy, "space", None)
    if space is None:
        return True  # Unknown: seeing the whole batch is always correct, if slower.
    return any(operation.partner or operation.batched for operation in space)
