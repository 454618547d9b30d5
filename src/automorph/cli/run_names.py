"""Run folders and suggested commands: the same command always gets the same folder."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from automorph.experiments import ExternalTask, Treatment
    from automorph.training import Task


_OF_DATA = ("--image", "--text", "--label", "--subgroup", "--keep-together", "--size", "--window",
            "--limit", "--leakage", "--crop", "--decoders", "--cache")  # fmt: skip
_OF_TRAINING = (
    "--model",
    "--epochs",
    "--recipe",
    "--batch-size",
    "--lr",
    "--precision",
    "--protect",
)
_FLAGS = ("--balance", "--skip-bad", "--on-demand", "--download")
_typed: list[str] = []
RANDOM = {"image": "random", "text": "random(space=texts-plain)"}
"""The random control of each domain."""


def remember(words: list[str]) -> None:
    """Store the command line that runs, for its report and its suggested commands."""
    _typed[:] = words


def typed_words() -> list[str]:
    """Return the words of the command line that runs, without the program."""
    return list(_typed)


def command_words() -> str:
    """Return the command that runs, quoted for a shell."""
    return shlex.join(["automorph", *_typed])


def data_words(source: str) -> str:
    """Return DATA with the typed options that say how to read it."""
    return " ".join([shlex.quote(source), *_typed_options(_OF_DATA, _FLAGS)])


def training_words(*, but: str = "") -> str:
    """Return the typed training options, with a leading space, without the option ``but``."""
    return "".join(
        f" {word}" for word in _typed_options([one for one in _OF_TRAINING if one != but])
    )


def _typed_options(options: Sequence[str], flags: Sequence[str] = ()) -> list[str]:
    words: list[str] = []
    for number, word in enumerate(_typed):
        option, _, value = word.partition("=")
        if word in flags:
            words.append(word)
        elif option in options:
            words += [word] if value else _typed[number : number + 2]
    return [shlex.quote(word) for word in words]


def policy_words(treatment: Treatment, folder: Path) -> str:
    """Return a policy for a later command: the policy file in the run folder.

    An in-training method learns again in every training and its file holds only the policy it
    draws from, so it is given by name.
    """
    from automorph.policies import Policy

    known = isinstance(treatment, Policy)
    return shlex.quote(str(folder / "policy.json") if known else treatment.name)


def run_folder(verb: str, task: Task | ExternalTask, more: list[str] | None = None) -> Path:
    """Return ``runs/VERB-DATA-HASH``: the hash is over data, splits, model, recipe and ``more``.

    Of the user's own training, it is over the command and the files that it names.
    """
    from automorph.experiments import fingerprint

    content = json.dumps([fingerprint(task), more or []], sort_keys=True)
    digest = blake2b(content.encode(), digest_size=4).hexdigest()
    data = re.sub(r"[^a-z0-9]+", "-", task.name.lower()).strip("-")[-40:].strip("-")
    return Path("runs") / f"{verb}-{data}-{digest}"
