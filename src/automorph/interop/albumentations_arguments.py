"""All arguments of albumentations' transforms (2.0.8), so that exports leave none to a default.

Other versions and AlbumentationsX have other defaults: its GaussNoise is grey.
"""

from __future__ import annotations

from typing import Any

from automorph.interop.call_ast import Call, Name

_NEAREST, _LINEAR = Name("cv2.INTER_NEAREST"), Name("cv2.INTER_LINEAR")

ARGUMENTS: dict[str, dict[str, Any]] = {
    "A.Affine": {
        "scale": (1.0, 1.0),
        "translate_percent": None,
        "translate_px": None,
        "rotate": 0.0,
        "shear": (0.0, 0.0),
        "interpolation": _LINEAR,
        "mask_interpolation": _NEAREST,
        "fit_output": False,
        "keep_ratio": False,
        "rotate_method": "largest_box",
        "balanced_scale": False,
        "border_mode": Name("cv2.BORDER_CONSTANT"),
        "fill": 0,
        "fill_mask": 0,
    },
    "A.AutoContrast": {"cutoff": 0, "ignore": None, "method": "cdf"},
    "A.CoarseDropout": {
        "num_holes_range": (1, 2),
        "hole_height_range": (0.1, 0.2),
        "hole_width_range": (0.1, 0.2),
        "fill": 0,
        "fill_mask": None,
    },
    "A.ColorJitter": {
        "brightness": (0.8, 1.2),
        "contrast": (0.8, 1.2),
        "saturation": (0.8, 1.2),
        "hue": (-0.5, 0.5),
    },
    "A.Equalize": {"mode": "cv", "by_channels": True, "mask": None, "mask_params": ()},
    "A.Erasing": {
        "scale": (0.02, 0.33),
        "ratio": (0.3, 3.3),
        "fill": 0,
        "fill_mask": None,
    },
    "A.GaussianBlur": {"blur_limit": 0, "sigma_limit": (0.5, 3.0)},
    "A.GaussNoise": {
        "std_range": (0.2, 0.44),
        "mean_range": (0.0, 0.0),
        "per_channel": True,
        "noise_scale_factor": 1,
    },
    "A.HorizontalFlip": {},
    "A.InvertImg": {},
    "A.Morphological": {"scale": (2, 3), "operation": "dilation"},
    "A.NoOp": {},
    "A.OneOf": {},
    "A.Posterize": {"num_bits": 4},
    "A.RandomGamma": {"gamma_limit": (80, 120)},
    "A.RandomResizedCrop": {
        "scale": (0.08, 1.0),
        "ratio": (3 / 4, 4 / 3),
        "interpolation": _LINEAR,
        "mask_interpolation": _NEAREST,
        "area_for_downscale": None,
    },
    "A.Sequential": {},
    "A.Sharpen": {
        "alpha": (0.2, 0.5),
        "lightness": (0.5, 1.0),
        "method": "kernel",
        "kernel_size": 5,
        "sigma": 1.0,
    },
    "A.Solarize": {"threshold_range": (0.5, 0.5)},
    "A.VerticalFlip": {},
}
"""Every argument but ``p`` and those without a default, with its default."""


def spelled_out(value: Any) -> Any:
    """Return calls, also those inside others, with all their arguments.

    >>> spelled_out(Call("A.GaussianBlur", (), {"sigma_limit": (1.0, 1.0), "p": 1.0})).options
    {'blur_limit': 0, 'sigma_limit': (1.0, 1.0), 'p': 1.0}
    """
    if isinstance(value, (list, tuple)):
        return type(value)(map(spelled_out, value))
    if not isinstance(value, Call):
        return value
    given = {key: spelled_out(option) for key, option in value.options.items()}
    p = {"p": given.pop("p", 1.0)}
    required = {key: option for key, option in given.items() if key not in ARGUMENTS[value.name]}
    options = {**required, **ARGUMENTS[value.name], **given, **p}
    return Call(value.name, spelled_out(value.arguments), options)
