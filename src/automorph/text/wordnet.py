"""WordNet read from files on this machine: synonyms and parts of speech of words.

The files are in Princeton's own format (wndb), as Debian's ``wordnet-base`` and NLTK's ``wordnet``
provide them. Nothing is downloaded.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from pathlib import Path

from automorph.errors import MissingExtraError

PARTS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
_ENDINGS = {
    "noun": (("ses", "s"), ("xes", "x"), ("zes", "z"), ("ches", "ch"), ("shes", "sh"),
             ("men", "man"), ("ies", "y"), ("s", "")),
    "verb": (("ies", "y"), ("es", "e"), ("es", ""), ("ed", "e"), ("ed", ""), ("ing", "e"),
             ("ing", ""), ("s", "")),
    "adj": (("er", ""), ("est", ""), ("er", "e"), ("est", "e")),
    "adv": (),
}  # fmt: skip
"""WordNet's rules of detachment (morphy)."""
_OBSCENE, _OFFENDING = ("obscenity",), ("ethnic slur", "disparagement")
"""The first words of WordNet's usages of words that are vulgar, or meant to offend."""
_VULGAR = """
arse arsehole bitch boob bugger cunt dyke fag faggot fagot fucker goddam goddamn nigga nigger poof
poove pouf pussy slut titty tit twat wank whore
"""
"""Vulgar words that WordNet does not mark."""
_ORDINARY = "bull dirt peter screw screwing shaft tool"
"""Words that it marks, and that are vulgar in that sense only."""


@dataclass(frozen=True, eq=False)
class WordNet:
    """Synonyms by base form and part of speech, with the irregular base forms."""

    synonyms: dict[str, dict[str, tuple[str, ...]]]
    exceptions: dict[str, dict[str, str]]
    uses: dict[str, dict[str, int]]
    vulgar: frozenset[str] = frozenset()
    """Words that WordNet or `_VULGAR` calls vulgar, in lower case."""
    proper: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict, repr=False)
    """The synonyms without those that are vulgar, or meant to offend in that sense."""
    found: dict[tuple[str, bool], tuple[str, ...]] = field(default_factory=dict, repr=False)

    def bases(self, word: str, part: str) -> Iterator[str]:
        """Yield the base forms of a word as a part of speech: ``mouse`` for ``mice``."""
        known = self.synonyms[part]
        if word in known:
            yield word
        if word in self.exceptions[part]:
            yield self.exceptions[part][word]
        for ending, instead in _ENDINGS[part]:
            if word.endswith(ending) and len(word) > len(ending):
                base = word[: -len(ending)] + instead
                if base in known:
                    yield base

    def of(self, word: str, *, proper: bool = False) -> tuple[str, ...]:
        """Return the other words that share a meaning with a word, in the order of the files.

        With ``proper``, without words that are vulgar or meant to offend.
        """
        key = (word.lower(), proper)
        if key not in self.found:
            self.found[key] = self._of(key[0], self.proper if proper else self.synonyms)
        return self.found[key]

    def _of(self, lower: str, synonyms: dict[str, dict[str, tuple[str, ...]]]) -> tuple[str, ...]:
        found = {
            synonym: None
            for part in PARTS
            for base in self.bases(lower, part)
            for synonym in synonyms[part].get(base, ())
        }
        return tuple(synonym for synonym in found if synonym.lower() != lower)

    def part_of_speech(self, word: str) -> str:
        """Return the most common of ``noun``, ``verb``, ``adj`` and ``adv``; empty if unknown."""
        lower, best = word.lower(), ("", 0)
        for part in PARTS:
            for base in self.bases(lower, part):
                uses = 1 + self.uses[part].get(base, 0)
                if uses > best[1]:
                    best = (part, uses)
        return best[0]


