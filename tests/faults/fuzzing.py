"""Change files at random, byte by byte and value by value, and watch what reading them does.

``AUTOMORPH_FUZZ`` sets how many files each test changes (default 120).
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

COUNT = int(os.environ.get("AUTOMORPH_FUZZ", "120"))

_RUNS_CODE = ("pickle.find_class", "os.system", "os.exec", "os.posix_spawn", "subprocess.Popen")
_LEAVES = ("socket.connect", "socket.getaddrinfo", "socket.sendto", "urllib.Request")
_seen: list[str] | None = None


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _seen is None:
        return
    if event.startswith((*_RUNS_CODE, *_LEAVES)):
        _seen.append(f"{event} {arguments!r:.200}")


sys.addaudithook(_hook)  # Python cannot remove an audit hook.


@contextmanager
def watched() -> Iterator[list[str]]:
    """Record actions that run a program, unpickle a class, or access the network."""
    global _seen
    _seen = found = []
    try:
        yield found
    finally:
        _seen = None


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Damage the bytes: flip, cut, double, overwrite, or append noise."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 5, 20))):
        at = rng.randrange(len(data) + 1)
        until = min(len(data), at + rng.choice((1, 1, 2, 8, 64, 1000)))
        kind = rng.randrange(7)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del data[at:]
        elif kind == 2:
            del data[at:until]
        elif kind == 3:
            data[at:at] = data[at:until]
        elif kind == 4:
            data[at:until] = bytes(until - at)
        elif kind == 5:
            data[at:at] = rng.randbytes(rng.randrange(1, 16))
        elif kind == 6:
            data[at:until] = rng.choice(_WORDS)
    return bytes(data)


_WORDS = (
    b"null", b"1e999", b"-1", b"NaN", b"[[[[[[", b"{}", b'"', b"\xff\xfe", b"true", b"9" * 400,
    b"../../../etc/passwd", b"__import__('os')", b"cos\nsystem\n(S'true'\ntR.", b"\x80\x04\x95",
)  # fmt: skip

_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**63, 10**30, 0.5, -0.0, 1e300, "", "x", "\0", "../..", "é" * 300,
    [], {}, [[]], [None], {"": None}, {"kind": "chain"}, ["a"] * 50,
)  # fmt: skip


def misvalued(content: Any, rng: random.Random) -> Any:
    """Replace, drop, double or rename one value somewhere in the plain data."""
    content = json.loads(json.dumps(content))
    places = list(_places(content))
    if not places:
        return rng.choice(_VALUES)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        parent, key = rng.choice(places)
        kind = rng.randrange(5)
        try:
            if kind <= 1:
                parent[key] = rng.choice(_VALUES)
            elif kind == 2:
                del parent[key]
            elif kind == 3 and isinstance(parent, dict):
                parent[rng.choice(("", "kind", "x", str(key).upper()))] = parent.pop(key)
            elif kind == 3:
                parent.insert(0, parent[key])
            else:
                other, there = rng.choice(places)
                parent[key] = other[there]
        except (KeyError, IndexError):
            continue
    try:
        json.dumps(content)
    except (ValueError, RecursionError):  # It would contain itself now.
        return rng.choice(_VALUES)
    return content


def _places(content: Any) -> Iterator[tuple[Any, Any]]:
    stack = [content]
    while stack:
        node = stack.pop()
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in list(items):
            yield node, key
            if isinstance(value, (dict, list)) and value:
                stack.append(value)


def outcomes(
    attempts: Iterator[tuple[bytes, Callable[[], str]]], allowed: tuple[type[Exception], ...]
) -> Counter[str]:
    """Count the outcomes of the attempts; an error that is not allowed is raised with its input."""
    ends: Counter[str] = Counter()
    for content, attempt in attempts:
        with watched() as done:
            try:
                ends[attempt()] += 1
            except allowed as error:
                if len(str(error)) > 2000 or not str(error):
                    raise AssertionError(f"a message of {len(str(error))} letters") from error
                ends[f"refused: {type(error).__name__}"] += 1
            except Exception as error:
                raise AssertionError(f"{error!r:.300} came of {content[:3000]!r}") from error
        assert not done, f"{done} came of {content[:3000]!r}"
    return ends
