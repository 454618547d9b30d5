"""The user's training script as a command: its template, its runs, and what they depend on."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess  # nosec B404
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from string import Formatter
from typing import Any

from automorph.errors import TrainingError, UsageError
from automorph.experiments import supervise
from automorph.files import disk_errors
from automorph.registry import unknown

PLACEHOLDERS = ("policy", "seed", "epochs", "out", "checkpoint")
REQUIRED = ("policy", "seed", "out")
LOG = "log.txt"
LAST_LINES = 12
"""Lines of the log that the error of a failed run shows."""
GRACE = 10.0
"""Seconds between SIGTERM and SIGKILL."""
_HASHED = 256 * 2**20
"""Bytes; larger files that a command names are identified by size and time of change."""
EXAMPLE = "python train.py --policy {policy} --seed {seed} --epochs {epochs} --out {out}"


class CrashError(TrainingError):
    """A run of a command that ended with an error; another try may succeed."""


@dataclass(frozen=True)
class Command:
    """A command with placeholders, such as `EXAMPLE`; it runs without a shell.

    The template is split into words as a shell would; then every placeholder is replaced inside
    its word, so values are never split. ``{{`` and ``}}`` are literal braces. ``timeout`` is in
    seconds (None: no limit), ``retries`` is how often a crashed run is repeated, ``cwd`` is the
    working directory (default: the current one).

    >>> Command(EXAMPLE).words({"policy": "p.json", "seed": "1", "epochs": "5", "out": "o"})[-1]
    'o'
    """

    template: str
    timeout: float | None = None
    retries: int = 1
    cwd: str = ""

    def __post_init__(self) -> None:
        """Check the template."""
        if not self.cwd:
            object.__setattr__(self, "cwd", os.getcwd())
        used = self.placeholders
        if missing := [name for name in REQUIRED if name not in used]:
            raise UsageError(
                f"the command {self.template!r} lacks {_braced(missing)}; expected {{policy}}, "
                f"{{seed}} and {{out}} in it, such as {EXAMPLE!r}"
            )
        if "checkpoint" in used and "epochs" not in used:
            raise UsageError(
                f"the command {self.template!r} has {{checkpoint}} but not {{epochs}}; expected "
                "both, because a training that continues must know where to stop: add {epochs}, "
                "or remove {checkpoint}"
            )
        if self.timeout is not None and not self.timeout > 0:
            raise UsageError(f"got timeout={self.timeout}; expected seconds above 0")
        if self.retries < 0:
            raise UsageError(f"got retries={self.retries}; expected 0 or more")

    @cached_property
    def placeholders(self) -> frozenset[str]:
        """The placeholders that the template uses."""
        return frozenset(name for word in self._parsed for _, name in word if name)

    @cached_property
    def _parsed(self) -> list[list[tuple[str, str | None]]]:
        """Words of the template as pairs of literal text and the placeholder after it."""
        try:
            words = shlex.split(self.template)
        except ValueError as error:
            raise UsageError(
                f"the command {self.template!r} cannot be split into words ({error}); expected "
                "quotes in pairs, as in a shell"
            ) from None
        if not words:
            raise UsageError(f"got an empty command; expected one such as {EXAMPLE!r}")
        return [self._parts(word) for word in words]

    def _parts(self, word: str) -> list[tuple[str, str | None]]:
        try:
            parts = list(Formatter().parse(word))
        except ValueError as error:
            raise UsageError(
                f"the word {word!r} of the command has unpaired braces ({error}); expected "
                f"placeholders such as {{seed}}: double the braces that are meant literally"
            ) from None
        for _, name, form, conversion in parts:
            if name is None:
                continue
            if name not in PLACEHOLDERS or form or conversion:
                whole = (
                    name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
                )
                raise UsageError(
                    unknown("placeholder", "{" + whole + "}", [f"{{{p}}}" for p in PLACEHOLDERS])
                    + ". Double the braces that are meant literally"
                )
        return [(text, name) for text, name, _, _ in parts]

    def words(self, values: Mapping[str, str]) -> list[str]:
        """Return the words of the command with the placeholders replaced."""
        return [
            "".join(text + (values[name] if name else "") for text, name in word)
            for word in self._parsed
        ]

    def check_program(self) -> None:
        """Raise `UsageError` if the program of the command, or its script, does not exist."""
        program, *rest = self.words(dict.fromkeys(PLACEHOLDERS, ""))
        if shutil.which(os.path.join(self.cwd, program) if os.sep in program else program) is None:
            raise UsageError(
                f"the program {program!r} of the command was not found; expected one on PATH, or "
                f"a path from {self.cwd} to an executable file"
            )
        is_script = Path(program).name.startswith("python") and rest and rest[0].endswith(".py")
        if is_script and not Path(self.cwd, rest[0]).is_file():
            raise UsageError(
                f"the script {rest[0]!r} of the command was not found; expected a path from "
                f"{self.cwd} to an existing file"
            )

    def describe(self) -> dict[str, Any]:
        """Return what its results depend on: the template, and the files that it names.

        Other files (modules that a script imports, data in folders) are not noticed.
        """
        return {"command": self.template, "files": dict(self._files())}

    def _files(self) -> Iterator[tuple[str, str]]:
        for number, word in enumerate(self._parsed):
            if any(name for _, name in word):
                continue
            text = "".join(literal for literal, _ in word)
            for candidate in dict.fromkeys([text, text.partition("=")[2]]):
                path = Path(self.cwd, candidate)
                # The program is the user's code only if it is a script.
                if candidate and path.is_file() and (number or path.read_bytes()[:2] == b"#!"):
                    yield candidate, _content_of(path)

    def run(self, values: Mapping[str, str], folder: Path) -> None:
        """Run the command once in its own process group; write its output to ``folder / LOG``.

        Raises `CrashError` if it ends with an error, and `TrainingError` if it exceeds the time
        limit. If this process dies, or is interrupted, the command is ended too.
        """
        log = folder / LOG
        supervisor = [sys.executable, "-I", "-S", supervise.__file__, str(GRACE)]
        with disk_errors(log), log.open("wb") as output:
            try:
                process = subprocess.Popen(  # nosec B603
                    [*supervisor, *self.words(values)],
                    stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, cwd=self.cwd,
                    start_new_session=True,
                )  # fmt: skip
            except (FileNotFoundError, NotADirectoryError) as error:
                raise TrainingError(
                    f"cannot start the command in {self.cwd}: {error.strerror}; expected this "
                    "folder on every machine that runs trainings"
                ) from None
        try:
            status = process.wait(self.timeout)
        except subprocess.TimeoutExpired:
            _end(process)
            raise TrainingError(
                f"the command was ended after the time limit of {self.timeout:g} s; expected it "
                f"to finish earlier: raise the limit with --timeout (timeout=...), or train for "
                f"fewer epochs{last_lines(log)}"
            ) from None
        finally:
            _end(process)
        if status == supervise.CANNOT_START and _first_line(log).startswith(supervise.NOT_STARTED):
            raise TrainingError(f"the command did not start{last_lines(log)}")
        if status:
            how = f"with exit status {status}"
            if status > 128:
                memory = ", as when memory runs out" if status == 137 else ""
                how = f"by signal {status - 128}{memory}"
            raise CrashError(f"the command ended {how}; expected 0{last_lines(log)}")


def last_lines(log: Path) -> str:
    """Return the last lines of a log, indented, below the path of the log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8000))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line.rstrip()[-300:] for line in text.replace("\r", "\n").splitlines()]
    kept = [line for line in lines if line.strip()][-LAST_LINES:]
    if not kept:
        return f". Its log is empty: {log}"
    return "\n    ".join([f". The end of its log, {log}:", *kept])


def _first_line(log: Path) -> str:
    with log.open(encoding="utf-8", errors="replace") as file:
        return file.readline(200)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a supervised command, if it still runs."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(GRACE + 5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _content_of(path: Path) -> str:
    """Return a hash of the file; of a huge one, its size and time of change."""
    facts = path.stat()
    if facts.st_size > _HASHED:
        changed = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(facts.st_mtime))
        return f"{facts.st_size} bytes, changed {changed}"
    return blake2b(path.read_bytes(), digest_size=8).hexdigest()


def _braced(names: list[str]) -> str:
    return " and ".join(f"{{{name}}}" for name in names)
