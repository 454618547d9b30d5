"""The compiled library: where it is found, how it is selected, and running without it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import automorph
from automorph import engine, native
from automorph.errors import UsageError
from automorph.operations import COMPILED, OPERATIONS

PACKAGE = Path(automorph.__file__).parent
ROOT = PACKAGE.parent.parent
SHOW = """
import numpy as np
from automorph import engine, load_policy, native
images = np.arange(4 * 9 * 9 * 3, dtype=np.uint8).reshape(4, 9, 9, 3)
out = load_policy("randaugment(n=3,m=20)").augment(images, seed=3)
print(engine.engine_name(), int(out.astype(np.int64).sum()), native.why_not(), sep="|")
"""


def _show(**environment: str) -> list[str]:
    clean = {name: value for name, value in os.environ.items() if name != native.ENGINE_VARIABLE}
    done = subprocess.run(
        [sys.executable, "-c", SHOW],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip().split("|") if done.returncode == 0 else [done.stderr]


def test_variable_chooses(variant: str) -> None:
    reference = _show(**{native.ENGINE_VARIABLE: "reference"})
    assert reference[0] == "reference"
    assert "unset it" in reference[2]
    assert _show(**{native.ENGINE_VARIABLE: variant}) == [f"native ({variant})", reference[1], ""]
    assert _show(**{native.ENGINE_VARIABLE: "native"})[1] == reference[1]


def test_unknown_variants_are_named() -> None:
    if not native.variants():
        pytest.skip(native.why_not())
    with native.using("neon9"), pytest.raises(UsageError, match="plain"):
        engine.apply(
            np.zeros((1, 2, 2, 3), np.uint8),
            automorph.operations.Sequences.empty(1),
            automorph.operations.named_space("randaugment"),
            automorph.operations.Stream(),
        )


def test_without_the_library(tmp_path: Path) -> None:
    """A copy of the package without the compiled file runs, with the same pixels."""
    shutil.copytree(
        PACKAGE, tmp_path / "automorph", ignore=shutil.ignore_patterns("_core.*", "__pycache__")
    )
    name, total, why = _show(PYTHONPATH=str(tmp_path))
    assert name == "reference"
    assert "not built" in why
    assert "C++ compiler" in why
    assert total == _show()[1]
    wanted = _show(PYTHONPATH=str(tmp_path), **{native.ENGINE_VARIABLE: "native"})
    assert "there is no compiled engine" in wanted[0]


def test_broken_library(tmp_path: Path) -> None:
    shutil.copytree(
        PACKAGE, tmp_path / "automorph", ignore=shutil.ignore_patterns("_core.*", "__pycache__")
    )
    suffix = sys.modules["importlib.machinery"].EXTENSION_SUFFIXES[0]
    (tmp_path / "automorph/native" / f"_core{suffix}").write_bytes(b"no library")
    name, _, why = _show(PYTHONPATH=str(tmp_path))
    assert name == "reference"
    assert "cannot be loaded" in why


@pytest.mark.skipif(not (ROOT / "setup.py").is_file(), reason="not a checkout")
def test_builds_go_on_without_a_compiler(tmp_path: Path) -> None:
    pytest.importorskip("setuptools")
    done = subprocess.run(
        [sys.executable, "setup.py", "build_ext", "-b", str(tmp_path), "-t", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "CC": "no-such-compiler", "CXX": "no-such-compiler"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.rglob("*.so"))


def test_numbers_of_kernels_are_those_of_the_header() -> None:
    path = PACKAGE / "native/core/kernels.hpp"
    if not path.is_file():
        pytest.skip("installed without its C++ files")
    header = path.read_text()
    body = header.split("enum Kernel")[1].split("{")[1].split("}")[0]
    lines = [line.split("//")[0].split("=")[0].strip(" ,") for line in body.splitlines()]
    names = [line for line in lines if line and line not in ("BLACK_BOX", "KERNEL_COUNT")]
    numbers = {name.lower(): number for name, number in COMPILED.items()}
    # What mixup does to pixels is what pairing does.
    assert numbers.pop("mixup") == numbers["samplepairing"]
    assert {name.replace("_", "").lower(): n for n, name in enumerate(names)} == numbers
    assert set(COMPILED) <= set(OPERATIONS)
    assert native.kernel_count() == len(numbers)
