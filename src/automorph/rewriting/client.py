"""One request to a server that speaks the OpenAI-compatible protocol, repeated if it fails."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from random import SystemRandom
from threading import Event, Lock
from typing import Any

from automorph.errors import DataError, MissingExtraError, UsageError
from automorph.rewriting.budget import Budget, Cost

FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0
"""Seconds before a request is repeated: at first, doubled each time, and at most."""
_AGAIN = (408, 409, 425, 429)
"""Statuses below 500 after which a request is repeated."""
_STOP = (401, 403, 404)
"""Statuses that all requests will get."""
_MOST_FAILURES = 20
"""Failures in a row, of all threads together, after which the server counts as out of order."""


class SpentError(Exception):
    """The budget does not suffice for another request."""


@dataclass(frozen=True)
class Answer:
    """What a model answered to one request; ``finish`` is ``stop`` unless it was cut off."""

    text: str
    finish: str
    prompt: int
    completion: int


@dataclass
class Client:
    """A connection whose address and key come from the environment, for many threads.

    ``OPENAI_BASE_URL`` is the address (with ``/v1``) and ``OPENAI_API_KEY`` the key; one of both is
    needed. A request that fails is repeated up to ``retries`` times, with growing waits.
    """

    budget: Budget
    retries: int = 5
    timeout: float = 120.0
    wait: Callable[[float], Any] = time.sleep
    _library: Any = field(init=False, repr=False)
    _connection: Any = field(init=False, repr=False)
    _failures: int = field(default=0, init=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)
    stopped: Event = field(default_factory=Event, init=False, repr=False)

    def __post_init__(self) -> None:
        self._library = _openai()
        address, key = address_of(), os.environ.get("OPENAI_API_KEY")
        # Retries are our own, because each counts in the budget.
        self._connection = self._library.OpenAI(
            base_url=address, api_key=key or "none", max_retries=0, timeout=self.timeout
        )

    def answer(self, body: dict[str, Any], most: Cost) -> Answer | str:
        """Return the answer to a request, or why there is none for this text.

        Raises `SpentError`, and `DataError` if the server does not answer at all.
        """
        why = ""
        for attempt in range(self.retries + 1):
            if attempt:
                self.wait(self._pause(attempt, why))
            if self.stopped.is_set() or not self.budget.take(most):
                raise SpentError
            found, again = self._once(body, most)
            if isinstance(found, Answer) or not again:
                return found
            why = found
            self._count(why)
        return f"no answer after {self.retries + 1} requests: {why}"

    def _once(self, body: dict[str, Any], most: Cost) -> tuple[Answer | str, bool]:
        """Return an answer, or why there is none and whether to ask again."""
        library = self._library
        used = (most.prompt, 0)
        try:
            answer = _answer_of(self._connection.chat.completions.create(**body), most)
            used = (answer.prompt, answer.completion)
        except library.APIStatusError as error:
            used = (0, 0)
            status, words = error.status_code, _words(error)
            if status in _STOP:
                self.stopped.set()
                raise DataError(
                    f"the server refuses requests with status {status}: {words}; check the model's "
                    "name, OPENAI_BASE_URL and OPENAI_API_KEY"
                ) from error
            wait = error.response.headers.get("retry-after", "")
            return f"status {status}, {words}{_WAIT}{wait}", status in _AGAIN or status >= 500
        except library.APIConnectionError as error:
            return f"{_words(error)}", True
        except (library.OpenAIError, ValueError, TypeError, AttributeError, LookupError) as error:
            # Whatever a server sends that is no answer: libraries raise many kinds of errors.
            return f"a malformed answer ({_words(error)})", True
        finally:
            self.budget.settle(most, *used)
        with self._lock:
            self._failures = 0
        return answer, False

    def _pause(self, attempt: int, why: str) -> float:
        """Return the seconds to wait: those that the server asks for, or twice as many each time.

        They are drawn from the upper half, so that threads do not ask at the same time.
        """
        asked = why.partition(_WAIT)[2]
        if asked.isdecimal():
            return min(float(asked), LONGEST_WAIT)
        longest = min(FIRST_WAIT * 2.0**attempt, LONGEST_WAIT)
        return SystemRandom().uniform(longest / 2, longest)  # No part of any result.

    def _count(self, why: str) -> None:
        with self._lock:
            self._failures += 1
            failed = self._failures >= max(_MOST_FAILURES, self.retries + 1)
        if failed:
            self.stopped.set()
            raise DataError(
                f"{self._failures} requests in a row failed, the last because of {why:.200}; check "
                "that the server runs and that OPENAI_BASE_URL is its address. Answers are kept: "
                "the same call continues from there"
            )


_WAIT = "; it asks to wait for seconds: "


def address_of() -> str | None:
    """Return the address from the environment (None: that of OpenAI), or raise `UsageError`."""
    address = os.environ.get("OPENAI_BASE_URL")
    if not address and not os.environ.get("OPENAI_API_KEY"):
        raise UsageError(
            "neither OPENAI_BASE_URL nor OPENAI_API_KEY is set; expected the address of a server "
            "that speaks the OpenAI-compatible protocol, such as OPENAI_BASE_URL="
            "http://localhost:8000/v1, and its key if it needs one"
        )
    return address or None


def _answer_of(completion: Any, most: Cost) -> Answer:
    choice = completion.choices[0]
    text = choice.message.content
    if not isinstance(text, str):
        raise TypeError(f"its content is a {type(text).__name__}")
    usage = completion.usage
    counts = (getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None))
    prompt, done = (one if isinstance(one, int) and one >= 0 else None for one in counts)
    return Answer(
        text,
        str(choice.finish_reason or "stop"),
        most.prompt if prompt is None else prompt,
        most.completion if done is None else done,
    )


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _openai() -> Any:
    try:
        return import_module("openai")
    except ImportError as error:
        raise MissingExtraError(
            "rewrites by a language model need the openai library, which is not installed; "
            "install it: pip install 'automorph[llm]'"
        ) from error
