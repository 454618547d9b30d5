"""The window of a source, chosen while it is read, before its parts are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data.deep_pixels import Window
from automorph.data.splits import default_training_rows
from automorph.data.together import canonical, joined
from automorph.data.window_record import WindowRecord
from automorph.data.windows import WindowChoice, choose_window
from automorph.errors import UsageError


def window_of_parts(
    name: str,
    sources: Mapping[str, Sequence[Any]],
    ids: Mapping[str, Sequence[str]],
    choice: WindowChoice,
    *,
    labels: NDArray[np.int64],
    classes: tuple[str, ...],
    subgroups: NDArray[np.int64] | None = None,
    subgroup_names: tuple[str, ...] = (),
    together: Sequence[str] | None = None,
) -> tuple[Window, WindowRecord]:
    """Choose the window of the images of all parts, from training images only.

    These are the images that the default split will leave in the training part: ``labels``,
    ``subgroups`` and ``together`` (the values of ``keep_together``) are those of the train part.
    """
    units = None
    if together is not None:
        units = joined([np.array([canonical(str(v)).encode() for v in together], dtype=bytes)])
    training = default_training_rows(
        classes, labels, subgroup_names, subgroups, present=sources, units=units
    )
    # The train part comes first, so that its rows keep their numbers.
    order = ["train", *(part for part in sources if part != "train")]
    return choose_window(
        name,
        [source for part in order for source in sources[part]],
        [str(id) for part in order for id in ids[part]],
        training,
        choice,
    )


def no_window_needed(name: str, choice: WindowChoice) -> UsageError:
    """Return the error for a window of 8-bit images."""
    return UsageError(
        f"window={choice!r}: no image of {name} has more than 8 bits, so no window is needed. "
        "Expected 16-bit images or DICOM files: leave the window out."
    )
