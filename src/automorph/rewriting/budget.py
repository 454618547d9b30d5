"""What rewrites cost, in requests and tokens, and a budget that is never exceeded."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

_EACH = 16
"""Tokens of a message besides its content: templates have fewer."""
_ROOM, _GROWTH = 32, 2
"""An answer may have so many tokens more than so many times those of its text."""
BYTES = 4
"""Bytes of a usual token."""


@dataclass(frozen=True)
class Cost:
    """Requests and tokens; before they are made, ``prompt`` and ``completion`` are the most.

    ``usual`` is what the prompts usually take, at four bytes of a token.
    """

    requests: int = 0
    prompt: int = 0
    completion: int = 0
    usual: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.requests + other.requests,
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.usual + other.usual,
        )

    @property
    def tokens(self) -> int:
        """All tokens."""
        return self.prompt + self.completion

    def priced(self, prompt: float, completion: float) -> float:
        """Return the price, from those of a million tokens."""
        return (self.prompt * prompt + self.completion * completion) / 1e6


def longest_answer(text: str) -> int:
    """Return the largest number of tokens of an answer: about twice its text.

    >>> longest_answer("a good film")
    38
    """
    return _ROOM + _GROWTH * -(-len(text.encode()) // BYTES)


def most_of(messages: list[dict[str, str]], text: str) -> Cost:
    """Return the most that one request can cost: no token is shorter than a byte."""
    size = sum(len(one["content"].encode()) for one in messages)
    prompt = size + _EACH * len(messages)
    return Cost(1, prompt, longest_answer(text), -(-size // BYTES))


@dataclass
class Budget:
    """The most requests and tokens (None: no limit), shared by threads."""

    max_requests: int | None = None
    max_tokens: int | None = None
    spent: Cost = field(default_factory=Cost)
    _reserved: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False)

    def take(self, most: Cost) -> bool:
        """Reserve what a request can cost; False if that is more than is left."""
        with self._lock:
            requests = self.spent.requests + 1
            tokens = self.spent.tokens + self._reserved + most.tokens
            if self.max_requests is not None and requests > self.max_requests:
                return False
            if self.max_tokens is not None and tokens > self.max_tokens:
                return False
            self.spent += Cost(requests=1)
            self._reserved += most.tokens
            return True

    def settle(self, most: Cost, prompt: int, completion: int) -> None:
        """Replace what was reserved for a request by what it cost."""
        with self._lock:
            self._reserved -= most.tokens
            self.spent += Cost(prompt=prompt, completion=completion)
