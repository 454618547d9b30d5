"""Notes of an import: steps left out, and differences."""

from __future__ import annotations

import pickle
import warnings

import pytest
import torch
from torchvision.transforms import v2

import automorph
from automorph.errors import PolicyError
from automorph.interop import DifferenceWarning, convert_policy, import_policy

A = pytest.importorskip("albumentations", reason="automorph[albumentations] is not installed")
K = pytest.importorskip("kornia.augmentation", reason="automorph[kornia] is not installed")


def notes_of(transform):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        import_policy(transform)
    assert len(caught) <= 1
    if caught:
        assert caught[0].filename == __file__
        assert all(note in str(caught[0].message) for note in caught[0].message.notes)
        assert pickle.loads(pickle.dumps(caught[0].message)).notes == caught[0].message.notes
    return list(caught[0].message.notes) if caught else []


KEPT = "left out, to be applied separately: "
TOLD = [
    (v2.Compose([v2.RandomHorizontalFlip(), v2.RandomRotation(9)]), []),
    (v2.Compose([v2.Resize(32), v2.RandomHorizontalFlip(), v2.ToImage(), v2.Resize(8),
                 v2.Normalize((0.5,), (0.5,))]), [KEPT + "Resize, ToImage, Normalize"]),
    (v2.Identity(), []),
    (K.RandomCrop((32, 32), padding=4), []),
    (v2.RandomApply([v2.ColorJitter(0.4, hue=0.1)], 0.8),
     ["Brightness, Hue are applied in this order; the library shuffles them",
      "Brightness, Hue are each applied with probability 0.8; the pipeline applies all "
      "of them or none"]),
    (v2.ColorJitter(0.4), []),
    (v2.ColorJitter(0.4, 0.4, 0, 0.1),
     ["Brightness, Contrast, Hue are applied in this order; the library shuffles them"]),
    (A.Compose([A.Equalize(), A.Normalize()]),
     [KEPT + "Normalize", "Equalize is only approximate (albumentations: OpenCV's "
      "algorithm; "
      "its PIL mode differs from PIL, too)"]),
    (A.RandomResizedCrop((32, 32)),
     [KEPT + "resizing crops to 32 x 32"]),
    (A.ColorJitter(p=1),
     ["Brightness, Contrast, Color, Hue are applied in this order; the library shuffles them"]),
    (K.ColorJitter(0.2, 0.2, order=[1, 0, 2, 3]), []),
    (K.ColorJitter(0.2, 0.2),
     ["Brightness, Contrast are applied in this order; the library shuffles them"]),
    (K.ImageSequential(K.RandomInvert(), K.RandomEqualize(), random_apply=1),
     ["kornia draws once per batch; the policy draws for each example"]),
    (torch.nn.Sequential(K.RandomErasing((0.0, 0.3)), K.Normalize(0.5, 0.5)),
     [KEPT + "Normalize"]),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("transform", "notes"), TOLD, ids=range(len(TOLD)))
def test_one_warning_tells_all(transform, notes):
    assert notes_of(transform) == notes


def test_what_comes_back_from_torchvision_has_no_notes():
    for name in ("randaugment(n=2,m=9)", "flip-crop + cutout(0.3)", "autoaugment:cifar10"):
        assert notes_of(convert_policy(name, "torchvision")) == []


def test_warnings_can_be_left_alone():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DifferenceWarning, match="left out, to be applied"):
            import_policy(v2.Resize(32))
        warnings.simplefilter("ignore", DifferenceWarning)
        assert import_policy(v2.Resize(32)).name == "none"


@pytest.mark.parametrize("transform", [
    v2.RandomHorizontalFlip(), v2.Compose([v2.Resize(3)]), A.Compose([A.HorizontalFlip()]),
    K.RandomHorizontalFlip(), torch.nn.Sequential(K.RandomHorizontalFlip()),
], ids=range(5))  # fmt: skip
def test_a_transform_as_a_policy_is_told_what_reads_it(transform):
    with pytest.raises(PolicyError, match=r"automorph\.import_policy\(transform\)"):
        automorph.load_policy(transform)
    with pytest.raises(PolicyError, match=r"automorph\.import_policy\(transform\)"):
        automorph.compare("digits", ["none", transform])
    with pytest.raises(PolicyError) as caught:
        automorph.load_policy(3)
    assert "import_policy" not in str(caught.value)
