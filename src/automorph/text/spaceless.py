"""Words of texts without spaces between them: Chinese, Japanese and Thai, divided by BudouX.

Which model divides a run of letters depends on the text alone. Saved policies must find the same
words for ever, so a model is used only if it is the one that this version was written for.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib import import_module
from importlib.resources import files
from typing import Any

from automorph.errors import MissingExtraError, UsageError

Spans = list[tuple[int, int]]

VERSION = "0.10.1"
"""The version of BudouX whose models are used."""
_MODELS = {
    "ja_word": ("Japanese", "710a8680722b"),
    "th": ("Thai", "064489ca1572"),
    "zh-hans": ("Chinese", "6999aa5fa8d2"),
    "zh-hant": ("Chinese", "d8d096efccb6"),
}
"""By name: the language, and the beginning of the SHA-256 of the file."""

_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_KANA = "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"
_THAI = "\u0e01-\u0e3a\u0e40-\u0e4e\u0e50-\u0e59"
_OTHERS = {
    "Lao": "\u0e81-\u0eff",
    "Burmese": "\u1000-\u1049\u1050-\u109f\ua9e0-\ua9fe\uaa60-\uaa7f",
    "Khmer": "\u1780-\u17d3\u17d7\u17dc-\u17f9",
}
"""Scripts without spaces that no model divides."""
_RUN = re.compile(
    "|".join(
        rf"[{letters}][{letters}\ufe00-\ufe0e\u200b-\u200d]*"
        for letters in (_HAN + _KANA, _THAI, *_OTHERS.values())
    )
)
_CJK, _IS_KANA = re.compile(f"[{_HAN}{_KANA}]"), re.compile(f"[{_KANA}]")
_IS_THAI = re.compile(f"[{_THAI}]")


def words_between(text: str, others: Iterable[tuple[int, int]]) -> Spans:
    """Return where the words of runs without spaces begin and end, outside of other spans.

    Raises `MissingExtraError` if they cannot be divided.
    """
    found: Spans = []
    for start, run in _runs(text, others):
        for word in _parser(_model_of(run, text)).parse(run):
            found.append((start, start + len(word)))
            start += len(word)
    return found


def check_runs(text: str, others: Iterable[tuple[int, int]]) -> None:
    """Raise `MissingExtraError` if a run outside of other spans cannot be divided into words."""
    for _, run in _runs(text, others):
        _parser(_model_of(run, text))


def _runs(text: str, others: Iterable[tuple[int, int]]) -> Iterator[tuple[int, str]]:
    """Yield where each run outside of other spans begins, and the run."""
    if not has_run(text):
        return
    at = 0
    for start, end in (*others, (len(text), len(text))):
        for run in _RUN.finditer(text, at, max(at, start)):
            yield run.start(), run.group()
        at = max(at, end)


def has_run(text: str) -> bool:
    """Return whether a text holds letters of a script without spaces."""
    return _RUN.search(text) is not None


def spaceless_share(text: str) -> float:
    """Return the share of a text's letters that are of scripts without spaces.

    >>> spaceless_share("映画 film")
    0.3333333333333333
    """
    letters = sum(map(str.isalnum, text))
    runs = sum(sum(map(str.isalnum, run)) for run in _RUN.findall(text))
    return runs / letters if letters else 0.0


def is_spaceless(word: str) -> bool:
    """Return whether a word begins or ends with a letter of a script without spaces.

    >>> is_spaceless("映画"), is_spaceless("film")
    (True, False)
    """
    return bool(word) and any(_RUN.match(end) is not None for end in (word[0], word[-1]))


def _model_of(run: str, text: str) -> str:
    """Return the model for a run of letters of a text."""
    if _CJK.match(run):
        if _IS_KANA.search(text):
            return "ja_word"
        return "zh-hant" if sum(map(_traditional, text)) > 0 else "zh-hans"
    if _IS_THAI.match(run):
        return "th"
    name = next(name for name, letters in _OTHERS.items() if re.match(f"[{letters}]", run))
    pattern = _OTHERS[name].encode("unicode_escape").decode()
    raise MissingExtraError(
        f"got a {name} text, {run!r:.40}; {name} has no spaces between words, and nothing that is "
        "supported here finds them. Leave such texts out, use operations on whole texts only, or "
        f"protect them: --protect '[{pattern}]+'"
    )


@lru_cache(maxsize=1 << 14)
def _traditional(letter: str) -> int:
    """Return 1 for a traditional Chinese letter, -1 for a simplified one, and 0 for both.

    The standards GB 2312 and Big5 list them.
    """
    if not _CJK.match(letter):
        return 0
    return _listed(letter, "big5") - _listed(letter, "gb2312")


def _listed(letter: str, standard: str) -> bool:
    try:
        letter.encode(standard)
    except UnicodeEncodeError:
        return False
    return True


@cache
def _parser(name: str) -> Any:
    """Return BudouX's parser with one of its models."""
    language, digest = _MODELS[name]
    remedy = f"pip install 'automorph[languages]', which installs budoux {VERSION}"
    try:
        library = import_module("budoux")
        content = files(library).joinpath("models", f"{name}.json").read_bytes()
    except (ImportError, FileNotFoundError) as error:
        raise MissingExtraError(
            f"got a {language} text; {language} has no spaces between words, and budoux "
            f"{VERSION}, which finds them, is not installed ({error}); {remedy}, or use "
            "operations on whole texts only"
        ) from error
    if not hashlib.sha256(content).hexdigest().startswith(digest):
        raise UsageError(
            f"the {language} model of the installed budoux is not that of budoux {VERSION}, so "
            f"that saved policies would find other words; {remedy}"
        )
    return library.Parser(json.loads(content))
