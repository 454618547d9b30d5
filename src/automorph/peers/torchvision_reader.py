"""What is read from transforms of torchvision (v2 and v1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from automorph.peers.readings import act_of, always
from automorph.peers.terms import (
    MOVED,
    Act,
    Draw,
    NotExpressibleError,
    terms_of,
)
from automorph.peers.torchvision import FUNCTIONS, NATIVE
from automorph.policies import Uniform, load_policy
from automorph.policies.base import Fill
from automorph.space import named_space

Reader = Callable[[Any], list[Draw]]
_KERNELS = {function: kernel for kernel, function in FUNCTIONS.items()}
_SKIPPED = (
    "Identity", "ToImage", "ToTensor", "PILToTensor", "ToPILImage", "ToPureTensor", "ToDtype",
    "ConvertImageDtype", "ConvertDtype", "Normalize", "Resize", "CenterCrop",
    "SanitizeBoundingBoxes", "ClampBoundingBoxes",
)  # fmt: skip


def read(transform: Any) -> tuple[list[Draw], list[str]]:
    """The draws of a transform (v2 or v1), and what was left out."""
    notes: list[str] = []
    return _read(transform, notes), notes


def _read(transform: Any, notes: list[str]) -> list[Draw]:
    kind = type(transform).__name__
    if kind in _SKIPPED:
        notes += [] if kind == "Identity" else [f"{kind} is no augmentation; keep it beside it"]
        return []
    if kind in ("Compose", "Sequential"):
        inside = transform.transforms if kind == "Compose" else transform
        return [draw for part in inside for draw in _read(part, notes)]
    if kind == "RandomChoice":
        return _choice(transform, notes)
    if kind == "RandomApply":
        acts = _acts(transform.transforms, notes)
        if len(acts) == 1:
            act = acts[0][0]
            once = Act(act.operation, act.stretches, act.probability * transform.p, act.levels)
            return [Draw(((once,),), (1.0,), acts[0][1].fill, acts[0][1].interpolation)]
        chosen = tuple(act for act, _ in acts)
        first = acts[0][1] if acts else always()
        p = float(transform.p)
        return [Draw((chosen, ()), (p, 1 - p), first.fill, first.interpolation)]
    if kind not in _READERS:
        raise NotExpressibleError(
            f"got torchvision's {kind}, which no operation of the catalogue is; leave it out, or "
            "use it in a space: automorph.peer_operation"
        )
    return _READERS[kind](transform)


def _acts(transforms: Any, notes: list[str]) -> list[tuple[Act, Draw]]:
    """The acts of a fixed pipeline, each with the draw it came from."""
    found = []
    for part in transforms:
        for draw in _read(part, notes):
            if len(draw.options) > 1:
                raise NotExpressibleError(
                    "got a choice inside a choice; a policy can say one choice after the other"
                )
            found += [(act, draw) for act in draw.options[0]]
    return found


def _choice(transform: Any, notes: list[str]) -> list[Draw]:
    inside = [_acts([part], notes) for part in transform.transforms]
    options = tuple(tuple(act for act, _ in acts) for acts in inside)
    styles = [draw for acts in inside for act, draw in acts if act.kernel in MOVED]
    style = styles[0] if styles else always()
    weights = [float(p) for p in transform.p]
    shares = tuple(weight / sum(weights) for weight in weights)
    return [Draw(options, shares, style.fill, style.interpolation)]


def _drawn(transform: Any) -> list[Draw]:
    kernel = _KERNELS[transform.operation.__name__]
    unit = "px" if transform.pixels else None
    act = act_of(kernel, *transform.ranges, probability=transform.p, unit=unit,
                 levels=transform.levels)  # fmt: skip
    return [always(act, fill=transform.fill, interpolation=transform.interpolation)]


def _native(kernel: str) -> Reader:
    return lambda transform: [always(act_of(kernel, probability=transform.p))]


def _rotation(transform: Any) -> list[Draw]:
    _refuse(transform, expand=False, center=None)
    return [always(act_of("Rotate", _pair(transform.degrees)), **_style(transform))]


def _affine(transform: Any) -> list[Draw]:
    _refuse(transform, scale=None, shear=None, center=None)
    acts = [act_of("Rotate", _pair(transform.degrees))] if any(transform.degrees) else []
    for kernel, share in zip(("TranslateX", "TranslateY"), transform.translate or (), strict=False):
        acts += [act_of(kernel, (-share, share))] if share else []
    if len(acts) > 1:
        raise NotExpressibleError(
            "got a RandomAffine that turns and moves at once; a policy can say one after the other"
        )
    return [always(act, **_style(transform)) for act in acts]


def _jitter(transform: Any) -> list[Draw]:
    named = {"brightness": "Brightness", "contrast": "Contrast", "saturation": "Color",
             "hue": "Hue"}  # fmt: skip
    ranges = {kernel: getattr(transform, name) for name, kernel in named.items()}
    return [always(act_of(kernel, _pair(ends))) for kernel, ends in ranges.items() if ends]


def _crop(transform: Any) -> list[Draw]:
    padding, size = transform.padding, transform.size
    height, width = (size, size) if isinstance(size, int) else size
    sides = {padding} if isinstance(padding, int) else set(padding or ())
    if height != width or len(sides) != 1:
        raise NotExpressibleError(
            f"got RandomCrop(size={size}, padding={padding}); expected a square and one padding "
            "for all sides, as PadCrop has them"
        )
    share = sides.pop() / height
    return [always(act_of("PadCrop", (share, share)), fill=_fill(transform.fill))]


def _part(transform: Any) -> list[Draw]:
    low, high = transform.scale
    if high != 1:
        raise NotExpressibleError(
            f"got RandomResizedCrop(scale=({low}, {high})); expected (low, 1)"
        )
    return [always(act_of("ResizedCrop", (low, low)))]


def _ready(transform: Any) -> list[Draw]:
    """RandAugment and TrivialAugmentWide: their spaces are named here."""
    kind = type(transform).__name__
    common = {"fill": _fill(transform.fill), "interpolation": _mode(transform)}
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
    return list(terms_of(policy))


def _auto(transform: Any) -> list[Draw]:
    policy = load_policy(f"autoaugment:{transform.policy.value}")
    fill = _fill(transform.fill)
    return list(terms_of(policy.rendered(fill=fill, interpolation=_mode(transform))))


_READERS: dict[str, Reader] = {
    "Drawn": _drawn,
    **{name.removeprefix("v2."): _native(kernel) for kernel, name in NATIVE.items()},
    "RandomRotation": _rotation,
    "RandomAffine": _affine,
    "ColorJitter": _jitter,
    "RandomCrop": _crop,
    "RandomResizedCrop": _part,
    "RandomSolarize": lambda t: [always(act_of("Solarize", (t.threshold,) * 2, probability=t.p))],
    "RandomPosterize": lambda t: [
        always(act_of("Posterize", (float(t.bits),) * 2, probability=t.p))
    ],
    "RandomAdjustSharpness": lambda t: [
        always(act_of("Sharpness", (t.sharpness_factor,) * 2, probability=t.p))
    ],
    "GaussianBlur": lambda t: [always(act_of("Blur", _pair(t.sigma)))],
    "RandAugment": _ready,
    "TrivialAugmentWide": _ready,
    "AutoAugment": _auto,
}


def _style(transform: Any) -> dict[str, Any]:
    return {"fill": _fill(transform.fill), "interpolation": _mode(transform)}


def _mode(transform: Any) -> Any:
    mode = getattr(transform.interpolation, "value", transform.interpolation)
    if mode not in ("nearest", "bilinear"):
        raise NotExpressibleError(f"got interpolation={mode}; expected nearest or bilinear")
    return mode


def _fill(fill: Any) -> Fill:
    value = next(iter(fill.values())) if isinstance(fill, dict) else fill
    if isinstance(value, (list, tuple)):
        return tuple(int(level) for level in value) if len(set(value)) > 1 else int(value[0])
    return int(value or 0)


def _pair(ends: Any) -> tuple[float, float]:
    low, high = (float(end) for end in ends)
    return low, high


def _refuse(transform: Any, **usual: Any) -> None:
    for name, value in usual.items():
        got = getattr(transform, name)
        if got is not value and got != value:
            raise NotExpressibleError(
                f"got {type(transform).__name__} with {name}={got}; a policy can say {value} only"
            )
