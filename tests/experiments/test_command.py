"""Commands: their templates, and runs that crash, hang or outlive their driver."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from automorph.errors import TrainingError, UsageError
from automorph.experiments import Command, command

PYTHON = shlex.quote(sys.executable)
REST = "{policy} {seed} {out}"
VALUES = {"policy": "p.json", "seed": "1", "epochs": "2", "out": "o", "checkpoint": ""}


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("", "empty command"),
        ("train 'unclosed", "quotes in pairs"),
        ("train --policy {policy} --seed {seed}", "lacks {out}"),
        ("train {out}", "lacks {policy} and {seed}"),
        (f"train {REST} {{epoch}}", "Did you mean '{epochs}'?"),
        (f"train {REST} {{}}", "unknown placeholder '{}'"),
        (f"train {REST} {{seed:03d}}", "unknown placeholder '{seed:03d}'"),
        (f"train {REST} {{seed!r}}", "unknown placeholder '{seed!r}'"),
        (f"train {REST} '{{\"lr\": 0.1}}'", "Double the braces"),
        (f"train {REST} {{seed", "unpaired braces"),
        (f"train {REST} seed}}", "unpaired braces"),
        (f"train {REST} {{checkpoint}}", "not {epochs}"),
    ],
)
def test_templates_that_cannot_be_used_are_refused(template: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        Command(template)
    assert words in str(caught.value)
    assert "xpected" in str(caught.value)


def test_placeholders_are_replaced_inside_words_and_values_are_not_split() -> None:
    made = Command(
        "train --seed={seed} -o '{out}/a b' {policy} '{{\"lr\": 0.1}}' {checkpoint}{epochs}"
    )
    values = {**VALUES, "out": "my folder; rm -rf $HOME", "policy": "{seed}"}
    assert made.words(values) == [
        "train", "--seed=1", "-o", "my folder; rm -rf $HOME/a b", "{seed}", '{"lr": 0.1}', "2",
    ]  # fmt: skip


def test_a_program_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="'trian' of the command was not found"):
        Command(f"trian {REST}").check_program()
    Command(f"{PYTHON} {REST}").check_program()
    with pytest.raises(UsageError, match=r"script 'trian\.py' of the command was not found"):
        Command(f"{PYTHON} trian.py {REST}").check_program()


def test_the_description_follows_the_files_that_the_command_names(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text("1")
    made = Command(f"{PYTHON} train.py --config=a.yaml {REST}", cwd=str(tmp_path))
    before = made.describe()
    assert list(before["files"]) == ["train.py"]
    (tmp_path / "a.yaml").write_text("lr: 1")
    assert list(made.describe()["files"]) == ["train.py", "a.yaml"]
    (tmp_path / "a.yaml").unlink()
    script.write_text("2")
    assert made.describe() != before


def script(folder: Path, text: str, **options: object) -> Command:
    (folder / "train.py").write_text(text)
    return Command(f"{PYTHON} train.py {REST}", cwd=str(folder), **options)  # type: ignore[arg-type]


def test_output_and_errors_go_to_the_log_and_the_environment_is_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_SETTING", "on")
    text = "import os, sys; print(os.environ['SOME_SETTING'], sys.argv[1:]);"
    script(tmp_path, f"{text} print('bad', file=sys.stderr)").run(VALUES, tmp_path)
    assert (tmp_path / "log.txt").read_text().splitlines() == ["on ['p.json', '1', 'o']", "bad"]


def test_a_crash_shows_the_last_lines_of_the_log(tmp_path: Path) -> None:
    made = script(tmp_path, "for i in range(99): print('line', i)\nraise SystemExit(3)")
    with pytest.raises(TrainingError) as caught:
        made.run(VALUES, tmp_path)
    lines = str(caught.value).splitlines()
    assert "with exit status 3" in lines[0]
    assert str(tmp_path / "log.txt") in lines[0]
    assert lines[-1].strip() == "line 98"
    assert len(lines) == 1 + command.LAST_LINES


def test_a_signal_is_named(tmp_path: Path) -> None:
    made = script(tmp_path, "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(TrainingError, match="by signal 9, as when memory runs out"):
        made.run(VALUES, tmp_path)


HANGS = """
import subprocess, sys, time, pathlib
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path("pids").write_text(f"{child.pid}")
time.sleep(600)
"""


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state in "ZX"


def wait_until(condition: object, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_run_beyond_its_time_limit_is_ended_with_all_its_processes(tmp_path: Path) -> None:
    made = script(tmp_path, HANGS, timeout=1.0)
    with pytest.raises(TrainingError, match="time limit of 1 s"):
        made.run(VALUES, tmp_path)
    child = int((tmp_path / "pids").read_text())
    assert wait_until(lambda: gone(child))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_script_that_ignores_sigterm_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "GRACE", 0.2)
    ignores = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + HANGS
    made = script(tmp_path, ignores, timeout=1.0)
    began = time.monotonic()
    with pytest.raises(TrainingError, match="time limit"):
        made.run(VALUES, tmp_path)
    assert time.monotonic() - began < 4
    assert wait_until(lambda: gone(int((tmp_path / "pids").read_text())))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_children_that_outlive_the_script_are_killed(tmp_path: Path) -> None:
    script(tmp_path, HANGS.replace("time.sleep(600)\n", "\n")).run(VALUES, tmp_path)
    assert wait_until(lambda: gone(int((tmp_path / "pids").read_text())))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_script_ends_when_its_driver_is_killed(tmp_path: Path) -> None:
    driver = (
        "import sys, pathlib\n"
        "from automorph.experiments.command import Command\n"
        f"Command({f'{PYTHON} train.py {REST}'!r}, cwd={str(tmp_path)!r})"
        f".run({VALUES!r}, pathlib.Path({str(tmp_path)!r}))"
    )
    (tmp_path / "train.py").write_text(HANGS)
    process = subprocess.Popen([sys.executable, "-c", driver])
    try:
        pids = tmp_path / "pids"
        assert wait_until(lambda: pids.exists() and pids.read_text(), 60)
        os.kill(process.pid, signal.SIGKILL)
        assert wait_until(lambda: gone(int(pids.read_text())))
    finally:
        process.kill()
        process.wait()
