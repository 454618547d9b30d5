"""The policies that have a name, as functions: each builds one policy."""

from __future__ import annotations

from collections.abc import Callable

from automorph.errors import PolicyError
from automorph.policies.augmix import AugMix
from automorph.policies.base import Policy
from automorph.policies.mixed import Mixed
from automorph.policies.mixture import Drawn, Mixture, Step
from automorph.policies.published import TABLES, published_subpolicies
from automorph.policies.uniform import Uniform
from automorph.space import OPERATIONS, SearchSpace, named_space

Space = str | SearchSpace


def _space(space: Space) -> SearchSpace:
    return space if isinstance(space, SearchSpace) else named_space(space)


def _within(name: str, what: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise PolicyError(
            f"{name} got {what}={value:g}; expected a number from {low:g} to {high:g}"
        )


def _suffix(space: Space, usual: str) -> str:
    name = space if isinstance(space, str) else space.name
    return "" if name == usual else f",space={name}"


def _fixed(label: str, *steps: Step, space: SearchSpace | None = None) -> Mixture:
    operations = space or SearchSpace(label, tuple(OPERATIONS[step.operation] for step in steps))
    return Mixture(label=label, operations=operations, subpolicies=(steps,) if steps else ())


def none() -> Policy:
    """No augmentation: every example stays as it is."""
    return _fixed("none")


def flip(p: float = 0.5) -> Policy:
    """Mirrors left and right with probability p."""
    _within("flip", "p", p, 0, 1)
    return _fixed("flip" if p == 0.5 else f"flip(p={p:g})", Step("HorizontalFlip", p))


def crop(pad: float = 0.125) -> Policy:
    """Pads all sides by a share of the side (4 of 32 pixels) and cuts the old size out."""
    _within("crop", "pad", pad, 0, 1)
    held = SearchSpace("crop", (OPERATIONS["PadCrop"].between(0, max(pad, 1e-9)),))
    label = "crop" if pad == 0.125 else f"crop(pad={pad:g})"
    return _fixed(label, Step("PadCrop", 1.0, 1.0), space=held)


def flip_crop(pad: float = 0.125) -> Policy:
    """Pad-and-crop, then a flip with probability 1/2: the standard of CIFAR training."""
    _within("flip-crop", "pad", pad, 0, 1)
    held = OPERATIONS["PadCrop"].between(0, max(pad, 1e-9))
    space = SearchSpace("flip-crop", (held, OPERATIONS["HorizontalFlip"]))
    label = "flip-crop" if pad == 0.125 else f"flip-crop(pad={pad:g})"
    return _fixed(label, Step("PadCrop", 1.0, 1.0), Step("HorizontalFlip", 0.5), space=space)


def cutout(size: float = 0.5, p: float = 1.0) -> Policy:
    """Cutout (DeVries and Taylor 2017): a grey square; size in pixels, or below 1 as a share."""
    _within("cutout", "size", size, 0, 1024)
    _within("cutout", "p", p, 0, 1)
    base = OPERATIONS["Cutout"]
    held = base.between(0, size)
    if size >= 1:
        held = type(base)(
            "Cutout", low=0, high=size, identity=0, unit="px", random=True,
            label_risk=base.label_risk, about="Greys out a square at a random centre (pixels).",
        )  # fmt: skip
    label = f"cutout({size:g})" if p >= 1 else f"cutout(size={size:g},p={p:g})"
    return _fixed(label, Step("Cutout", p, 1.0), space=SearchSpace("cutout", (held,)))


def random_erasing(p: float = 0.5, area: float = 0.4) -> Policy:
    """Random Erasing (Zhong et al. 2020): a rectangle of up to ``area`` is filled with noise."""
    _within("random-erasing", "p", p, 0, 1)
    _within("random-erasing", "area", area, 0, 1)
    held = OPERATIONS["RandomErasing"].between(0, area)
    space = SearchSpace("random-erasing", (held,))
    label = f"random-erasing(p={p:g},area={area:g})"
    return _fixed(label, Step("RandomErasing", p, 1.0), space=space)


def resized_crop(area: float = 0.08) -> Policy:
    """A random part of at least this share of the area, resized back (Inception, ImageNet)."""
    _within("resized-crop", "area", area, 0.01, 1)
    held = OPERATIONS["ResizedCrop"].between(area, 1)
    label = f"resized-crop(area={area:g})"
    return _fixed(label, Step("ResizedCrop", 1.0, 1.0), space=SearchSpace(label, (held,)))


def randaugment(n: int = 2, m: float = 9, space: Space = "randaugment") -> Policy:
    """RandAugment (Cubuk et al. 2019): n operations at the global magnitude m of 30."""
    _within("randaugment", "n", n, 0, 20)
    _within("randaugment", "m", m, 0, 30)
    label = f"randaugment(n={n},m={m:g}{_suffix(space, 'randaugment')})"
    return Uniform(label=label, operations=_space(space), length=n, low=m / 30, high=m / 30)


def trivialaugment(space: Space = "trivialaugment") -> Policy:
    """TrivialAugment (Mueller and Hutter 2021): one operation, one of 31 magnitudes."""
    name = space if isinstance(space, str) else space.name
    label = {"trivialaugment": "trivialaugment", "trivialaugment-wide": "trivialaugment-wide"}.get(
        name, f"trivialaugment(space={name})"
    )
    return Uniform(label=label, operations=_space(space), length=1, levels=31)


def trivialaugment_wide() -> Policy:
    """TrivialAugment with its wide ranges, for large networks."""
    return trivialaugment("trivialaugment-wide")


def uniformaugment(n: int = 2, space: Space = "autoaugment") -> Policy:
    """UniformAugment (LingChen et al. 2020): n operations, fair coins, uniform magnitudes."""
    _within("uniformaugment", "n", n, 0, 20)
    label = f"uniformaugment(n={n}{_suffix(space, 'autoaugment')})"
    return Uniform(label=label, operations=_space(space), length=n, probability=0.5)


def composition(
    n: int = 2, p: float = 0.5, low: float = 0.0, high: float = 1.0, space: Space = "randaugment"
) -> Policy:
    """Random composition: n operations, each with probability p, magnitudes uniform in range."""
    _within("composition", "n", n, 0, 20)
    _within("composition", "p", p, 0, 1)
    _within("composition", "low", low, 0, high)
    _within("composition", "high", high, low, 1)
    extra = f",low={low:g},high={high:g}" if (low, high) != (0, 1) else ""
    label = f"composition(n={n},p={p:g}{extra}{_suffix(space, 'randaugment')})"
    return Uniform(
        label=label, operations=_space(space), length=n, probability=p, low=low, high=high
    )


def augmix(severity: float = 3, width: int = 3, depth: int = 0, space: Space = "augmix") -> Policy:
    """AugMix (Hendrycks et al. 2020); depth 0: each chain draws a length from 1 to 3."""
    _within("augmix", "severity", severity, 0.1, 10)
    _within("augmix", "width", width, 1, 8)
    _within("augmix", "depth", depth, 0, 10)
    label = f"augmix(severity={severity:g},width={width},depth={depth}{_suffix(space, 'augmix')})"
    return AugMix(
        label=label, operations=_space(space), severity=severity, width=width,
        depth=depth or 3, fixed_depth=depth > 0,
    )  # fmt: skip


def autoaugment(policy: str = "cifar10") -> Policy:
    """A published AutoAugment policy (Cubuk et al. 2018): cifar10, svhn or imagenet."""
    if policy not in TABLES:
        raise PolicyError(
            f"there is no published AutoAugment policy {policy!r}; expected one of "
            f"{', '.join(TABLES)}, as in autoaugment:cifar10"
        )
    return Mixture(
        label=f"autoaugment:{policy}",
        operations=named_space("autoaugment"),
        subpolicies=published_subpolicies(policy),
    )


def random(
    count: int = 25, length: int = 2, seed: int | None = None, space: Space = "autoaugment"
) -> Policy:
    """A random policy of the search space, drawn anew for every training seed: the control."""
    _within("random", "count", count, 1, 1000)
    _within("random", "length", length, 1, 20)
    changed = [
        f"{key}={value}"
        for key, value, usual in (("count", count, 25), ("length", length, 2), ("seed", seed, None))
        if value != usual
    ]
    changed += [_suffix(space, "autoaugment").lstrip(",")]
    inside = ",".join(filter(None, changed))
    label = f"random({inside})" if inside else "random"
    return Drawn(label=label, operations=_space(space), count=count, length=length, seed=seed)


def mixup(alpha: float = 1.0) -> Policy:
    """mixup (Zhang et al. 2018): blends pairs of examples and of labels."""
    _within("mixup", "alpha", alpha, 1e-3, 1e3)
    return Mixed(mix="mixup", alpha=alpha)


def cutmix(alpha: float = 1.0, p: float = 0.5) -> Policy:
    """CutMix (Yun et al. 2019): pastes a box of another example, labels by area."""
    _within("cutmix", "alpha", alpha, 1e-3, 1e3)
    _within("cutmix", "p", p, 0, 1)
    return Mixed(mix="cutmix", alpha=alpha, probability=p)


NAMED: dict[str, Callable[..., Policy]] = {
    "none": none,
    "flip": flip,
    "crop": crop,
    "flip-crop": flip_crop,
    "resized-crop": resized_crop,
    "cutout": cutout,
    "random-erasing": random_erasing,
    "randaugment": randaugment,
    "trivialaugment": trivialaugment,
    "trivialaugment-wide": trivialaugment_wide,
    "uniformaugment": uniformaugment,
    "composition": composition,
    "augmix": augmix,
    "autoaugment": autoaugment,
    "random": random,
    "mixup": mixup,
    "cutmix": cutmix,
}
