"""Exports to albumentations: every argument is written out, and other versions are refused."""

from __future__ import annotations

import ast
import inspect
import random
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from automorph.errors import MissingExtraError, PolicyError
from automorph.interop import albumentations_runtime, convert_policy, export_policy
from automorph.interop.albumentations_arguments import ARGUMENTS
from automorph.interop.call_ast import evaluated
from automorph.operations import CATALOGUE, SearchSpace
from automorph.policies import Mixture, Step

A = pytest.importorskip("albumentations", reason="automorph[albumentations] is not installed")
cv2 = pytest.importorskip("cv2")

POLICY = "flip-crop + randaugment(n=2,m=9)"
PIXELS = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)


def parameters(name: str) -> dict[str, inspect.Parameter]:
    found = dict(inspect.signature(getattr(A, name.removeprefix("A.")).__init__).parameters)
    del found["self"], found["p"]
    return found


@pytest.mark.parametrize("name", ARGUMENTS)
def test_the_table_holds_the_librarys_arguments_and_defaults(name: str) -> None:
    here = {key: evaluated(value, {"cv2": cv2}) for key, value in ARGUMENTS[name].items()}
    there = {key: one.default for key, one in parameters(name).items()
             if one.default is not inspect.Parameter.empty}  # fmt: skip
    assert here == there


def each_operation() -> list[str]:
    """The code of every operation of the catalogue that albumentations has."""
    codes = []
    for operation in CATALOGUE:
        space = SearchSpace("one", (operation,))
        policy = Mixture(label="one", operations=space,
                         subpolicies=((Step(operation.name, 0.5, 0.5),),))  # fmt: skip
        try:
            codes.append(export_policy(policy, "albumentations", size=32))
        except PolicyError:
            continue
    return codes


def test_no_argument_is_left_to_the_library() -> None:
    whole = (POLICY, "autoaugment:svhn")
    codes = [*each_operation(), *(export_policy(name, "albumentations") for name in whole)]
    assert len(codes) > 20
    seen = set()
    for code in codes:
        for node in ast.walk(ast.parse(code)):
            name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if not name.startswith("A."):
                continue
            assert isinstance(node, ast.Call)
            seen.add(name)
            given = {one.arg for one in node.keywords}
            if name != "A.Compose":
                assert given | {"transforms"} == {*parameters(name), "p", "transforms"}, code
    assert {*ARGUMENTS, "A.Compose"} - seen <= {"A.NoOp"}


def test_noise_is_drawn_for_every_channel() -> None:
    code = next(code for code in each_operation() if "A.GaussNoise" in code)
    assert "per_channel=True" in code


@pytest.mark.parametrize(
    ("module", "installed"), [("2.5.1", None), ("2.5.1", "2.0.8"), ("2.0.7", "2.0.7")]
)
def test_other_packages_and_versions_are_refused(
    monkeypatch: pytest.MonkeyPatch, module: str, installed: str | None
) -> None:
    """AlbumentationsX has the same import name, and is a package of its own."""

    def version(package: str) -> str:
        assert package == "albumentations"
        if installed is None:
            raise PackageNotFoundError(package)
        return installed

    monkeypatch.setattr(albumentations_runtime, "version", version)
    library: Any = SimpleNamespace(__name__="albumentations", __version__=module)
    with pytest.raises(ImportError, match=rf"got version {module} .*expected 2\.0\.8"):
        albumentations_runtime.check_version(library, "2.0.8")


def test_a_file_and_a_conversion_check_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    exec(export_policy(POLICY, "albumentations"), {})
    monkeypatch.setattr(A, "__version__", "2.5.1")
    with pytest.raises(ImportError, match=r"pip uninstall albumentationsx; pip install"):
        exec(export_policy(POLICY, "albumentations"), {})
    with pytest.raises(MissingExtraError, match=r"cannot import albumentations \(got version"):
        convert_policy(POLICY, "albumentations")


class Equal(Dataset[Any]):
    """The same image again and again, transformed."""

    def __init__(self, transform: Any) -> None:
        self.transform = transform

    def __len__(self) -> int:
        return 16

    def __getitem__(self, number: int) -> Any:
        return self.transform(image=PIXELS)["image"]


@pytest.mark.filterwarnings("ignore")
def test_the_remedy_of_the_header_gives_every_worker_and_epoch_its_own_draws() -> None:
    code = export_policy(POLICY, "albumentations")
    names: dict[str, Any] = {"torch": torch, "numpy": np, "random": random}
    exec(code, names)
    head = ast.get_docstring(ast.parse(code))
    assert head is not None
    assert "repeats its draws in every worker and epoch" in " ".join(head.split())
    start = head.index("def seed_worker")
    exec(head[start : head.index("torch.manual_seed then", start)], names)

    def epochs(**options: Any) -> list[np.ndarray[Any, Any]]:
        torch.manual_seed(5)
        loader = DataLoader(Equal(names["augment"]), 4, num_workers=2, **options)
        return [torch.cat(list(loader)).numpy() for _ in range(2)]

    first, second = epochs()  # Without the remedy, as the header says:
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first[:4], first[4:8])

    mended = epochs(worker_init_fn=names["seed_worker"])
    assert len({image.tobytes() for epoch in mended for image in epoch}) > 20
    np.testing.assert_array_equal(epochs(worker_init_fn=names["seed_worker"]), mended)


@pytest.mark.filterwarnings("ignore")
def test_transforms_draw_apart_after_the_seeding_of_the_header() -> None:
    names: dict[str, Any] = {"numpy": np, "random": random, "seed": 0}
    flips = tuple(one for one in CATALOGUE if one.name in ("HorizontalFlip", "VerticalFlip"))
    policy = Mixture(label="flips", operations=SearchSpace("flips", flips),
                     subpolicies=(tuple(Step(one.name, 0.5) for one in flips),))  # fmt: skip
    code = export_policy(policy, "albumentations")
    exec(code, names)

    def pictures() -> set[bytes]:
        return {names["augment"](image=PIXELS)["image"].tobytes() for _ in range(64)}

    names["augment"].set_random_seed(0)
    assert len(pictures()) == 2  # Both flips or none, as the header says.
    (line,) = [one for one in code.splitlines() if one.startswith("augment.set_random_state(")]
    exec(line, names)
    assert len(pictures()) == 4
