"""Lightning: a callback that augments training batches, and a hook for data modules."""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping, MutableSequence
from typing import Any

from automorph.errors import MissingExtraError, UsageError
from automorph.integrations.layer import OnDevice
from automorph.integrations.repeats import RepeatCounter
from automorph.integrations.sample_access import Position, find_image, get
from automorph.integrations.shared_epoch import counting
from automorph.policies import Policy

try:
    from lightning.pytorch import Callback
except ImportError:
    try:
        from pytorch_lightning import Callback  # the same, by its older name
    except ImportError as error:
        raise MissingExtraError(
            "Lightning is not installed; pip install 'automorph[lightning]'"
        ) from error

_LIGHTNING = ("lightning", "pytorch_lightning")
_STATE = "augment"


class AugmentCallback(Callback):  # type: ignore[misc]
    """Augments training batches on the device; validation and test batches are unchanged.

    ``Trainer(callbacks=[AugmentCallback("flip-crop + randaugment(n=2,m=9)")])``. Batches are lists
    or dicts as collated by a loader, with images ``(n, C, H, W)``: uint8, or floats in [0, 1]
    before normalisation. ``image`` and ``label`` are their positions in a batch (default: the first
    part or ``"image"``, the second or ``"label"``). If the policy mixes labels, they become soft;
    ``classes`` is their count. ``index`` is the position of the examples' numbers, if batches have
    them; otherwise examples are counted as they come. A resumed training draws as it would have
    without a stop, also from the middle of an epoch. The callback tells the epoch to everything in
    the training loaders that counts epochs (`automorph.Augmented`, `automorph.Collate`, ..).
    """

    def __init__(
        self,
        policy: Policy | str | os.PathLike[str],
        *,
        seed: int = 0,
        image: Position = None,
        label: Position = None,
        index: Position = None,
        classes: int | None = None,
    ) -> None:
        super().__init__()
        self.layer = OnDevice(policy, seed=seed, classes=classes)
        self.image, self.label, self.index = image, label, index

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.layer.extra_repr()})"

    @property
    def state_key(self) -> str:
        """The name of its state in a checkpoint: other callbacks of the kind have others."""
        parts = {"image": self.image, "label": self.label, "index": self.index}
        return str(self._generate_state_key(policy=self.layer.policy.name, **parts))

    def state_dict(self) -> dict[str, Any]:
        """Return epoch and count, for a training that is resumed in mid-epoch."""
        return {"epoch": self.layer.epoch, "counted": self.layer.counted}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore epoch and count."""
        self.layer.set_epoch(int(state_dict["epoch"]))
        self.layer.counted = int(state_dict["counted"])

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Set the epoch of a resumed training; in mid-epoch, no epoch starts."""
        self.follow(trainer)
        if trainer.current_epoch == 0:
            return
        set_epochs(trainer.train_dataloader, trainer.current_epoch)
        # Workers have begun with the epoch that their data set was made with: begin again.
        fetcher = getattr(trainer.fit_loop, "_data_fetcher", None)
        if fetcher is not None and any(map(_begun_early, _loaders(trainer.train_dataloader))):
            iter(fetcher)

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """Count the epoch, here and in the data sets and collate functions of the loaders."""
        self.layer.set_epoch(trainer.current_epoch)
        set_epochs(trainer.train_dataloader, trainer.current_epoch)

    def on_train_batch_start(
        self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int
    ) -> None:
        """Replace images by augmented ones, and labels by soft ones, in place."""
        self.follow(trainer)
        augment_in_place(self.layer, batch, self.image, self.label, self.index)

    def follow(self, trainer: Any) -> None:
        """Take over the epoch of the trainer."""
        if self.layer.epoch != trainer.current_epoch:
            self.layer.set_epoch(trainer.current_epoch)


