"""Policies as transforms of torchvision v2, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from automorph.peers.code import Call, Name
from automorph.peers.fidelity import EQUAL, OWN_PLACES, Fidelity, none
from automorph.peers.readings import act_of, always
from automorph.peers.terms import (
    Act,
    Draw,
    NotExpressibleError,
    NoWordsError,
    does_nothing,
    terms_of,
)
from automorph.policies import Mixture, Policy, Uniform, load_policy
from automorph.policies.base import Fill
from automorph.policies.published import TABLES
from automorph.space import named_space

NAME = "torchvision"
PARTS = "automorph.peers.torchvision_parts"
IMPORTS = "from torchvision.transforms import v2"
TITLE = "torchvision v2"
USE = "augment(image) takes PIL images and uint8 tensors, with boxes, masks and key points."

_NATIVE = {
    "HorizontalFlip": "v2.RandomHorizontalFlip",
    "VerticalFlip": "v2.RandomVerticalFlip",
    "AutoContrast": "v2.RandomAutocontrast",
    "Equalize": "v2.RandomEqualize",
    "Invert": "v2.RandomInvert",
}
_FUNCTIONS = {
    "ShearX": "shear_x", "ShearY": "shear_y", "TranslateX": "translate_x",
    "TranslateY": "translate_y", "Rotate": "rotate", "PadCrop": "pad_crop",
    "ResizedCrop": "resized_crop", "Brightness": "brightness", "Color": "color",
    "Contrast": "contrast", "Sharpness": "sharpness", "Hue": "hue", "Posterize": "posterize",
    "Solarize": "solarize", "Blur": "blur", "Cutout": "cutout", "RandomErasing": "random_erasing",
}  # fmt: skip
_KERNELS = {function: kernel for kernel, function in _FUNCTIONS.items()}
_MOVES = ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "PadCrop", "ResizedCrop")
_WARPS = _MOVES[:6]

FIDELITY: dict[str, Fidelity] = {
    "Identity": EQUAL,
    **dict.fromkeys(_NATIVE, EQUAL),
    **dict.fromkeys(_FUNCTIONS, EQUAL),
    "PadCrop": OWN_PLACES,
    "ResizedCrop": OWN_PLACES,
    "Cutout": OWN_PLACES,
    "RandomErasing": Fidelity("alike", note="places and noise are drawn by the library"),
    "Blur": Fidelity("close", 0.5, "the rest of a rounding"),
    "SolarizeAdd": none("torchvision adds to no part of the levels"),
    "SamplePairing": none("it needs the batch"),
    "Zoom": none("torchvision does not continue edges"),
    "Swirl": none("torchvision has no swirl"),
    "Elastic": none("torchvision's field is another one"),
    "Erosion": none("torchvision has no morphology"),
    "Dilation": none("torchvision has no morphology"),
    "Noise": none("torchvision's noise takes no PIL images"),
}


def names() -> dict[str, Any]:
    """What the names in an export stand for."""
    from torchvision.transforms import v2

    return {"v2": v2, **vars(import_module(PARTS))}


def write(draws: Sequence[Draw], *, size: Any = None) -> tuple[list[Call], list[str]]:
    """The draws as transforms, one after the other, and what is not the same."""
    steps = []
    for draw in draws:
        if len(draw.options) == 1:
            steps += [_act(act, draw) for act in draw.options[0]]
            continue
        options = [together([_act(act, draw) for act in option]) for option in draw.options]
        weights = {} if draw.even else {"p": [round(weight, 9) for weight in draw.weights]}
        steps.append(Call("v2.RandomChoice", (options,), weights))
    return steps, []


def ready(policy: Policy) -> Call | None:
    """torchvision's own class for a policy, if it has one that draws the same."""
    if not isinstance(policy, (Uniform, Mixture)):
        return None
    options: dict[str, Any] = {"fill": policy.fill} if policy.fill else {}
    if policy.interpolation == "bilinear":
        options["interpolation"] = Name("v2.InterpolationMode.BILINEAR")
    plain = policy.rendered(fill=0, interpolation="nearest")
    if isinstance(plain, Mixture):
        published = plain.label.removeprefix("autoaugment:")
        if published not in TABLES or plain != load_policy(f"autoaugment:{published}"):
            return None
        table = Name(f"v2.AutoAugmentPolicy.{published.upper()}")
        return Call("v2.AutoAugment", (table,), options)
    if plain == load_policy("trivialaugment-wide"):
        return Call("v2.TrivialAugmentWide", (), options)
    magnitude = round(plain.high * 30)
    if plain == load_policy(f"randaugment(n={plain.length},m={magnitude})"):
        return Call("v2.RandAugment", (), {"num_ops": plain.length, "magnitude": magnitude,
                                           **options})  # fmt: skip
    return None


def together(steps: list[Call]) -> Call:
    """Transforms one after the other as one."""
    if len(steps) == 1:
        return steps[0]
    return Call("v2.Compose", (steps,)) if steps else Call("v2.Identity")


def _act(act: Act, draw: Draw) -> Call:
    kernel = act.kernel
    if does_nothing(act):
        return Call("v2.Identity")
    if kernel in _NATIVE:
        return Call(_NATIVE[kernel], (), {"p": act.probability})
    if kernel not in _FUNCTIONS:
        raise NoWordsError(kernel)
    options: dict[str, Any] = {} if act.probability >= 1 else {"p": act.probability}
    options |= {"levels": act.levels} if act.levels else {}
    options |= {"moves": True} if kernel in _MOVES else {}
    options |= {"pixels": True} if act.operation.unit == "px" and kernel != "Blur" else {}
    if kernel in _WARPS:
        options |= {"fill": draw.fill} if draw.fill else {}
        linear = draw.interpolation != "nearest"
        options |= {"interpolation": draw.interpolation} if linear else {}
    return Call("Drawn", (Name(_FUNCTIONS[kernel]), *act.stretches), options)


# --- reading ------------------------------------------------------------------------------------

Reader = Callable[[Any], list[Draw]]
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
    styles = [draw for acts in inside for act, draw in acts if act.kernel in _WARPS]
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
    **{name.removeprefix("v2."): _native(kernel) for kernel, name in _NATIVE.items()},
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
