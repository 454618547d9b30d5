"""Wheel and source distribution: their content, and a fresh environment built from the wheel."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
pytestmark = pytest.mark.slow


def run(*words: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(
        [str(word) for word in words], cwd=cwd, capture_output=True, text=True,
        env={**kept, **environment},
    )  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with the wheel and the source distribution, built from a copy of the tree."""
    if UV is None:
        pytest.skip("uv is not installed")
    folder = tmp_path_factory.mktemp("built")
    tree = folder / "tree"
    tracked = run("git", "ls-files", "-z", cwd=ROOT)
    if tracked.returncode:
        pytest.skip("this is no git checkout")
    for name in filter(None, tracked.stdout.split("\0")):
        if name.startswith(("benchmarks/", "docs/", "tests/")) or not (ROOT / name).is_file():
            continue
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tree / name)
    done = run(UV, "build", "--no-build-isolation", "--python", sys.executable,
               "--out-dir", folder, cwd=tree)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def test_the_wheel_has_all_that_runs_and_nothing_else(built):
    (wheel,) = built.glob("*.whl")
    assert wheel.stem.split("-")[2:4] == ["py3", "none"], "one wheel for every Python"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    package = [name for name in names if name.startswith("automorph/")]
    for wanted in (
        "py.typed",
        "policies/policy.schema.json",
        "policies/space.schema.json",
        "review/review.html",
        "review/review.css",
        "review/review.js",
        "interop/standalone.py",
        "cli/export.py",
    ):
        assert f"automorph/{wanted}" in package
    assert any(name.endswith((".so", ".pyd")) for name in package), "the compiled engine"
    assert len(package) + 8 > len(names)
    for source in (built / "tree" / "src" / "automorph").rglob("*.py"):
        assert source.relative_to(built / "tree" / "src").as_posix() in package


def test_the_source_distribution_can_be_built_anywhere(built):
    (source,) = built.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    core = {path.relative_to(ROOT).as_posix() for path in
            (ROOT / "src/automorph/native/core").glob("*.[ch]*")}  # fmt: skip
    assert core <= set(names)
    assert {"LICENSE", "README.md", "pyproject.toml", "setup.py", "constraints.txt"} <= set(names)


@pytest.fixture(scope="module")
def fresh(built, tmp_path_factory):
    """The Python of a fresh environment with the wheel and its dependencies, and nothing else."""
    folder = tmp_path_factory.mktemp("fresh")
    (wheel,) = built.glob("*.whl")
    run(UV, "venv", "--python", sys.executable, folder / "venv", cwd=folder)
    places = ("bin/python", "Scripts/python.exe")
    python = next(path for path in (folder / "venv" / p for p in places) if path.exists())
    done = run(UV, "pip", "install", "--python", python, "--constraint", ROOT / "constraints.txt",
               wheel, cwd=folder)  # fmt: skip
    if "Failed to fetch" in done.stderr or "error sending request" in done.stderr:
        pytest.skip("no package registry can be reached")
    assert done.returncode == 0, done.stderr[-3000:]
    return python


def test_a_fresh_environment(fresh, tmp_path):
    """Installed from the wheel with its dependencies, the package works outside the tree."""
    python = fresh
    program = python.parent / "automorph"
    assert run(program, "--version", cwd=tmp_path).stdout.startswith("automorph")
    facts = json.loads(run(program, "doctor", "--json", cwd=tmp_path).stdout)
    assert facts["engine"].startswith("native")
    assert "missing" not in facts["libraries"].values()
    assert any("automorph[lightning]" in line for line in facts["missing"])
    light = "import sys, automorph; assert 'torch' not in sys.modules; print(automorph.__file__)"
    where = run(python, "-I", "-W", "error", "-c", light, cwd=tmp_path)
    assert str(python.parents[1]) in where.stdout, where.stderr
    exported = run(program, "export", "flip-crop", "--to", "python", cwd=tmp_path)
    assert "def augment" in exported.stdout
    trained = run(program, "train", "digits", "--epochs", "1", "--limit", "100", "--json",
                  cwd=tmp_path)  # fmt: skip
    assert trained.returncode == 0, trained.stderr[-3000:]
    assert json.loads(trained.stdout)


def test_a_newcomer_runs_the_quickstart(fresh, tmp_path):
    """The first command of the documentation works, and leaves the report that it names."""
    done = run(fresh.parent / "automorph", "quickstart", cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert [*tmp_path.rglob("report.html")]
    assert [*tmp_path.rglob("policy.json")]


def test_a_newcomer_checks_parts_of_their_own_with_the_kits(fresh, tmp_path):
    """One small part of every kind passes its kit, without pytest in the environment."""
    script = shutil.copy2(Path(__file__).with_name("own_parts.py"), tmp_path)
    absent = run(fresh, "-c", "import pytest", cwd=tmp_path)
    assert "No module named 'pytest'" in absent.stderr
    done = run(fresh, script, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    passed = [line.partition(":")[0] for line in done.stdout.splitlines()]
    assert passed == [
        "check_operation", "check_policy", "check_augmenter", "check_searcher", "check_objective",
        "check_translator", "check_data_source", "check_executor",
    ]  # fmt: skip