class AugmentedDataModule:
    """A hook for a ``LightningDataModule``: list it first, and set ``augment``.

    ``class Photos(AugmentedDataModule, LightningDataModule)`` with
    ``augment = AugmentCallback("trivialaugment")`` augments its training batches on the device
    after their transfer; the trainer needs no callback.
    """

    augment: AugmentCallback
    trainer: Any

    def __init_subclass__(cls, **options: Any) -> None:
        """Refuse classes in which a hook of Lightning's comes before this one."""
        super().__init_subclass__(**options)
        before = cls.__mro__[1 : cls.__mro__.index(AugmentedDataModule)]
        if any(base.__module__.partition(".")[0] in _LIGHTNING for base in before):
            raise UsageError(
                f"got {cls.__name__} with LightningDataModule before AugmentedDataModule, "
                "which would augment nothing; list the hook first: "
                f"class {cls.__name__}(AugmentedDataModule, LightningDataModule)"
            )

    def setup(self, stage: str) -> None:
        """Check ``augment`` before a training begins."""
        if stage == "fit":
            self._callback()
        super().setup(stage)  # type: ignore[misc]

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Return the batch, augmented during training."""
        if self.trainer is not None and self.trainer.training:
            callback = self._callback()
            callback.follow(self.trainer)
            augment_in_place(callback.layer, batch, callback.image, callback.label, callback.index)
        return super().on_after_batch_transfer(batch, dataloader_idx)  # type: ignore[misc]

    def state_dict(self) -> dict[str, Any]:
        """Return the state of ``augment`` with that of the module."""
        own: dict[str, Any] = super().state_dict()  # type: ignore[misc]
        return {**own, _STATE: self._callback().state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore both."""
        own = dict(state_dict)
        if (kept := own.pop(_STATE, None)) is not None:
            self._callback().load_state_dict(kept)
        super().load_state_dict(own)  # type: ignore[misc]

    def _callback(self) -> AugmentCallback:
        """The callback that the class or the object sets as ``augment``."""
        callback = getattr(self, "augment", None)
        if not isinstance(callback, AugmentCallback):
            got = "no augment" if callback is None else f"augment={callback!r:.60}"
            raise UsageError(
                f"got {got} in {type(self).__name__}; expected the callback that augments its "
                'batches: augment = AugmentCallback("trivialaugment")'
            )
        return callback


def augment_in_place(
    layer: OnDevice,
    batch: Any,
    image: Position = None,
    label: Position = None,
    index: Position = None,
) -> None:
    """Replace the images of a batch, and its labels if the policy mixes them."""
    if not isinstance(batch, (MutableMapping, MutableSequence)):
        raise UsageError(
            f"got a batch of type {type(batch).__name__}, whose parts cannot be replaced; expected "
            "a list or a dict, as torch's collate function returns"
        )
    if not (len(layer.policy.space) or layer.policy.mixes_labels):
        return  # Only the epochs of the loaders are set.
    if batch and all(isinstance(part, (list, tuple, Mapping)) for part in _parts(batch)):
        raise UsageError(
            f"got a {type(batch).__name__} of {len(batch)} batches, as from several loaders; "
            "expected one batch with images. Augment the data set of each loader "
            "(automorph.Augmented, with another seed each), and pass AugmentCallback('none') to "
            "the trainer, which sets their epochs"
        )
    position: Any = find_image(batch, image)
    numbers: Any = None if index is None else get(batch, index)
    numbers = numbers.cpu().numpy() if hasattr(numbers, "cpu") else numbers
    if not layer.policy.mixes_labels:
        batch[position] = layer(get(batch, position), index=numbers)
        return
    other: Any = label if label is not None else "label" if isinstance(batch, MutableMapping) else 1
    images, labels = get(batch, position), get(batch, other)
    batch[position], batch[other] = layer(images, labels, index=numbers)


def set_epochs(loaders: Any, epoch: int) -> None:
    """Set the epoch of everything in some loaders that counts epochs."""
    for loader in _loaders(loaders):
        sampler = getattr(loader, "batch_sampler", None)
        for part in (
            *counting(getattr(loader, "dataset", None)),
            getattr(loader, "collate_fn", None),
            # Lightning sets the epoch of samplers itself, after workers have begun.
            *(one for one in (sampler, getattr(loader, "sampler", None)) if _is_ours(one)),
        ):
            if hasattr(part, "set_epoch"):
                part.set_epoch(epoch)


def _loaders(loaders: Any) -> list[Any]:
    """Return the loaders of a trainer: one, or several in lists and dicts, also nested."""
    if isinstance(loaders, (list, tuple, Mapping)):
        return [one for part in _parts(loaders) for one in _loaders(part)]
    return [loaders]


def _parts(several: Any) -> list[Any]:
    return list(several.values() if isinstance(several, Mapping) else several)


def _is_ours(sampler: Any) -> bool:
    return isinstance(sampler, RepeatCounter)


def _begun_early(loader: Any) -> bool:
    """Return whether workers have begun; a loader that restores its own place must not restart."""
    return getattr(loader, "num_workers", 0) > 0 and not hasattr(loader, "load_state_dict")
