"""Classes that match no operation, and the policy that is nearest to each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from automorph.interop.ir import NotExpressibleError
from automorph.interop.reader_refusals import BESIDE


@dataclass(frozen=True)
class Near:
    """A transform that matches no operation: the reason, and the closest policy."""

    why: str
    policy: str


_SHAPE = "it changes the size of images"
_TORCHVISION: dict[str, Near] = {
    "RandomZoomOut": Near(_SHAPE, "resized-crop"),
    "RandomIoUCrop": Near(_SHAPE, "resized-crop"),
    "ScaleJitter": Near(_SHAPE, "resized-crop"),
    "RandomResize": Near(_SHAPE, "resized-crop"),
    "RandomShortestSize": Near(_SHAPE, "resized-crop"),
    "FiveCrop": Near("it makes several images of one", "crop"),
    "TenCrop": Near("it makes several images of one", "flip-crop"),
    "JPEG": Near("its pixels depend on the version of a codec", "augmix"),
    "MixUp": Near("it works on batches with labels, not on images", "mixup"),
    "CutMix": Near("it works on batches with labels, not on images", "cutmix"),
    "AugMix": Near(
        "it draws magnitudes in whole steps, over its own ranges",
        "augmix(severity=3,width=3,depth=0)",
    ),
}


_WEATHER = "it paints weather"
_CODEC = "its pixels depend on the version of a codec"
_ALBUMENTATIONS: dict[str, Near] = {
    "SafeRotate": Near("it shrinks the image to fit", "randaugment(n=1,m=9)"),
    "Perspective": Near("its corners move by normal numbers", "resized-crop"),
    "RandomScale": Near("it changes the size of images", "resized-crop"),
    "RandomSizedBBoxSafeCrop": Near("it depends on boxes", "resized-crop"),
    "CropNonEmptyMaskIfExists": Near("it depends on masks", "resized-crop"),
    "CropAndPad": Near("it crops and pads by own amounts", "crop"),
    "ImageCompression": Near(_CODEC, "augmix"),
    "Downscale": Near("it resizes twice with OpenCV", "resized-crop"),
    "ISONoise": Near("its noise depends on the lightness", "augmix"),
    "MultiplicativeNoise": Near("its noise multiplies", "augmix"),
    "RandomFog": Near(_WEATHER, "augmix"),
    "RandomRain": Near(_WEATHER, "augmix"),
    "RandomSnow": Near(_WEATHER, "augmix"),
    "RandomShadow": Near(_WEATHER, "random-erasing"),
    "RandomSunFlare": Near(_WEATHER, "random-erasing"),
    "RandomToneCurve": Near("it bends the levels by a curve of its own", "trivialaugment"),
    "FancyPCA": Near("it depends on the colours of each image", "trivialaugment"),
    "ToSepia": Near("it mixes channels by a table of its own", "trivialaugment"),
    "GridDropout": Near("it erases a grid", "random-erasing"),
    "PixelDropout": Near("it erases single pixels", "augmix"),
    "MixUp": Near("it works on batches with labels", "mixup"),
    "Mosaic": Near("it joins several images", "cutmix"),
}


_OWN = "kornia uses its own operations and ranges"
_KORNIA: dict[str, Near] = {
    "RandAugment": Near(f"{_OWN}, and repeats no operation", "randaugment(n=2,m=9)"),
    "TrivialAugment": Near(_OWN, "trivialaugment-wide"),
    "AutoAugment": Near(_OWN, "autoaugment:imagenet"),
    "RandomMotionBlur": Near("its lines have other weights", "augmix"),
    "RandomElasticTransform": Near("its kernel cuts the Gaussian short", "augmix"),
    "RandomThinPlateSpline": Near("it bends by a spline of its own", "augmix"),
    "RandomFisheye": Near("it bends by a lens of its own", "augmix"),
    "RandomPlanckianJitter": Near("it changes the colour temperature", "trivialaugment"),
    "RandomJigsaw": Near("it works on a batch", "cutmix"),
    "RandomMosaic": Near("it joins several images of a batch", "cutmix"),
    "RandomMixUpV2": Near("it works on batches with labels", "mixup"),
    "RandomCutMixV2": Near("it works on batches with labels", "cutmix"),
    "RandomTransplantation": Near("it joins several images of a batch", "cutmix"),
    "RandomSaltAndPepperNoise": Near("its noise is black and white", "augmix"),
    "RandomJPEG": Near("its compression is differentiable", "augmix"),
    "RandomChannelDropout": Near("it blackens a channel", "trivialaugment"),
}


_TIMM: dict[str, Near] = {
    "AutoAugment": Near("its policies are not the published ones", "autoaugment:imagenet"),
    "RandomPad": Near("it changes the size of images", "crop"),
    "RandomCropOrPad": Near("it changes the size of images", "crop"),
    "RandomResizedCropToSequence": Near("it makes patches of any number", "resized-crop"),
    "Mixup": Near("it works on batches with labels", "mixup"),
    "FastCollateMixup": Near("it works on batches with labels", "mixup"),
}


_VOLUME = "it needs three dimensions, or masks"
_OTHERS: dict[str, dict[str, Near]] = {
    "monai": {
        "Rand2DElastic": Near("its field is another", "augmix"),
        "RandCropByPosNegLabel": Near(_VOLUME, "resized-crop"),
        "RandCropByLabelClasses": Near(_VOLUME, "resized-crop"),
        "RandHistogramShift": Near("it bends the levels by a curve", "trivialaugment"),
        "RandBiasField": Near("it paints a smooth field", "trivialaugment"),
        "RandGibbsNoise": Near("it works in k-space", "augmix"),
        "RandKSpaceSpikeNoise": Near("it works in k-space", "augmix"),
    },
    "torchio": {
        "RandomElasticDeformation": Near("its splines are others", "augmix"),
        "RandomMotion": Near("it works in k-space", "augmix"),
        "RandomGhosting": Near("it works in k-space", "augmix"),
        "RandomSpike": Near("it works in k-space", "augmix"),
        "RandomBiasField": Near("it paints a smooth field", "trivialaugment"),
        "RandomAnisotropy": Near("it changes the resolution", "resized-crop"),
        "RandomSwap": Near("it exchanges patches", "random-erasing"),
    },
    "ultralytics": {
        "Mosaic": Near("it joins several images", "cutmix"),
        "MixUp": Near("it works on boxes", "mixup"),
        "CutMix": Near("it works on boxes", "cutmix"),
        "CopyPaste": Near("it joins several images", "cutmix"),
    },
}


NEAR: dict[str, dict[str, Near]] = {
    "torchvision": _TORCHVISION,
    "albumentations": _ALBUMENTATIONS,
    "kornia": _KORNIA,
    "timm": _TIMM,
    **_OTHERS,
}
"""Transforms that are refused, with the policy that is closest, by library."""


def no_operation(library: str, kind: str, near: Near | None = None) -> NotExpressibleError:
    """Return the error for a transform that the catalogue does not have."""
    near = near or NEAR[library].get(kind)
    if near is None:
        return NotExpressibleError(
            f"got {library}'s {kind}, which matches no operation of the catalogue; {BESIDE}"
        )
    return NotExpressibleError(
        f"got {library}'s {kind}, which cannot be read exactly: {near.why}. Use the policy "
        f"{near.policy!r}, which is close to it, {BESIDE}"
    )


_SOUND = ("audiomentations", "torch_audiomentations", "torchaudio", "nlpaug", "textaugment")


_FAMILIAR = {
    "cutout": "cutout", "erasing": "random-erasing", "dropout": "random-erasing",
    "cutmix": "cutmix", "mosaic": "cutmix", "mixup": "mixup", "crop": "resized-crop",
    "scale": "resized-crop", "zoom": "resized-crop", "flip": "flip", "mirror": "flip",
    "augmix": "augmix", "noise": "augmix", "blur": "augmix", "trivial": "trivialaugment-wide",
    "autoaug": "autoaugment:imagenet", "imagenetpolicy": "autoaugment:imagenet",
    "cifar10policy": "autoaugment:cifar10", "svhnpolicy": "autoaugment:svhn",
    "solar": "trivialaugment", "color": "trivialaugment", "colour": "trivialaugment",
    "light": "trivialaugment", "timemask": "cutout", "freq": "cutout", "specaug": "cutout",
}  # fmt: skip
"""Policies near a class, by a part of its name."""


def foreign(transform: Any, libraries: Iterable[str]) -> NotExpressibleError:
    """Return the error for a class of none of the libraries, with the nearest policy."""
    kind = type(transform)
    home = kind.__module__.partition(".")[0]
    name = f"{kind.__module__}.{kind.__qualname__}"
    plain = kind.__name__.lower().replace("_", "")
    nearest = next((policy for part, policy in _FAMILIAR.items() if part in plain),
                   "randaugment(n=2,m=9)")  # fmt: skip
    if home in _SOUND:
        return NotExpressibleError(
            f"got {name}, which works on sound or text, not on images; expected a transform of "
            f"{', '.join(libraries)}. Apply it before you make the spectrogram; for masks of time "
            "and frequency on spectrograms as images, use the policy 'cutout', which is close"
        )
    if not callable(transform):
        return NotExpressibleError(
            f"got {kind.__name__} {transform!r:.60}; expected a transform of "
            f"{', '.join(libraries)}, or a name for load_policy"
        )
    return NotExpressibleError(
        f"got {name}, a class that is not known (only its module and name together say what it "
        f"does); expected a transform of {', '.join(libraries)}, or a name for load_policy. Use "
        f"the library's own class of that name if it does the same, or the policy {nearest!r}, "
        f"which is nearest by name, {BESIDE}"
    )
