"""The reader of torchvision transforms (v2 and v1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from automorph.interop.ir import Act, NotExpressibleError
from automorph.interop.nearest import no_operation
from automorph.interop.reader_base import Notes, Part, act_of, always, one_of, perhaps
from automorph.interop.reader_refusals import level, pair, refuse, refused
from automorph.interop.reader_steps import blurred, erased, resized_crop, window
from automorph.interop.torchvision import FUNCTIONS, NAME, NATIVE
from automorph.operations import named_space
from automorph.policies import Fill, Policy, SpacePolicy, Uniform, load_policy

Reader = Callable[[Any, Notes], Sequence[Part]]
_KERNELS = {function: kernel for kernel, function in FUNCTIONS.items()}
SKIPPED = (
    "Identity", "ToImage", "ToTensor", "PILToTensor", "ToPILImage", "ToPureTensor", "ToDtype",
    "ConvertImageDtype", "ConvertDtype", "Normalize", "Resize", "CenterCrop", "Pad", "Grayscale",
    "RGB", "Lambda", "LinearTransformation", "SanitizeBoundingBoxes", "ClampBoundingBoxes",
)  # fmt: skip
"""Transforms that are left out because they are not augmentations."""

USUAL: dict[str, dict[str, Any]] = {
    "RandomRotation": {"expand": False, "center": None},
    "RandomAffine": {"center": None},
    "ElasticTransform": {"fill": 0},
}
"""Parameters that a policy cannot express, and the only values that are accepted."""


def read(transform: Any, notes: Notes) -> list[Part]:
    """Return the parts of a transform (v2 or v1); add what was left out to ``notes``."""
    kind = type(transform).__name__
    if kind in SKIPPED:
        notes.skipped += [] if kind == "Identity" else [kind]
        _follow(transform, kind, notes)
        return []
    if kind in ("Compose", "Sequential", "RandomOrder"):
        draws = notes.inside(transform if kind == "Sequential" else transform.transforms)
        if kind == "RandomOrder":
            notes.others.append("RandomOrder: its transforms are applied in the order given")
        return draws
    if kind == "RandomChoice":
        options = [notes.inside([part]) for part in transform.transforms]
        return [one_of(options, transform.p or [1.0] * len(options))]
    if kind == "RandomApply":
        inside = notes.inside(transform.transforms)
        return [perhaps(inside, float(transform.p))] if inside else []
    if kind not in READERS:
        raise no_operation(NAME, kind)
    refuse(transform, **USUAL.get(kind, {}))
    draws = list(READERS[kind](transform, notes))
    if kind in ("ColorJitter", "RandomPhotometricDistort"):
        notes.in_order(draws)
    return draws


def _follow(transform: Any, kind: str, notes: Notes) -> None:
    """Keep what later steps of the pipeline depend on: sizes, and what numbers mean."""
    if kind == "Normalize":
        notes.normal = (_numbers(transform.mean), _numbers(transform.std))
    elif kind in ("ToTensor", "ConvertImageDtype", "ConvertDtype", "ToDtype"):
        notes.level = 1.0
    elif kind in ("Resize", "CenterCrop"):
        size = transform.size
        sides = (size,) if isinstance(size, int) else tuple(size)
        square = kind == "CenterCrop" and len(sides) == 1
        notes.resized = sides[0] if len(sides) == 1 and not square else (sides * 2)[:2]


def _numbers(values: Any) -> tuple[float, ...]:
    found = values.flatten().tolist() if hasattr(values, "flatten") else values
    return tuple(map(float, found)) if isinstance(found, (list, tuple)) else (float(found),)


def _drawn(transform: Any, notes: Notes) -> list[Part]:
    kernel = _KERNELS[transform.operation.__name__]
    unit = "px" if transform.pixels else None
    act = act_of(kernel, *transform.ranges, probability=transform.p, unit=unit,
                 levels=transform.levels)  # fmt: skip
    return [always(act, fill=transform.fill, interpolation=transform.interpolation)]


def _native(kernel: str) -> Reader:
    return lambda transform, notes: [always(act_of(kernel, probability=transform.p))]


def _rotation(transform: Any, notes: Notes) -> list[Part]:
    return [always(act_of("Rotate", pair(transform.degrees)), **_style(transform, notes))]


def _affine(transform: Any, notes: Notes) -> list[Part]:
    low, high = pair(transform.degrees)
    style = _style(transform, notes)
    several = bool(low or high) and any(transform.translate or ())
    if several or transform.scale is not None or transform.shear is not None:
        return [always(_several_moves(transform), **style)]
    # RandomAffine rotates clockwise, RandomRotation does not.
    acts = [act_of("Rotate", (0.0 - high, 0.0 - low))] if low or high else []
    for kernel, share in zip(("TranslateX", "TranslateY"), transform.translate or (), strict=False):
        acts += [act_of(kernel, (-share, share))] if share else []
    return [always(act, **style) for act in acts]


def _several_moves(transform: Any) -> Act:
    low, high = pair(transform.degrees)
    x, y = transform.translate or (0.0, 0.0)
    shear = [*(transform.shear or (0.0, 0.0)), 0.0, 0.0]
    scale = pair(transform.scale or (1.0, 1.0))
    return act_of("Affine", settings={
        "order": "torchvision", "unit": "share", "same_scale": 1,
        "rotate": (0.0 - high, 0.0 - low),
        "translate_x": (0.0 - x, float(x)), "translate_y": (0.0 - y, float(y)),
        "scale_x": scale, "scale_y": scale,
        "shear_x": pair(shear[:2]), "shear_y": pair(shear[2:4]),
    })  # fmt: skip


def _jitter(transform: Any, notes: Notes) -> list[Part]:
    named = {"brightness": "Brightness", "contrast": "Contrast", "saturation": "Color",
             "hue": "Hue"}  # fmt: skip
    ranges = {kernel: getattr(transform, name) for name, kernel in named.items()}
    return [always(act_of(kernel, pair(ends))) for kernel, ends in ranges.items() if ends]


_BEYOND: dict[str, Fill] = {"edge": "edge", "reflect": "reflect", "symmetric": "reflect"}


def _crop(transform: Any, notes: Notes) -> list[Part]:
    padding, size = transform.padding, transform.size
    height, width = (size, size) if isinstance(size, int) else size
    sides = {padding} if isinstance(padding, int) else set(padding or (0,))
    if sides == {0}:
        if transform.pad_if_needed:
            notes.others.append("RandomCrop does not pad images that are smaller than the crop")
        return [window(notes, height, width)]
    if height != width or len(sides) != 1:
        raise NotExpressibleError(
            f"got RandomCrop(size={size}, padding={padding}); expected a square and the same "
            "padding on all sides, as in PadCrop. Use the policy 'crop', which is close to it"
        )
    share, mode = sides.pop() / height, str(transform.padding_mode)
    if mode == "symmetric":
        notes.others.append("the padding of RandomCrop mirrors the image without its edge pixels")
    fill = _fill(transform) if mode == "constant" else _BEYOND[mode]
    return [always(act_of("PadCrop", (share, share)), fill=fill)]


def _part(transform: Any, notes: Notes) -> list[Part]:
    # Crops are never scaled down, so antialias has no effect.
    mode = _named_mode(transform)
    return [resized_crop(notes, transform.scale, transform.ratio, transform.size, mode)]


def _erasing(transform: Any, notes: Notes) -> list[Part]:
    value = transform.value  # v1 keeps "random", v2 None.
    value = None if value == "random" else value
    given = [*(value if isinstance(value, (list, tuple)) else [value or 0])]
    if notes.normal is None and any(abs(level) > 1 for level in given):
        notes.level = 255.0
    return [erased(notes, "torchvision", transform.scale, transform.ratio, value, transform.p)]


def _distort(transform: Any, notes: Notes) -> list[Part]:
    acts = [act for draw in _jitter(transform, notes) for act in draw.options[0]]  # type: ignore[union-attr]
    draws: list[Part] = [always(replace(act, probability=float(transform.p))) for act in acts]
    return [*draws, always(act_of("ChannelShuffle", probability=float(transform.p)))]


def _perspective(transform: Any, notes: Notes) -> list[Part]:
    settings = {"scale": float(transform.distortion_scale)}
    act = act_of("Perspective", probability=float(transform.p), settings=settings)
    return [always(act, **_style(transform, notes))]


def _elastic(transform: Any, notes: Notes) -> list[Part]:
    alphas, sigmas = (
        pair(v) if isinstance(v, (list, tuple)) else (float(v), float(v))
        for v in (transform.alpha, transform.sigma)
    )
    if sigmas[0] != sigmas[1]:
        raise refused(transform, "sigma", sigmas, "the same along both axes")
    # torchvision divides by the side and scales from [-1, 1], which is half of alpha in pixels.
    settings = {"alpha_x": alphas[0] / 2, "alpha_y": alphas[1] / 2, "sigma": sigmas[0],
                "noise": "uniform"}  # fmt: skip
    return [always(act_of("ElasticTransform", settings=settings), **_style(transform, notes))]


def _noise(transform: Any, notes: Notes) -> list[Part]:
    refuse(transform, mean=0.0)
    return [always(act_of("Noise", (float(transform.sigma),) * 2))]


def _solarize(transform: Any, notes: Notes) -> list[Part]:
    threshold = float(transform.threshold)
    if notes.level == 1.0 and 0 < threshold < 1:
        threshold = 255 * threshold
    return [always(act_of("Solarize", (threshold,) * 2, probability=transform.p))]


def _ready(transform: Any, notes: Notes) -> list[Policy]:
    """Read RandAugment and TrivialAugmentWide, whose spaces have names here."""
    kind = type(transform).__name__
    common = _style(transform, notes)
    if kind == "RandAugment":
        share = transform.magnitude / (transform.num_magnitude_bins - 1)
        policy = Uniform(
            operations=named_space("randaugment"), length=transform.num_ops, low=share, high=share,
            **common,
        )  # fmt: skip
    else:
        policy = Uniform(
            operations=named_space("trivialaugment-wide"), length=1,
            levels=transform.num_magnitude_bins, **common,
        )  # fmt: skip
    return [policy]


def _auto(transform: Any, notes: Notes) -> list[Policy]:
    policy = load_policy(f"autoaugment:{transform.policy.value}")
    assert isinstance(policy, SpacePolicy)
    return [replace(policy, **_style(transform, notes))]


READERS: dict[str, Reader] = {
    "Drawn": _drawn,
    **{name.removeprefix("v2."): _native(kernel) for kernel, name in NATIVE.items()},
    "RandomRotation": _rotation,
    "RandomAffine": _affine,
    "ColorJitter": _jitter,
    "RandomCrop": _crop,
    "RandomResizedCrop": _part,
    "RandomSolarize": _solarize,
    "RandomPosterize": lambda t, notes: [
        always(act_of("Posterize", (float(t.bits),) * 2, probability=t.p))
    ],
    "RandomAdjustSharpness": lambda t, notes: [
        always(act_of("Sharpness", (t.sharpness_factor,) * 2, probability=t.p))
    ],
    "GaussianBlur": lambda t, notes: [blurred(t, "kernel_size", t.kernel_size, t.sigma, 1.0)],
    "GaussianNoise": _noise,
    # Grey is colour at factor 0.
    "RandomGrayscale": lambda t, notes: [always(act_of("Color", (0.0, 0.0), probability=t.p))],
    "RandomErasing": _erasing,
    "RandomPerspective": _perspective,
    "RandomPhotometricDistort": _distort,
    "RandomChannelPermutation": lambda t, notes: [always(act_of("ChannelShuffle"))],
    "ElasticTransform": _elastic,
    "RandAugment": _ready,
    "TrivialAugmentWide": _ready,
    "AutoAugment": _auto,
}


def _style(transform: Any, notes: Notes) -> dict[str, Any]:
    return {"fill": _fill(transform), "interpolation": _mode(transform, notes)}


def _named_mode(transform: Any) -> str:
    mode = getattr(transform.interpolation, "value", transform.interpolation)
    # PIL's numbers.
    return {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}.get(mode, str(mode))


def _mode(transform: Any, notes: Notes) -> Any:
    mode = _named_mode(transform)
    if mode not in ("nearest", "bilinear"):
        notes.others.append(f"{type(transform).__name__} interpolates bilinearly, not {mode}")
        return "bilinear"
    return mode


def _fill(transform: Any) -> Fill:
    fill = transform.fill
    if isinstance(fill, dict):
        kinds = {getattr(kind, "__name__", kind): value for kind, value in fill.items()}
        fill = next((kinds[kind] for kind in ("Image", "Tensor", "others") if kind in kinds), 0)
    return level(transform, fill)