def find_wordnet() -> Path | None:
    """Find the folder with WordNet's files, or return None.

    Searched: the environment variable ``AUTOMORPH_WORDNET``, Debian's folder and NLTK's.
    """
    home, named = Path.home(), os.environ.get("AUTOMORPH_WORDNET")
    nltk = [Path(part) for part in os.environ.get("NLTK_DATA", "").split(os.pathsep) if part]
    folders = [
        *([Path(named)] if named else []),
        Path("/usr/share/wordnet"),
        *(folder / "corpora" / "wordnet" for folder in (*nltk, home / "nltk_data")),
    ]
    return next((folder for folder in folders if (folder / "data.noun").is_file()), None)


def wordnet() -> WordNet:
    """Load WordNet from this machine. Raises MissingExtraError if it is not installed."""
    folder = find_wordnet()
    if folder is None:
        raise MissingExtraError(
            "synonyms need WordNet's files, and none were found; install them (Debian and Ubuntu: "
            "apt install wordnet-base; or python -m nltk.downloader wordnet, unpacked), or set "
            "AUTOMORPH_WORDNET to the folder that holds data.noun"
        )
    return read_wordnet(folder)


@cache
def read_wordnet(folder: Path) -> WordNet:
    """Read WordNet's files (about a second)."""
    synonyms, exceptions, uses, proper = {}, {}, {}, {}
    rows = {part: list(_rows(folder / f"data.{part}")) for part in PARTS}
    marks = {fields[0]: words[0] for fields in rows["noun"] if (words := _words_of(fields))}
    marked = chain.from_iterable(_used_as(one, marks, _OBSCENE) for one in chain(*rows.values()))
    vulgar = {*map(str.lower, marked), *_VULGAR.split()}.difference(_ORDINARY.split())
    for part in PARTS:
        sets: dict[str, dict[str, None]] = {}
        clean: dict[str, dict[str, None]] = {}
        counts: dict[str, int] = {}
        for fields in rows[part]:
            words = _words_of(fields)
            offending = _used_as(fields, marks, (*_OBSCENE, *_OFFENDING))
            decent = [w for w in words if w.lower() not in vulgar and w not in offending]
            for word in words:
                sets.setdefault(word.lower(), {}).update(dict.fromkeys(words))
                clean.setdefault(word.lower(), {}).update(dict.fromkeys(decent))
        for fields in _rows(folder / f"index.{part}"):
            # .. p_cnt symbols sense_cnt tagsense_cnt offsets: the number of senses found in texts.
            at = 4 + int(fields[3])
            counts[fields[0].replace("_", " ")] = int(fields[at + 1])
        synonyms[part] = {word: tuple(found) for word, found in sets.items()}
        proper[part] = {word: tuple(found) for word, found in clean.items()}
        exceptions[part] = {
            fields[0]: fields[1] for fields in _rows(folder / f"{part}.exc") if len(fields) > 1
        }
        uses[part] = counts
    return WordNet(synonyms, exceptions, uses, frozenset(vulgar), proper)


def _words_of(fields: list[str]) -> list[str]:
    """Return the words of a line of a data file: offset, file, part, count, then the words."""
    # Syntactic marks, as in "galore(ip)", are not part of the word.
    count = int(fields[3], 16)
    return [fields[4 + 2 * i].split("(")[0].replace("_", " ") for i in range(count)]


def _used_as(fields: list[str], marks: dict[str, str], usages: Container[str]) -> list[str]:
    """Return the words of a line that point to one of some usages (``;u``)."""
    if ";u" not in fields:
        return []
    words = _words_of(fields)
    start = 4 + 2 * len(words)
    found: list[str] = []
    for at in range(start + 1, start + 1 + 4 * int(fields[start]), 4):
        symbol, offset, part, ends = fields[at : at + 4]
        if symbol == ";u" and part == "n" and marks.get(offset) in usages:
            word = int(ends[:2], 16)  # 0: all of them.
            found += [words[word - 1]] if word else words
    return found


def _rows(file: Path) -> Iterator[list[str]]:
    if not file.is_file():
        return
    with file.open(encoding="latin-1") as lines:
        for line in lines:
            if not line.startswith("  "):  # The licence.
                yield line.split()
