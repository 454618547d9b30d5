"""How fast are the operations on texts compared with nlpaug and TextAttack, on one core?

The same operations at the same strength (a tenth of the words), on all training sentences of SST-2
(19 words on average): EDA's synonyms, insertion, swap and deletion, and typing errors. The
libraries take turns, round by round, each on the same texts in its own process; the measure is the
CPU time of that process (the median round), so that other work on the machine has little effect.
There are two cases of Automorph: `first` sees the texts for the first time (a vocabulary is built),
`again` has seen them before, as in every epoch of a training but the first; each has its own
process.

Differences: nlpaug 1.1.11 has no insertion of synonyms, and its synonyms need `nltk`'s part of
speech tagger, whose weights would have to be downloaded; here the same tagger learns from the texts
and WordNet before the timing starts. TextAttack (0.3.11) also computes what its attacks need. Both
get WordNet's files in NLTK's layout and the same stop words. They work text by text and get fewer
texts (`FEW`).

Expected before the run: nlpaug is the faster one of the two for every operation. Automorph again is
at least 20 times as fast as nlpaug over the operations of EDA that nlpaug has (the sum of their
times), 10 to 15 times for swap, deletion and typing errors alone, and more than 500 times as fast
as TextAttack.

n: 5 rounds. Hardware: CPU, one thread; about 2 minutes.
Rerun: uv venv OTHERS
       uv pip install --python OTHERS nlpaug==1.1.11 textattack==0.3.11 'pyarrow<21'
       AUTOMORPH_DATA=... .venv/bin/python benchmarks/text_throughput.py --others OTHERS/bin/python
       [--try] (tiny: does it run?)
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

OPERATIONS = {
    "Synonym": "synonyms", "Insert": "insertion", "Swap": "swap", "Delete": "deletion",
    "Keyboard": "typing errors",
}  # fmt: skip
EDA = ("Synonym", "Insert", "Swap", "Delete")
SHARE, ROUNDS, FEW = 0.1, 5, {"nlpaug": 500, "textattack": 40}
FASTER = 20.0

Edit = Callable[[list[str]], Any]


def of_automorph() -> dict[str, Edit]:
    """Automorph's operations on a whole batch."""
    import numpy as np

    from automorph.engine import apply
    from automorph.operations import Sequences, Stream, named_space

    space, seeds = named_space("texts"), iter(range(10**9))

    def edit(name: str) -> Edit:
        number = space.number(name)

        def run(texts: list[str]) -> Any:
            chosen = np.full((len(texts), 1), number)
            sequences = Sequences.of(chosen, SHARE / space[name].high)
            stream = Stream(seed=next(seeds), index=np.arange(len(texts)))
            return apply(np.array(texts, np.dtypes.StringDType()), sequences, space, stream)

        return run

    return {name: edit(name) for name in OPERATIONS}


def forget() -> None:
    """Clear Automorph's caches of words and texts."""
    from automorph.text import vocabulary

    vocabulary._current = vocabulary.Vocabulary()


def of_nlpaug() -> dict[str, Edit]:
    import nltk
    from nltk.corpus import wordnet
    from nltk.tag import PerceptronTagger

    tagger, tags = PerceptronTagger(load=False), {"n": "NN", "v": "VB", "a": "JJ", "r": "RB"}

    def tag(word: str) -> str:
        return tags.get(next((found.pos() for found in wordnet.synsets(word)), ""), "DT")

    def pos_tag(words: list[str], *_: Any, **__: Any) -> Any:
        return tagger.tag(words)

    nltk.pos_tag = pos_tag
    import nlpaug.augmenter.char as characters
    import nlpaug.augmenter.word as words

    made = {
        "Synonym": words.SynonymAug(aug_p=SHARE),
        "Swap": words.RandomWordAug(action="swap", aug_p=SHARE),
        "Delete": words.RandomWordAug(action="delete", aug_p=SHARE),
        "Keyboard": characters.KeyboardAug(
            aug_word_p=SHARE, aug_char_max=1, include_special_char=False, include_numeric=False
        ),
    }

    def synonyms(texts: list[str]) -> Any:
        if not tagger.classes:
            tagger.train([[(word, tag(word)) for word in text.split()] for text in texts])
        return made["Synonym"].augment(texts)

    return {name: one.augment for name, one in made.items()} | {"Synonym": synonyms}


def of_textattack() -> dict[str, Edit]:
    from textattack import transformations
    from textattack.augmentation import Augmenter

    kinds = {
        "Synonym": transformations.WordSwapWordNet,
        "Insert": transformations.WordInsertionRandomSynonym,
        "Swap": transformations.WordInnerSwapRandom,
        "Delete": transformations.WordDeletion,
        "Keyboard": transformations.WordSwapQWERTY,
    }

    def edit(kind: Any) -> Edit:
        one = Augmenter(
            transformation=kind(), pct_words_to_swap=SHARE, transformations_per_example=1
        )
        return lambda texts: [one.augment(text) for text in texts]

    return {name: edit(kind) for name, kind in kinds.items()}


LIBRARIES = {"automorph": of_automorph, "nlpaug": of_nlpaug, "textattack": of_textattack}


