"""Our reader of WordNet's files against NLTK's."""

from __future__ import annotations

import shutil

import pytest

from automorph.text.wordnet import PARTS, find_wordnet, read_wordnet

nltk_readers = pytest.importorskip("nltk.corpus.reader.wordnet", reason="nltk is not here")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The multilingual functions")
@pytest.mark.skipif(find_wordnet() is None, reason="WordNet's files are not here (wordnet-base)")
def test_synonyms_are_those_that_nltk_reads(tmp_path, monkeypatch):
    folder, corpus = find_wordnet(), tmp_path / "corpora" / "wordnet"
    corpus.mkdir(parents=True)
    for file in folder.iterdir():
        if file.is_file():
            shutil.copy(file, corpus)  # NLTK does not follow links out of its folders.
    # Debian's package lacks these, and synonyms do not need them.
    (corpus / "lexnames").write_text("".join(f"{i:02}\tfile{i}\t1\n" for i in range(45)))
    (corpus / "index.sense").touch()
    monkeypatch.setattr("nltk.data.path", [str(tmp_path)])
    reader = nltk_readers.WordNetCorpusReader(str(corpus), omw_reader=None)
    ours = read_wordnet(folder)
    for part, letter in PARTS.items():
        every = sorted(ours.synonyms[part])
        for word in every[:: len(every) // 500]:
            theirs = set()
            for synset in reader.synsets(word.replace(" ", "_"), pos=letter):
                names = [name.replace("_", " ") for name in synset.lemma_names()]
                # The reader also looks up base forms: axes belongs to axe and to axis.
                if word in map(str.lower, names):
                    theirs.update(names)
            assert set(ours.synonyms[part][word]) == theirs, (part, word)
