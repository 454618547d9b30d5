"""How the images for a network are resized: as in its pretraining, if it has any."""

from __future__ import annotations

from automorph.data import Resizing
from automorph.models.from_timm import preprocessing_of
from automorph.models.weights import is_pretrained


def resizing_of(model: object) -> Resizing | None:
    """Return how images are resized for a network; None: in the usual way.

    Crop and interpolation are those that timm states for a network with pretrained weights. The
    crop at the centre is taken when images are read, also of training images: policies crop and
    shift them further, and all trainings, evaluations and features share one array.

    >>> resizing_of("timm:tf_efficientnet_lite0:pretrained"), resizing_of("cnn")
    (Resizing(interpolation='bicubic', crop_share=0.875, decode='exact'), None)
    """
    if not is_pretrained(model):
        return None
    found = preprocessing_of(model)
    return Resizing(found.interpolation, found.crop_share)
