"""The named policies, as functions that each build one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from automorph.errors import PolicyError
from automorph.operations import MEAN, OPERATIONS, Operation, SearchSpace, named_space, plain
from automorph.policies.augmix import AugMix
from automorph.policies.autoaugment_tables import TABLES, published_subpolicies
from automorph.policies.base import Policy, check_range
from automorph.policies.batch_mixing import Mixed
from automorph.policies.builtin_text import NAMED_TEXTS, NAMED_WITH_FILES
from automorph.policies.chain import chained
from automorph.policies.formatting import number_text
from automorph.policies.naming import with_options
from automorph.policies.published import dada, fast_autoaugment, pba, published_randaugment
from automorph.policies.random_policy import RandomPolicy
from automorph.policies.rendering import BEYOND
from automorph.policies.subpolicies import Mixture, Step
from automorph.policies.uniform import Uniform
from automorph.registry import Entry, Registry, unknown

Space = str | SearchSpace


def none() -> Policy:
    """No augmentation: every example stays as it is."""
    return Mixture(label="none", operations=SearchSpace("none", ()))


def flip(p: float = 0.5) -> Policy:
    """Mirror left and right with probability p."""
    check_range("flip", "p", p, float, 0, 1)
    label = with_options("flip", _changed(p=(p, 0.5)))
    return _fixed(label, (OPERATIONS["HorizontalFlip"], p))


def turns() -> Policy:
    """Draw one of the eight quarter turns and mirrorings, for images without an upright side.

    Turns by 90 degrees are exact; an image that is not square keeps its shape.
    """
    turn = OPERATIONS["Rotate"].between(-90, 90)  # Its sign is drawn.
    space = SearchSpace("turns", (turn, OPERATIONS["HorizontalFlip"], OPERATIONS["VerticalFlip"]))
    mirror = Step("HorizontalFlip", 0.5, 1.0)
    return Mixture(
        label="turns",
        operations=space,
        subpolicies=(
            (mirror,),
            (Step("VerticalFlip", 1.0, 1.0), mirror),
            (Step("Rotate", 1.0, 1.0), mirror),
        ),
        weights=(1.0, 1.0, 2.0),
    )


def crop(pad: float = 0.125, mode: str = "fill") -> Policy:
    """Pad all sides by a share (4 of 32 pixels; mode fill, edge or reflect), then crop."""
    label = with_options("crop", _changed(pad=(pad, 0.125)))
    return _padded("crop", mode, _fixed(label, (_pad_crop("crop", pad), 1.0)))


def flip_crop(pad: float = 0.125, mode: str = "fill") -> Policy:
    """Pad-and-crop, then a flip with probability 1/2: the standard of CIFAR training."""
    label = with_options("flip-crop", _changed(pad=(pad, 0.125)))
    operation = _pad_crop("flip-crop", pad)
    steps = (operation, 1.0), (OPERATIONS["HorizontalFlip"], 0.5)
    return _padded("flip-crop", mode, _fixed(label, *steps))


def resized_crop(area: float = 0.08) -> Policy:
    """Random crop of at least this share of the area, resized back (Inception, ImageNet)."""
    check_range("resized-crop", "area", area, float, 0.01, 1)
    operation = OPERATIONS["ResizedCrop"].between(area, 1)
    return _fixed(f"resized-crop(area={number_text(area)})", (operation, 1.0))


def cutout(size: float = 0.5, p: float = 1.0) -> Policy:
    """Cutout (DeVries and Taylor 2017): a square in the data's mean; size in pixels or a share."""
    check_range("cutout", "size", size, float, 0, 10_000)
    check_range("cutout", "p", p, float, 0, 1)
    operation = replace(OPERATIONS["Cutout"], low=0, high=size, fill=MEAN)
    if size >= 1:
        operation = replace(operation, unit="px")
    side = number_text(size)
    label = f"cutout({side})" if p == 1 else f"cutout(size={side},p={number_text(p)})"
    return _fixed(label, (operation, p))


def random_erasing(p: float = 0.5, area: float = 0.4) -> Policy:
    """Random Erasing (Zhong et al. 2020): fill a rectangle of up to this area with noise."""
    check_range("random-erasing", "p", p, float, 0, 1)
    check_range("random-erasing", "area", area, float, 0, 1)
    operation = OPERATIONS["RandomErasing"].between(0, area)
    return _fixed(f"random-erasing(p={number_text(p)},area={number_text(area)})", (operation, p))


def randaugment(n: int = 2, m: float = 9, space: Space = "randaugment") -> Policy:
    """RandAugment (Cubuk et al. 2019): n operations at the global magnitude m of 30."""
    check_range("randaugment", "n", n, int, 0, 20)
    check_range("randaugment", "m", m, float, 0, 30)
    return Uniform(operations=_space(space), length=n, low=m / 30, high=m / 30)


def trivialaugment(space: Space = "trivialaugment") -> Policy:
    """TrivialAugment (Mueller and Hutter 2021): one operation, one of 31 magnitudes."""
    return Uniform(operations=_space(space), length=1, levels=31)


def trivialaugment_wide() -> Policy:
    """TrivialAugment with its wide ranges, for large networks."""
    return trivialaugment("trivialaugment-wide")


def uniformaugment(n: int = 2, space: Space = "autoaugment") -> Policy:
    """UniformAugment (LingChen et al. 2020): n operations, fair coins, uniform magnitudes."""
    check_range("uniformaugment", "n", n, int, 0, 20)
    return Uniform(operations=_space(space), length=n, probability=0.5)


