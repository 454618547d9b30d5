"""The command line as a user runs it: real processes, real data."""

import json
import subprocess
import sys
import time

import pytest
from PIL import Image

from automorph.cli import main
from automorph.cli.listing import KINDS

AUTOMORPH = [sys.executable, "-c", "from automorph.cli import main; main()"]
QUICK = ["--model", "cnn:8", "--epochs", "1", "--limit", "60"]


def run(*words, cwd=None):
    """Run the command in a separate process, as a user does."""
    return subprocess.run(
        [*AUTOMORPH, *words], capture_output=True, text=True, cwd=cwd, timeout=300
    )


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Run the command in this process, which has already imported torch; return both outputs."""
    monkeypatch.chdir(tmp_path)

    def run_here(*words):
        main(list(words))
        return capsys.readouterr()

    return run_here


def test_help_is_quick_and_light():
    start = time.perf_counter()
    shown = run("--help")
    seconds = time.perf_counter() - start
    loaded = subprocess.run(
        [sys.executable, "-c",
         "import sys, automorph.cli as _;"
         "print([m for m in ('torch', 'numpy', 'rich') if m in sys.modules])"],
        capture_output=True, text=True,
    )  # fmt: skip

    assert shown.returncode == 0
    assert "quickstart" in shown.stdout
    assert loaded.stdout.strip() == "[]"
    # Half a second on an idle machine; tests run in parallel.
    assert seconds < 1.5


@pytest.mark.parametrize("kind", KINDS)
def test_lists(kind, call):
    shown, as_json = call("list", kind), call("list", kind, "--json")

    assert shown.out
    assert len(json.loads(as_json.out)[kind]) > 0


def test_doctor(call):
    facts = json.loads(call("doctor", "--json").out)

    assert facts["engine"]
    assert facts["libraries"]["torch"] != "missing"
    assert facts["data"]["digits"] == "found"


def test_compare_keeps_its_contract_and_changes_nothing_when_run_again(tmp_path):
    words = ["compare", "digits", *QUICK, "--policy", "none", "--policy", "crop",
             "--seeds", "2", "--out", "run", "--json"]  # fmt: skip
    first = run(*words, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    result = json.loads(first.stdout)
    files = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in (tmp_path / "run").rglob("*.*")}
    again = run(*words, cwd=tmp_path)

    assert {"data", "model", "rows", "report"} <= set(result)
    row = result["rows"][1]
    assert {"policy", "accuracy", "difference", "units", "seconds"} <= set(row)
    assert {"mean", "se", "values"} <= set(row["accuracy"])
    assert {"mean", "low", "high"} <= set(row["difference"])
    assert result["rows"][0]["difference"] is None
    assert (tmp_path / result["report"]).exists()
    assert (tmp_path / result["policy"]).exists()
    assert json.loads(again.stdout) == result
    assert {
        p: (p.stat().st_mtime_ns, p.read_bytes()) for p in (tmp_path / "run").rglob("*.*")
    } == files


def test_search_keeps_its_contract_and_changes_nothing_when_run_again(tmp_path, call):
    words = ["search", "digits", *QUICK, "--method", "random(count=2)", "--trials", "2", "--seeds",
             "1", "--engine", "local", "--out", "run", "--json"]  # fmt: skip
    first = json.loads(call(*words).out)
    files = {
        p: (p.stat().st_mtime_ns, p.read_bytes())
        for p in (tmp_path / "run").rglob("*.*")
        if p.name != ".lock"
    }
    again = json.loads(call(*words, "--resume").out)

    assert {
        "method", "policy", "trials", "seconds", "units", "accuracy", "baselines", "report",
    } <= set(first)  # fmt: skip
    assert {row["part"] for row in first["baselines"]} == {"none", "tail", "trivialaugment"}
    assert first == again
    assert (tmp_path / first["report"]).exists()
    preview = call("preview", "digits", "--policy", first["policy"], "--json")
    assert json.loads(preview.out)["picture"]
    assert files == {
        p: (p.stat().st_mtime_ns, p.read_bytes())
        for p in (tmp_path / "run").rglob("*.*")
        if p in files
    }


@pytest.mark.parametrize("verb", ["compare", "search"])
def test_a_finished_run_that_was_moved_names_its_files_where_they_are(verb, tmp_path, call):
    words = {
        "compare": ["--policy", "none"],
        "search": ["--method", "random(count=2)", "--trials", "2", "--engine", "local"],
    }[verb]
    words = [verb, "digits", *QUICK, *words, "--seeds", "1", "--jobs", "1", "--json"]
    first = json.loads(call(*words, "--out", "here").out)
    (tmp_path / "here").rename(tmp_path / "there")
    again = json.loads(call(*words, "--out", "there").out)

    assert (first["policy"], first["report"]) == ("here/policy.json", "here/report.html")
    assert again == {**first, "policy": "there/policy.json", "report": "there/report.html"}


def test_train_resumes_to_the_same_result(tmp_path, call):
    words = ["train", "digits", *QUICK, "--policy", "crop", "--out", "run", "--json"]
    first, again = (json.loads(call(*words).out) for _ in range(2))

    assert {"policy", "accuracy", "seconds", "checkpoint"} <= set(first)
    assert first == again
    assert (tmp_path / first["checkpoint"]).exists()


def test_preview_writes_a_picture(tmp_path, call):
    words = ["preview", "digits", "--policy", "trivialaugment", "--policy", "mixup", "--json"]
    done = json.loads(call(*words).out)

    with Image.open(tmp_path / done["picture"]) as picture:
        assert min(picture.size) > 100


@pytest.mark.parametrize(
    ("name", "kind"), [("a.jpg", "JPEG"), ("a.WEBP", "WEBP"), ("a.gif", "GIF")]
)
def test_preview_writes_the_format_that_its_name_asks_for(name, kind, tmp_path, call):
    call("preview", "digits", "--policy", "crop", "--examples", "2", "--draws", "1", "--out", name)
    with Image.open(tmp_path / name) as picture:
        assert picture.format == kind


@pytest.mark.parametrize(
    ("name", "told"),
    [("a.txt", ".png, .jpg"), ("a", "--out"), ("none/a.png", "the folder none does not exist")],
)
def test_preview_refuses_what_it_cannot_write(name, told, tmp_path, call, capsys):
    with pytest.raises(SystemExit):
        call("preview", "digits", "--policy", "crop", "--out", name)
    assert told in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_quickstart_tells_what_to_do_next(call):
    told = call("quickstart", "--seeds", "1", "--epochs", "1", "--jobs", "1")

    assert "policy.json" in told.err
    assert "report.html" in told.err
    # One command: one seed decides nothing, and after one epoch a network may answer one class.
    command = told.err.partition("Next:\n")[2].strip()
    assert command in (
        "automorph quickstart --seeds 5 --epochs 1 --jobs 1",
        "automorph quickstart --seeds 1 --epochs 2 --jobs 1",
    )
    assert told.out == ""
