"""``automorph doctor`` lists missing libraries and how to install them."""

from __future__ import annotations

import json
import shutil
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from automorph.cli import app

# Inside the package, this name is the command.
doctor = sys.modules["automorph.cli.doctor"]


def test_every_extra_for_users_is_looked_for():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert set(doctor._EXTRAS) == {*project["optional-dependencies"]} - {"dev", "docs"}


def test_what_is_missing_is_named_with_the_way_to_get_it(monkeypatch):
    versions = {"kornia": "missing", "safetensors": "missing", "albumentationsx": "2.1"}
    monkeypatch.setattr(doctor, "_version", lambda name: versions.get(name, "1.0"))
    monkeypatch.setenv("HOME", "/nowhere")
    found = "\n".join(doctor.advice("it was not built"))
    for words in (
        "the compiled engine (it was not built)", "install a C++ compiler",
        "safetensors: pip install safetensors",
        "policies as kornia modules (extra kornia): pip install 'automorph[kornia]'",
        "albumentationsx is installed instead",
    ):  # fmt: skip
        assert words in found
    assert "lightning" not in found


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_it_says_so_on_a_terminal_and_as_json(options, monkeypatch):
    monkeypatch.setattr(doctor, "advice", lambda why: ["a thing: pip install 'automorph[thing]'"])
    done = CliRunner().invoke(app, ["doctor", *options])
    assert done.exit_code == 0
    if options:
        assert json.loads(done.stdout)["missing"] == ["a thing: pip install 'automorph[thing]'"]
    else:
        assert "automorph[thing]" in done.stdout


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """Libraries that are installed according to their metadata but cannot be imported."""
    for name, code in {"kornia": "import no_such_thing", "captum": "import os; os._exit(3)",
                       "ray": "print('hello from ray')"}.items():  # fmt: skip
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(code + "\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(doctor, "_LIBRARIES", ("numpy",))
    extras = {name: ("about it", (name,)) for name in ("kornia", "captum", "ray", "gone")}
    monkeypatch.setattr(doctor, "_EXTRAS", extras)
    monkeypatch.setattr(doctor, "_version", lambda name: "1.0")
    return tmp_path


def test_what_cannot_be_imported_is_told_with_the_reason(broken):
    facts = doctor.examine(deep=True)
    prefix = "installed, but cannot be imported: "
    assert facts["extras"] == {
        "kornia": prefix + "ModuleNotFoundError: No module named 'no_such_thing'",
        "captum": prefix + "the process exits with status 3",
        "ray": "installed",
        "gone": prefix + "ModuleNotFoundError: No module named 'gone'",
    }
    assert facts["libraries"] == {"numpy": "1.0"}
    assert any(line.startswith("kornia (cannot be imported: Mod") for line in facts["missing"])


def test_without_importing_it_is_seen_that_a_module_is_gone(broken):
    shutil.rmtree(broken / "kornia")
    done = CliRunner().invoke(app, ["doctor"])
    flat = " ".join(done.output.split())
    assert "gone: installed, but cannot be imported: no module gone" in flat
    assert "ray: installed" in flat
    assert "automorph doctor --deep" in flat
