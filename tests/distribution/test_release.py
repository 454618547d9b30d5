"""Checks that block a release, and the files that GitHub and pre-commit read."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def release():
    place = ROOT / "tools" / "check_release.py"
    spec = importlib.util.spec_from_file_location("check_release", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree(tmp_path, release):
    """A copy of the files that contain the version, ready for release 9.8.7."""
    for name in (*release.VERSIONS, "CHANGELOG.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "9.8.7"\n')
    (tmp_path / "src/automorph/_version.py").write_text('__version__ = "9.8.7"\n')
    (tmp_path / "CITATION.cff").write_text(
        "cff-version: 1.2.0\nversion: 9.8.7\ndate-released: 2030-01-31\nlicense: Apache-2.0\n"
    )
    (tmp_path / "CHANGELOG.md").write_text("## Unreleased\n\n## 9.8.7 - 2030-01-31\n")
    return tmp_path


def test_files_that_agree_are_released(release, tree, capsys):
    assert release.main("v9.8.7", tree) == 0
    assert "ready" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["pyproject.toml", "src/automorph/_version.py", "CITATION.cff"])
def test_a_file_of_another_version(release, tree, capsys, name):
    path = tree / name
    path.write_text(path.read_text().replace("9.8.7", "9.8.6"))
    assert release.main("v9.8.7", tree) == 1
    assert capsys.readouterr().out.strip() == (
        f"{name} names 9.8.6; expected 9.8.7; change the file or the tag"
    )


@pytest.mark.parametrize("heading", ["## 9.8.7", "## 9.8.7 - soon", "## 9a8b7 - 2030-01-31"])
def test_a_changelog_without_a_dated_section(release, tree, heading):
    (tree / "CHANGELOG.md").write_text(f"## Unreleased\n\n{heading}\n")
    (fault,) = release.faults("v9.8.7", tree)
    assert "date the new section" in fault


@pytest.mark.parametrize("line", ["date-released: 2030-01-30\n", ""])
def test_a_citation_of_another_day(release, tree, line):
    path = tree / "CITATION.cff"
    path.write_text(path.read_text().replace("date-released: 2030-01-31\n", line))
    (fault,) = release.faults("v9.8.7", tree)
    assert "expected 'date-released: 2030-01-31'" in fault


@pytest.mark.parametrize("tag", ["9.8.7", "v9.8", "vnext", "v9.8.7\n", "v9.8.7-final"])
def test_a_tag_of_another_form(release, tree, tag):
    (fault,) = release.faults(tag, tree)
    assert repr(tag) in fault
    assert "such as v0.2.0" in fault


def test_the_files_of_the_tree_name_one_version(release):
    from automorph import __version__

    named = [fault for fault in release.faults(f"v{__version__}") if "CHANGELOG" not in fault]
    assert named == []


def test_a_release_waits_for_the_tests_and_only_then_may_publish():
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    folder = ROOT / ".github" / "workflows"
    flows = {path.stem: yaml.safe_load(path.read_text()) for path in folder.glob("*.yml")}
    jobs = flows["release"]["jobs"]

    assert flows["release"][True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 reads "on" as true.
    assert set(jobs["publish"]["needs"]) == {"test", "build"}
    assert {jobs[name]["needs"] for name in ("test", "build")} == {"version"}
    for name in ("test", "build"):
        assert "workflow_call" in flows[Path(jobs[name]["uses"]).stem][True]
    trusted = [
        (flow, name)
        for flow, content in flows.items()
        for name, job in content["jobs"].items()
        if "id-token" in {**content["permissions"], **job.get("permissions", {})}
    ]
    assert trusted == [("release", "publish")]


def test_forms_and_hooks_are_complete():
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    for name in ("bug", "feature"):
        form = yaml.safe_load((ROOT / f".github/ISSUE_TEMPLATE/{name}.yml").read_text())
        assert {"name", "description", "body"} <= set(form)
        fields = [field for field in form["body"] if field["type"] != "markdown"]
        assert len({field["id"] for field in fields}) == len(fields)
        assert all(field["attributes"]["label"] for field in fields)
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    makefile = (ROOT / "Makefile").read_text()
    assert "VENV := .venv" in makefile
    (local,) = (group["hooks"] for group in hooks if group["repo"] == "local")
    for hook in local:
        tool = hook["entry"].split()[0].removeprefix(".venv/bin/")
        assert f"$(BIN)/{tool}" in makefile
