"""A rejected export names the reason, and its suggestions work."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner
from perspectives import bend, operation_of

from automorph.augmenters import METHODS, as_treatment
from automorph.cli import app
from automorph.errors import PolicyError
from automorph.interop import PEERS, export_policy
from automorph.operations import SearchSpace, named_space, operation
from automorph.policies import Chain, Mixture, Step, Uniform, load_policy

REFUSED = {
    ("randaugment + mixup", "torchvision"): "it mixes examples and labels of a batch; use "
                                            "'randaugment(n=2,m=9)' instead",
    ("mixup", "kornia"): "augment with automorph itself",
    ("augmix", "albumentations"): "blends several chains of operations on one image; export with "
                                  "--to python",
    ("schedule(1:flip,2:crop)", "kornia"): "it changes with the epoch; export with --to python",
    ("eda", "kornia"): "is for texts; expected one for images",
    ("eda", "timm"): "is for texts; expected one for images",
    ("eda", "python"): "is for texts; expected one for images",
    ("random", "torchvision"): "fix it with a seed, or use 'random(seed=0)' instead",
    ("random(seed=3)", "torchvision"): "SamplePairing (it needs the batch); draw from your "
        "own space, named_space('autoaugment').without('SamplePairing'), or use "
        "'random(seed=3,space=randaugment)' instead",
    ("random(seed=3)", "python"): "SamplePairing (it needs the batch)",
    ("uniformaugment", "kornia"): "'uniformaugment(n=2,space=randaugment)' instead",
    ("flip + uniformaugment", "python"): "'flip + uniformaugment(n=2,space=randaugment)' instead",
    ("rand-m9-mstd0.5", "kornia"): "adds normal noise to magnitudes (mstd)",
    ("rand-m9-mstd0.5", "torchvision"): "or export with --to python or --to timm",
    ("resized-crop", "albumentations"): "without the size of your images; give it: --size 224 on "
                                        "the command line, size=224 in Python",
    ("trivialaugment", "kornia"): "TranslateX in pixels without the size of your images",
    ("composition(n=1,p=1,space=tanda-mnist)", "torchvision"): "Zoom (torchvision does not repl",
    ("randaugment(n=2,m=9)", "timm"): "cannot be written as a timm string",
    ("augmix", "timm"): "cannot be written as a timm string",
    ("mixup", "timm"): "(0 to 10); start from one, as in rand-m9-mstd0.5-inc1",
    ("mixup", "python"): "it mixes examples and labels of a batch",
    ("augmix(alpha=2)", "python"): "drawn with alpha=2; expected 1",
    ("composition(space=autoaugment)", "python"): "SamplePairing",
    ("flip", "keras"): "expected one of python, torchvision",
}  # fmt: skip


def works(policy, library):
    try:
        export_policy(policy, library)
    except PolicyError:
        return False
    return True


@pytest.mark.parametrize(("name", "library"), REFUSED, ids=map(str, REFUSED))
def test_what_cannot_be_said_is_refused_with_what_works(name, library):
    with pytest.raises(PolicyError) as caught:
        export_policy(name, library)
    message = str(caught.value)
    assert REFUSED[name, library] in message
    if library in PEERS:
        recommended = set(re.findall(r"--to (\w+)", message))
        assert recommended == {peer for peer in PEERS if works(name, peer)}
        for instead in re.findall(r"use '([^']+)' instead", message):
            assert works(instead, library)


def test_strictness_is_told_with_what_is_not_alike():
    for name, library in (("randaugment", "albumentations"), ("rand-m9", "timm")):
        with pytest.raises(PolicyError, match=r"only approximate.*leave --strict out") as caught:
            export_policy(name, library, strict=True)
        for peer in PEERS:
            if f"--to {peer}" in str(caught.value):
                export_policy(name, peer, strict=True)
    assert "--to python or --to torchvision" in refusal(
        "randaugment", "albumentations", strict=True
    )


def refusal(policy, library, **options):
    with pytest.raises(PolicyError) as caught:
        export_policy(policy, library, **options)
    return str(caught.value)


def test_operations_of_ones_own_are_named():
    @operation(range=(0, 1))
    def mine(image, value):
        return image

    space = named_space("randaugment").with_operations(mine, operation_of(bend))
    for library in PEERS[:-1]:
        message = refusal(Uniform(operations=space), library)
        assert "mine (it is a user-defined function)" in message
        assert (
            "Perspective (a transform of another library, built by a user-defined function"
            in message
        )
        assert "space.without('Perspective', 'mine')" in message
        assert "--to" not in message
        assert works(Uniform(operations=space.without("Perspective", "mine")), library)
    found = Mixture(label="found", operations=space, subpolicies=((Step("mine"),), ()))
    assert refusal(found, "python").endswith("; use sub-policies without mine")


def test_a_name_of_the_catalogue_hides_no_operation_of_ones_own():
    own = SearchSpace("own", (operation(name="Rotate")(lambda image, value: image),))
    policy = Chain(stages=(Uniform(operations=own), load_policy("randaugment")))
    for library in PEERS[:-1]:
        assert "Rotate (it is a user-defined function)" in refusal(policy, library)


def test_what_is_not_drawn_is_not_in_the_way():
    space = named_space("autoaugment")
    assert works(load_policy("autoaugment:cifar10"), "python")

    policy = Mixture(label="m", operations=space, subpolicies=((Step("Rotate", 1, 1),),))
    assert all(works(policy, peer) for peer in PEERS[:-1])


@pytest.mark.parametrize("method", METHODS)
def test_online_methods_are_told_from_names_that_do_not_exist(method):
    inner = as_treatment(f"flip + {method}").policy.name
    for thing in (f"flip + {method}", as_treatment(f"flip + {method}")):
        with pytest.raises(PolicyError, match="is an in-training method: it uses") as caught:
            export_policy(thing, "python")
        assert repr(inner) in str(caught.value)
    load_policy(inner)
    done = CliRunner().invoke(app, ["export", method, "--to", "timm"])
    assert done.exit_code != 0
    assert "is an in-training method" in str(done.exception)
    with pytest.raises(PolicyError, match="unknown policy 'certainty'"):
        export_policy("certainty", "python")
