"""Exported files used as transforms: every call, worker and epoch draws anew, and seeds repeat."""

from __future__ import annotations

import importlib.util
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from automorph.interop import export_policy
from automorph.policies import load_policy

POLICY = "flip-crop + randaugment(n=2,m=9)"
PIXELS = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)


def exported(policy: str, to: str, folder: Path) -> Any:
    """Return the module of an exported file."""
    path = folder / f"exported_{to}.py"
    path.write_text(export_policy(policy, to), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Equal(Dataset[Any]):
    """The same image again and again, transformed."""

    def __init__(self, transform: Any) -> None:
        self.transform = transform

    def __len__(self) -> int:
        return 16

    def __getitem__(self, number: int) -> Any:
        return self.transform(PIXELS)


def test_a_call_without_index_draws_as_the_policy_does(tmp_path: Path) -> None:
    augment, policy = exported(POLICY, "python", tmp_path).augment, load_policy(POLICY)
    torch.manual_seed(3)
    ours = [policy(PIXELS) for _ in range(20)]
    torch.manual_seed(3)
    theirs = [augment(PIXELS) for _ in range(20)]
    np.testing.assert_array_equal(theirs, ours)
    assert len({image.tobytes() for image in theirs}) > 15
    before = random.getstate()
    augment(PIXELS, index=3)
    augment(PIXELS)
    assert random.getstate() == before


@pytest.mark.parametrize("persistent", [False, True])
def test_workers_and_epochs_draw_differently_and_a_seed_repeats_them(
    tmp_path: Path, persistent: bool
) -> None:
    augment = exported(POLICY, "python", tmp_path).augment

    def epochs() -> list[np.ndarray[Any, Any]]:
        torch.manual_seed(5)
        loader = DataLoader(Equal(augment), 4, num_workers=2, persistent_workers=persistent)
        return [torch.cat(list(loader)).numpy() for _ in range(2)]

    first = epochs()
    assert len({image.tobytes() for epoch in first for image in epoch}) > 20
    np.testing.assert_array_equal(epochs(), first)


def test_an_image_folder(tmp_path: Path) -> None:
    folder = pytest.importorskip("torchvision.datasets").ImageFolder
    (tmp_path / "photos" / "cats").mkdir(parents=True)
    Image.fromarray(PIXELS).save(tmp_path / "photos" / "cats" / "one.png")
    data = folder(tmp_path / "photos", transform=exported(POLICY, "python", tmp_path).augment)
    assert len({data[0][0].tobytes() for _ in range(20)}) > 15


def test_without_torch_draws_follow_the_generator_of_python(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(export_policy(POLICY, "python"))
    program = """
import random, sys
sys.path.insert(0, ".")
import numpy as np, mine
image = np.arange(768, dtype=np.uint8).reshape(16, 16, 3)
random.seed(1)
first = [mine.augment(image).tobytes() for _ in range(20)]
random.seed(1)
assert len(set(first)) > 15 and first == [mine.augment(image).tobytes() for _ in range(20)]
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-I", "-c", program], check=True, cwd=tmp_path)


@pytest.mark.parametrize("given", [{"seed": 0}, {"copy": 1}, {"seed": 3, "epoch": 2}])
def test_a_seed_without_an_index_is_refused(tmp_path: Path, given: dict[str, int]) -> None:
    augment = exported(POLICY, "python", tmp_path).augment
    with pytest.raises(ValueError, match=r"no index; pass the number of the example, too"):
        augment(PIXELS, **given)


def test_a_schedule_needs_the_epoch(tmp_path: Path) -> None:
    augment = exported("schedule(2:none,2:flip(p=1))", "python", tmp_path).augment
    with pytest.raises(ValueError, match="got no epoch, but this policy changes with the epoch"):
        augment(PIXELS)
    np.testing.assert_array_equal(augment(PIXELS, epoch=0), PIXELS)
    np.testing.assert_array_equal(augment(PIXELS, epoch=2), PIXELS[:, ::-1])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("library", ["torchvision", "kornia"])
def test_the_header_says_what_seeds_the_draws(tmp_path: Path, library: str) -> None:
    pytest.importorskip(library)
    module = exported(POLICY, library, tmp_path)
    assert "Its draws follow torch's generator: torch.manual_seed repeats them" in module.__doc__
    images = torch.from_numpy(PIXELS).permute(2, 0, 1)[None].repeat(4, 1, 1, 1)
    images = images / 255 if library == "kornia" else images
    draws = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        draws.append([module.augment(images) for _ in range(5)])
    assert all(map(torch.equal, draws[0], draws[1]))
    assert not all(map(torch.equal, draws[0], draws[2]))
