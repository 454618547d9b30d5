"""Rewrites of many texts: asked for once, filtered, and written as a table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automorph.errors import UsageError
from automorph.files import atomic_write, folder_lock, make_folder
from automorph.rewriting.answers import Answers, key_of
from automorph.rewriting.budget import Cost, longest_answer, most_of
from automorph.rewriting.client import Answer, Client, SpentError, address_of
from automorph.rewriting.filters import cleaned, rejection
from automorph.text import Wording, checked_patterns, read_paraphrases

Check = Callable[[Sequence[str], Sequence[str]], Sequence[bool]]
"""Takes texts and rewrites of them, and returns which of these keep the label."""


@dataclass(frozen=True)
class Rewritten:
    """What came of a call: the table's file, and what it holds.

    ``rejected`` counts the answers that are no rewrites, by reason; ``missing`` are the requests
    without an answer, because the budget was spent, and ``failed`` those whose text or server
    failed, with the reason.
    """

    file: Path
    texts: int
    rewrites: int
    cached: int
    spent: Cost
    rejected: dict[str, int]
    missing: int
    failed: dict[str, int]


@dataclass(frozen=True)
class _Request:
    text: str
    body: dict[str, Any]
    key: str
    most: Cost


def cost_of(texts: Iterable[str], wording: Wording) -> tuple[Cost, int]:
    """Return the most that the missing rewrites of some texts cost, and the answers that are there.

    Nothing is sent. A request that fails is repeated, and then costs once more.
    """
    requests = _requests(texts, wording)
    known = Answers(_answers_file(wording)).known
    wanted = [one.most for one in requests if one.key not in known]
    return sum(wanted, Cost()), len(requests) - len(wanted)


def rewrite(
    texts: Iterable[str],
    wording: Wording,
    client: Client,
    *,
    file: Path | None = None,
    protect: Sequence[str] = (),
    check: Check | None = None,
    concurrency: int = 4,
    progress: Callable[[int, int], None] = lambda done, count: None,
) -> Rewritten:
    """Let a language model rewrite texts, and write the rewrites as a table of paraphrases.

    Answers are kept, and no request is made twice. An answer is rejected if its length changes by
    more than half, if it was cut off, is empty or no other text, if a protected part (``protect``
    are regular expressions) changes, or if ``check`` says that it has lost the label. ``file`` is
    the table (None: ``wording.table``); entries of other texts in it stay.
    Raises `UsageError` for a wrong option, and `DataError` if the server refuses all requests.
    """
    patterns = checked_patterns(protect)
    if not 1 <= concurrency <= 256:
        raise UsageError(f"got concurrency={concurrency}; expected 1 to 256 requests at a time")
    file = file or wording.table
    wanted = list(dict.fromkeys(text for text in texts if text.strip()))
    requests = _requests(wanted, wording)
    path = _answers_file(wording)
    with folder_lock(path.parent):
        answers = Answers(path)
        cached = sum(one.key in answers.known for one in requests)
        failed, missing = _ask(requests, answers, client, concurrency, progress)
    kept, rejected = _accepted(requests, answers.known, patterns, check)
    _write_table(file, kept, wanted, wording.model)
    return Rewritten(
        file, len(wanted), sum(map(len, kept.values())), cached, client.budget.spent,
        dict(rejected), missing, dict(failed),
    )  # fmt: skip


def _requests(texts: Iterable[str], wording: Wording) -> list[_Request]:
    address, made = address_of(), []
    for text in dict.fromkeys(text for text in texts if text.strip()):
        messages = wording.messages(text)
        for number in range(wording.n):
            body = {
                "model": wording.model,
                "messages": messages,
                "temperature": wording.temperature,
                "max_tokens": longest_answer(text),
                "seed": number,
            }
            made.append(_Request(text, body, key_of(address, body), most_of(messages, text)))
    return made


def _answers_file(wording: Wording) -> Path:
    return wording.table.with_suffix("") / "answers.jsonl"


def _ask(
    requests: list[_Request],
    answers: Answers,
    client: Client,
    concurrency: int,
    progress: Callable[[int, int], None],
) -> tuple[Counter[str], int]:
    """Make the requests that have no answer; return why some failed, and how many were not made."""
    open_ones = [one for one in requests if one.key not in answers.known]
    failed: Counter[str] = Counter()
    missing = 0

    def ask(one: _Request) -> str | None:
        try:
            found = client.answer(one.body, one.most)
        except SpentError:
            return None
        if isinstance(found, Answer):
            answers.add(one.key, found)
            return ""
        return found

    with ThreadPoolExecutor(concurrency) as threads:
        try:
            for done, why in enumerate(threads.map(ask, open_ones), 1):
                missing += why is None
                if why:
                    failed[why] += 1
                progress(done, len(open_ones))
        except BaseException:
            client.stopped.set()  # The other threads end after their present request.
            raise
    return failed, missing


def _accepted(
    requests: list[_Request],
    known: dict[str, Answer],
    protect: Sequence[str],
    check: Check | None,
) -> tuple[dict[str, list[str]], Counter[str]]:
    kept: dict[str, list[str]] = {}
    rejected: Counter[str] = Counter()
    for one in requests:
        if (answer := known.get(one.key)) is None:
            continue
        mine = kept.setdefault(one.text, [])
        if why := rejection(answer, one.text, mine, protect):
            rejected[why] += 1
        else:
            mine.append(cleaned(answer.text, one.text))
    if check is not None:
        pairs = [(text, other) for text, others in kept.items() for other in others]
        good = check([text for text, _ in pairs], [other for _, other in pairs]) if pairs else []
        for (text, other), right in zip(pairs, good, strict=True):
            if not right:
                kept[text].remove(other)
                rejected["label"] += 1
    return {text: others for text, others in kept.items() if others}, rejected


def _write_table(file: Path, kept: dict[str, list[str]], asked: list[str], model: str) -> None:
    """Write the table of paraphrases; what it holds about other texts stays."""
    table: dict[str, Sequence[str]] = {}
    if file.exists():
        table.update(read_paraphrases(str(file)))
    for text in asked:
        table.pop(text.strip(), None)
    table.update({text.strip(): found for text, found in kept.items()})
    make_folder(file.parent)
    with atomic_write(file) as temporary, temporary.open("w", encoding="utf-8") as lines:
        for text, others in table.items():
            entry = {"text": text, "paraphrases": list(others), "model": model}
            lines.write(json.dumps(entry, ensure_ascii=False) + "\n")
    read_paraphrases.cache_clear()
