"""Names of run folders: the same command finds its own run again."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from automorph.experiments import Arm
    from automorph.training import Task


_OF_DATA = ("--image", "--text", "--label", "--subgroup", "--size", "--limit", "--leakage",
            "--crop", "--decoders", "--cache")  # fmt: skip
_OF_TRAINING = ("--model", "--epochs", "--batch-size", "--lr", "--precision", "--protect")
_FLAGS = ("--skip-bad", "--on-demand", "--download")
_typed: list[str] = []
RANDOM = {"image": "random", "text": "random(space=texts-plain)"}
"""The random control of each domain."""


def remember(words: list[str]) -> None:
    """Keep the words of the command that runs, for what it says of itself."""
    _typed[:] = words


def command_words() -> str:
    """The command that runs, ready to be pasted into a shell."""
    return shlex.join(["automorph", *_typed])


def data_words(source: str) -> str:
    """DATA with the options that say how it is read, as they were typed for this command."""
    return " ".join([shlex.quote(source), *_said(_OF_DATA, _FLAGS)])


def training_words(*, but: str = "") -> str:
    """The options of the training that were typed, with a space before; without ``but``."""
    return "".join(f" {word}" for word in _said([one for one in _OF_TRAINING if one != but]))


def _said(options: Sequence[str], flags: Sequence[str] = ()) -> list[str]:
    words: list[str] = []
    for number, word in enumerate(_typed):
        option, _, value = word.partition("=")
        if word in flags:
            words.append(word)
        elif option in options:
            words += [word] if value else _typed[number : number + 2]
    return [shlex.quote(word) for word in words]


def policy_words(arm: Arm, folder: Path) -> str:
    """A policy for a later command: the file of the run it was found in.

    An online method learns anew in every training: its file holds only what it draws from, so it
    goes by its name.
    """
    from automorph.policies import Policy

    known = isinstance(arm, Policy)
    return shlex.quote(str(folder / "policy.json") if known else arm.name)


def run_folder(verb: str, task: Task, more: list[str] | None = None) -> Path:
    """``runs/VERB-DATA-HASH``: the hash is over data, splits, model, recipe and ``more``."""
    from automorph.experiments import fingerprint

    content = json.dumps([fingerprint(task), more or []], sort_keys=True)
    digest = blake2b(content.encode(), digest_size=4).hexdigest()
    data = re.sub(r"[^a-z0-9]+", "-", task.data.name.lower()).strip("-")[-40:].strip("-")
    return Path("runs") / f"{verb}-{data}-{digest}"
