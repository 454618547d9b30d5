"""Where the rewrites of a language model are kept, by all that decides what it was asked."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path

from automorph.errors import UsageError
from automorph.files import cache_home

PLACE = "{text}"
"""Stands for the text in a prompt."""


@dataclass(frozen=True)
class Wording:
    """What a language model is asked for each text: ``n`` rewrites by a prompt.

    If the prompt holds ``{text}``, the text takes its place; if not, the prompt is the message of
    the system, and the text that of the user. Raises `UsageError` for what cannot be asked.

    >>> Wording("tiny", "Rewrite: {text}").messages("a film")
    [{'role': 'user', 'content': 'Rewrite: a film'}]
    """

    model: str
    prompt: str
    n: int = 1
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if not self.model.strip() or not self.prompt.strip():
            raise UsageError(
                f"got the model {self.model!r} and the prompt {self.prompt!r:.60}; expected the "
                "name of a model and what it is asked, such as 'Rewrite this review'"
            )
        if not 1 <= self.n <= 100 or not 0 <= self.temperature <= 2:
            raise UsageError(
                f"got n={self.n} and temperature={self.temperature}; expected 1 to 100 rewrites of "
                "each text, and a temperature from 0 to 2"
            )

    def messages(self, text: str) -> list[dict[str, str]]:
        """Return the messages for one text."""
        if PLACE in self.prompt:
            return [{"role": "user", "content": self.prompt.replace(PLACE, text)}]
        return [
            {"role": "system", "content": self.prompt},
            {"role": "user", "content": text},
        ]

    @property
    def table(self) -> Path:
        """The file of the rewrites, unless another one is named."""
        content = json.dumps(asdict(self), sort_keys=True)
        name = blake2b(content.encode(), digest_size=16).hexdigest()
        return cache_home() / "rewrites" / f"{name}.jsonl"


def prompt_of(words: str) -> str:
    """Return a prompt, or the content of the text file (``.txt``) that it names."""
    if not words.endswith(".txt"):
        return words
    try:
        return Path(words).expanduser().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the prompt from {words!r}: {error}") from error