def serve(library: str) -> None:
    """Answer requests ``[operation, anew, texts]``, one per line, with the CPU time in seconds."""
    answers, sys.stdout = sys.stdout, sys.stderr
    edits = LIBRARIES[library]()
    print(json.dumps(sorted(edits)), file=answers, flush=True)
    for line in sys.stdin:
        name, anew, texts = json.loads(line)
        if anew:
            forget()
        start = time.process_time()
        edits[name](texts)
        print(time.process_time() - start, file=answers, flush=True)


class Server:
    """A library in its own process."""

    def __init__(self, library: str, python: str, nltk_data: Path) -> None:
        single = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "NLTK_DATA": str(nltk_data)}
        self.process = subprocess.Popen(
            [python, __file__, "--serve", library], text=True, env=os.environ | single,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        answer = self.process.stdout.readline() if self.process.stdout else ""
        if not answer:
            raise SystemExit(f"{library} does not start with {python}")
        self.operations = json.loads(answer)

    def seconds(self, name: str, texts: list[str], *, anew: bool = False) -> float:
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps([name, anew, texts]), file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())


def write_nltk_data(folder: Path) -> None:
    """Write WordNet and the stop words in NLTK's layout; its lexnames file is not used."""
    from automorph.text import stop_words
    from automorph.text.wordnet import find_wordnet

    source = find_wordnet()
    if source is None:
        raise SystemExit("WordNet's files are not on this machine (wordnet-base)")
    corpus, stops = folder / "corpora" / "wordnet", folder / "corpora" / "stopwords"
    corpus.mkdir(parents=True)
    stops.mkdir()
    for file in source.iterdir():
        if file.is_file():
            shutil.copy(file, corpus)
    (corpus / "lexnames").write_text("".join(f"{i:02}\tfile{i}\t1\n" for i in range(45)))
    (corpus / "index.sense").touch()
    (stops / "english").write_text("\n".join(stop_words._WORDS.split()) + "\n")


def measure(others: str, rounds: int, most: int | None) -> list[dict[str, Any]]:
    """Microseconds per text for every library and operation, round by round."""
    from pyarrow.parquet import read_table

    folder_of_texts = Path(os.environ["AUTOMORPH_DATA"]) / "text" / "sst2"
    texts = read_table(next(folder_of_texts.glob("train-*")))["text"].to_pylist()[:most]
    with TemporaryDirectory() as folder:
        write_nltk_data(Path(folder))
        own = sys.executable
        pythons = {"first": own, "again": own, **dict.fromkeys(FEW, others)}
        servers = {
            name: Server(name if name in FEW else "automorph", python, Path(folder))
            for name, python in pythons.items()
        }
        cases = [("automorph", "first", len(texts)), ("automorph", "again", len(texts))]
        cases += [(library, "again", FEW[library]) for library in FEW]
        taken: dict[tuple[str, str, str], list[float]] = {}
        for turn in range(rounds + 1):
            for name in OPERATIONS:
                for library, case, count in cases:
                    server = servers[case if library == "automorph" else library]
                    if name not in server.operations:
                        continue
                    # Libraries that get fewer texts get different ones in every round.
                    start = turn * count % max(1, len(texts) - count)
                    some = texts[start : start + count]
                    seconds = server.seconds(name, some, anew=case == "first")
                    if turn:  # The first round is a warm-up.
                        one = taken.setdefault((library, case, name), [])
                        one.append(1e6 * seconds / len(some))
        for server in servers.values():
            server.process.terminate()
    return [
        {"library": library, "case": case, "operation": name, "about": OPERATIONS[name],
         "microseconds": round(median(values), 2), "rounds": [round(v, 2) for v in values]}
        for (library, case, name), values in taken.items()
    ]  # fmt: skip


def judged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The claims of the header."""
    from record import claim

    time_of = {(r["library"], r["case"], r["operation"]): r["microseconds"] for r in rows}

    def ratio(library: str, names: tuple[str, ...], case: str = "again") -> float:
        known = [name for name in names if (library, "again", name) in time_of]
        theirs = sum(time_of[library, "again", name] for name in known)
        return round(theirs / sum(time_of["automorph", case, name] for name in known), 1)

    goal = f"again: at least {FASTER:g} times as fast as"
    claims = []
    single = [((name,), about) for name, about in OPERATIONS.items()]
    for library in FEW:
        for names, what in [(EDA, "EDA's operations"), *single]:
            if library == "nlpaug" and names == ("Insert",):
                continue
            value = ratio(library, names)
            claims.append(claim(f"{goal} {library}, {what}", value, None, value >= FASTER))
    first = ratio("nlpaug", EDA, "first")
    text = "first: times as fast as nlpaug, EDA's operations, texts never met before"
    return [*claims, claim(text, first, None, None)]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--others", default=sys.executable, help="a Python with nlpaug, TextAttack")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--try", dest="tiny", action="store_true")
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    from record import write_result

    rows = measure(options.others, 1 if options.tiny else ROUNDS, 1000 if options.tiny else None)
    claims = judged(rows)
    for row in rows:
        print(
            f"{row['library']:10} {row['case']:6} {row['about']:14} {row['microseconds']:9.2f} us"
        )
    for one in claims:
        print(one["text"], one["value"], one["holds"])
    if not options.tiny:
        write_result("text_throughput", rows=rows, claims=claims, share=SHARE, data="sst2",
                     versions={"nlpaug": "1.1.11", "textattack": "0.3.11"})  # fmt: skip


if __name__ == "__main__":
    main()
