"""The Trainer of transformers: a callback that counts epochs for a policy."""

from __future__ import annotations

from typing import Any

from automorph.errors import MissingExtraError, UsageError

try:
    from transformers import TrainerCallback
except ImportError as error:
    raise MissingExtraError(
        "transformers is not installed; pip install 'automorph[text]'"
    ) from error


class EpochCallback(TrainerCallback):
    """Sets the epoch of transforms and collate functions before each epoch.

    ``Trainer(..., callbacks=[EpochCallback(augment)])``, where ``augment`` is the result of
    ``automorph.integrations.huggingface.transform``, an `automorph.Collate`, or anything with
    ``set_epoch``. A training resumed in mid-epoch keeps its epoch.
    """

    def __init__(self, *counting: Any) -> None:
        for part in counting:
            if not hasattr(part, "set_epoch"):
                raise UsageError(
                    f"got a {type(part).__name__}, which has no set_epoch; expected an "
                    "automorph.Augmented, a transform, or anything else that counts epochs"
                )
        self.counting = counting

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.counting))})"

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **options: Any) -> None:
        """Set the epoch."""
        for part in self.counting:
            part.set_epoch(int(state.epoch or 0))