def composition(
    n: int = 2, p: float = 0.5, low: float = 0.0, high: float = 1.0, levels: int = 0,
    spread: float = 0.0, space: Space = "randaugment",
) -> Policy:  # fmt: skip
    """Random composition: n operations, each with probability p, magnitudes uniform in range."""
    check_range("composition", "n", n, int, 0, 100)
    check_range("composition", "p", p, float, 0, 1)
    return Uniform(
        operations=_space(space), length=n, probability=p, low=low, high=high, levels=levels,
        spread=spread,
    )  # fmt: skip


def augmix(
    severity: float = 3, width: int = 3, depth: int = 0, weakest: float = 0.1, alpha: float = 1.0,
    share: float | None = None, space: Space = "augmix",
) -> Policy:  # fmt: skip
    """AugMix (Hendrycks et al. 2020); depth 0: each chain draws a length from 1 to 3."""
    return AugMix(
        operations=_space(space), severity=severity, width=width, depth=depth, weakest=weakest,
        alpha=alpha, share=share,
    )  # fmt: skip


def autoaugment(policy: str = "cifar10") -> Policy:
    """A published AutoAugment policy (Cubuk et al. 2018): cifar10, svhn or imagenet."""
    name = {plain(known): known for known in TABLES}.get(plain(policy))
    if name is None:
        raise PolicyError(unknown("published policy", policy, TABLES, where="of AutoAugment"))
    return Mixture(
        label=f"autoaugment:{name}",
        operations=named_space("autoaugment"),
        subpolicies=published_subpolicies(name),
    )


def random(
    count: int = 25, length: int = 2, seed: int | None = None, space: Space = "autoaugment"
) -> Policy:
    """Random policy of the search space, drawn again for every training seed: the control."""
    return RandomPolicy(operations=_space(space), count=count, length=length, seed=seed)


def mixup(alpha: float = 1.0, p: float = 1.0, partner: str = "batch") -> Policy:
    """mixup (Zhang et al. 2018): blend pairs of examples and of labels; partner batch or set."""
    check_range("mixup", "p", p, float, 0, 1)
    if partner not in ("batch", "set"):
        raise PolicyError(f"mixup got partner={partner!r:.60}; expected batch or set")
    mix: Literal["mixup", "set-mixup"] = "mixup" if partner == "batch" else "set-mixup"
    return Mixed(mix=mix, alpha=alpha, probability=p)


def dauphin() -> Policy:
    """The default operations of uncertainty sampling (Wu et al. 2020), to follow its draws.

    A crop from the mirrored image, a flip, Cutout of a random side in the mean of the data, and
    mixup of every second example with any other of the training part.
    """
    return chained(
        crop(mode="reflect"), flip(), composition(n=1, p=1, space="cutout"),
        mixup(p=0.5, partner="set"),
    )  # fmt: skip


def cutmix(alpha: float = 1.0, p: float = 0.5) -> Policy:
    """CutMix (Yun et al. 2019): paste a box of another example, labels by area."""
    check_range("cutmix", "p", p, float, 0, 1)
    return Mixed(mix="cutmix", alpha=alpha, probability=p)


NAMED: dict[str, Callable[..., Policy]] = {
    "none": none,
    "flip": flip,
    "turns": turns,
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
    "fast-autoaugment": fast_autoaugment,
    "dada": dada,
    "pba": pba,
    "random": random,
    "mixup": mixup,
    "cutmix": cutmix,
    "dauphin": dauphin,
    **NAMED_TEXTS,
}
READY = {"randaugment": published_randaugment}
"""What builds ``NAME:WORD`` where the options of the policy are not words."""
POLICIES = Registry(
    "policy",
    *(
        Entry(name, build, ready=READY.get(name))
        for name, build in (NAMED | NAMED_WITH_FILES).items()
    ),
    example="randaugment(n=2,m=9), autoaugment:cifar10 or rand-m9-mstd0.5-inc1",
    error=PolicyError,
    listing="policies",
    also=", a timm string (rand-m9-mstd0.5-inc1), the path of a policy.json, or (in train and "
    "compare) an in-training method",
    aliases={"trivial": "trivialaugment", "identity": "none", "horizontal-flip": "flip"},
)
"""All named policies, and those that need a model or a file of the user."""


def _space(space: Space) -> SearchSpace:
    from automorph.policies.space_file import load_space  # It reads policies, too.

    return load_space(space)


def _changed(**options: tuple[float, float]) -> list[str]:
    """Return the options that differ from their defaults; each comes with its default."""
    return [
        f"{what}={number_text(value)}"
        for what, (value, default) in options.items()
        if value != default
    ]


def _fixed(label: str, *steps: tuple[Operation, float]) -> Mixture:
    """Build a pipeline of operations at full magnitude, each with its probability."""
    return Mixture(
        label=label,
        operations=SearchSpace(label.partition("(")[0], tuple(operation for operation, _ in steps)),
        subpolicies=(tuple(Step(operation.name, p, 1.0) for operation, p in steps),),
    )


def _padded(who: str, mode: str, policy: Policy) -> Policy:
    if mode not in ("fill", *BEYOND):
        raise PolicyError(f"{who} got mode={mode!r:.60}; expected fill, edge or reflect")
    return policy if mode == "fill" else policy.rendered(fill=mode)  # type: ignore[arg-type]


def _pad_crop(who: str, pad: float) -> Operation:
    check_range(who, "pad", pad, float, 0, 1)
    return OPERATIONS["PadCrop"].between(0, pad)
