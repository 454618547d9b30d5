"""Random policies for property tests: every kind, every field."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from automorph.operations import CATALOGUE, Operation, SearchSpace, named_space
from automorph.policies import (
    AugMix,
    Chain,
    Generated,
    Mixed,
    Mixture,
    Piece,
    Policy,
    RandomPolicy,
    Schedule,
    Shuffled,
    Step,
    Uniform,
)
from automorph.policies.numpy_rnn import NETWORKS, shapes

SPACES = ("randaugment", "trivialaugment", "trivialaugment-wide", "autoaugment", "augmix")
TEXT_NAMES = (
    "eda",
    "eda(alpha=0.05)",
    "synonyms",
    "aeda(p=0.2)",
    "tf-idf(p=0.4)",
    "uniform-words",
    "switchout",
    "language(p=0.3)",
    "typos",
    "composition(n=2,space=texts-plain)",
)
EVERY_NAME = (
    "none",
    "flip",
    "flip(p=0.3)",
    "crop",
    "crop(pad=0.2)",
    "flip-crop",
    "flip-crop(pad=0.1)",
    "resized-crop",
    "resized-crop(area=0.3)",
    "cutout",
    "cutout(16)",
    "cutout(8,p=0.7)",
    "random-erasing",
    "random-erasing(p=1,area=0.123456789)",
    "randaugment",
    "randaugment(n=0)",
    "randaugment(n=3,m=5)",
    "randaugment(n=1,m=9.123456789,space=augmix)",
    "randaugment(n=2,m=9,space=tanda-mnist)",
    "trivialaugment",
    "trivialaugment-wide",
    "trivialaugment(space=augmix)",
    "uniformaugment",
    "uniformaugment(n=3,space=randaugment)",
    "composition",
    "composition(n=3,p=0.7,low=0.1,high=0.2,levels=5,spread=0.05,space=catalogue)",
    "augmix",
    "augmix(severity=1,width=1,depth=1,weakest=0,alpha=0.5,share=1,space=randaugment)",
    "autoaugment:cifar10",
    "autoaugment:svhn",
    "autoaugment:imagenet",
    "fast-autoaugment:svhn",
    "dada:imagenet",
    "pba:cifar100",
    "pba:svhn(epochs=20,fill=9)",
    "randaugment(n=2,m=9,space=randaugment-imagenet)",
    "random",
    "random(count=3,length=4,seed=-7,space=tanda-cifar10)",
    "random(space=disc-axes)",
    "mixup",
    "mixup(alpha=0.2,p=0.5)",
    "cutmix",
    "cutmix(alpha=0.3,p=1)",
    "rand-m9-mstd0.5-inc1",
    "rand-m0",
    "rand-m10-n3-p0.7",
    "rand-m7-mstd101-inc1",
    "augmix-m3-w3-d2",
    "augmix-m5-w4-a0.5",
    "randaugment(n=2,m=9,fill=128)",
    "randaugment(n=2,m=9,fill=(1,2,3),interpolation=bilinear)",
    "flip-crop(fill=7)",
    "rand-m9(fill=0,interpolation=nearest)",
    "flip-crop + randaugment(n=2,m=9) + cutout(16)",
    "flip-crop + autoaugment:cifar10 + random-erasing(p=0.5,area=0.4) + mixup(alpha=1,p=1)",
    "augmix + rand-m9-inc1 + augmix",
    "schedule(1:flip)",
    "schedule(20:none,10:randaugment(n=2,m=9),3:augmix-m3-w3-d2)",
    "crop + schedule(1:cutout(8,p=0.7),2:mixup(alpha=1,p=1))",
    "dauphin",
    "turns",
    "turns + crop",
    "mixup(p=0.5,partner=set)",
    "cutout(14,fill=33)",
    "cutout(14,fill=0)",
    "crop(mode=reflect)",
    "flip-crop(fill=edge)",
    "randaugment(n=2,m=9,fill=mean)",
    "composition(n=2,space=dauphin)",
    "composition(n=2,space=dauphin) + dauphin",
    "uniformaugment(n=2,fill=9)",
)

shares = st.floats(0, 1)
fills = st.one_of(st.integers(0, 255), st.tuples(*[st.integers(0, 255)] * 3))
renderings = st.fixed_dictionaries(
    {"fill": fills, "interpolation": st.sampled_from(["nearest", "bilinear"])}
)


@st.composite
def operations(draw: st.DrawFn) -> Operation:
    base = draw(st.sampled_from(CATALOGUE))
    if draw(st.booleans()):
        return base
    low, high = sorted(draw(st.tuples(*[st.floats(base.low, base.high)] * 2)))
    return base.between(low, high)


@st.composite
def spaces(draw: st.DrawFn) -> SearchSpace:
    if draw(st.booleans()):
        return named_space(draw(st.sampled_from(SPACES)))
    chosen = draw(st.lists(operations(), min_size=1, max_size=5, unique_by=lambda o: o.name))
    return SearchSpace(draw(st.text(max_size=8)), tuple(chosen))


@st.composite
def uniforms(draw: st.DrawFn) -> Policy:
    low, high = sorted(draw(st.tuples(shares, shares)))
    return Uniform(
        operations=draw(spaces()), length=draw(st.integers(0, 5)), low=low, high=high,
        levels=draw(st.integers(0, 40)), spread=draw(st.floats(0, 2)), probability=draw(shares),
        **draw(renderings),
    )  # fmt: skip


@st.composite
def mixtures(draw: st.DrawFn) -> Policy:
    space = draw(spaces())
    step = st.builds(Step, st.sampled_from(space.names), shares, shares)
    count = draw(st.integers(0, 4))
    subpolicies = [tuple(draw(st.lists(step, max_size=3))) for _ in range(count)]
    weights = draw(
        st.none()
        | st.lists(st.floats(0.001, 100), min_size=count, max_size=count).filter(bool).map(tuple)
    )
    return Mixture(
        label=draw(st.text(max_size=20)), operations=space, subpolicies=tuple(subpolicies),
        weights=weights if count else None, **draw(renderings),
    )  # fmt: skip


@st.composite
def drawns(draw: st.DrawFn) -> Policy:
    return RandomPolicy(
        operations=draw(spaces()), count=draw(st.integers(1, 30)), length=draw(st.integers(1, 4)),
        seed=draw(st.none() | st.integers(-(2**63), 2**63 - 1)), **draw(renderings),
    )  # fmt: skip


@st.composite
def augmixes(draw: st.DrawFn) -> Policy:
    weakest, severity = sorted(draw(st.tuples(*[st.floats(0, 10)] * 2)))
    return AugMix(
        operations=draw(spaces()), severity=severity, weakest=weakest,
        width=draw(st.integers(1, 8)), depth=draw(st.integers(0, 10)),
        alpha=draw(st.floats(0.1, 100)), share=draw(st.none() | shares), **draw(renderings),
    )  # fmt: skip


@st.composite
def generateds(draw: st.DrawFn) -> Policy:
    space, network = draw(spaces()), draw(st.sampled_from(NETWORKS))
    length = draw(st.integers(1, 3))
    size = sum(math.prod(shape) for shape in shapes(network, len(space), length).values())
    # One repeated number: long random vectors are slow to draw and test nothing more.
    parameters = (*draw(st.tuples(*[st.floats(-3, 3)] * 2)), *[draw(st.floats(-3, 3))] * size)
    bound = draw(st.floats(0.01, 100) | st.none()) if "-" in network else draw(st.floats(0.01, 9))
    return Generated(
        label=draw(st.text(max_size=20)), operations=space, network=network, length=length,
        bound=bound, parameters=parameters[:size], **draw(renderings),
    )  # fmt: skip


@st.composite
def shuffleds(draw: st.DrawFn) -> Policy:
    space = draw(spaces())
    steps = draw(
        st.lists(st.builds(Step, st.sampled_from(space.names), shares, shares), max_size=4)
    )
    counts = draw(st.lists(st.floats(0.001, 100), min_size=1, max_size=4))
    return Shuffled(
        label=draw(st.text(max_size=20)), operations=space, steps=tuple(steps),
        counts=tuple(counts), **draw(renderings),
    )  # fmt: skip


mixers = st.builds(
    Mixed, mix=st.sampled_from(["mixup", "cutmix"]), alpha=st.floats(0.01, 100), probability=shares
)
plain = st.one_of(uniforms(), mixtures(), drawns(), augmixes(), generateds(), shuffleds())
pieces = st.lists(st.builds(Piece, st.integers(1, 300), plain), min_size=1, max_size=3)
schedules = st.builds(Schedule, pieces=pieces.map(tuple), label=st.sampled_from(["", "found"]))
singles = st.one_of(plain, schedules)


@st.composite
def chains(draw: st.DrawFn) -> Policy:
    stages = draw(st.lists(singles, min_size=2, max_size=3))
    return Chain(stages=(*stages, *draw(st.lists(mixers, max_size=1))))


policies = st.one_of(singles, mixers, chains())
