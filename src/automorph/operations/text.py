"""The catalogue of text operations.

A value is the *share* of a text's words that the operation changes. Protected words (see
`automorph.text`) and punctuation stay unchanged.
"""

from __future__ import annotations

from dataclasses import replace

from automorph.operations.spec import Operation

DEFINITION = 2
"""The latest definition of every text kernel; see `automorph.text.tokens` for what each means."""

_ORDER = "word order can carry the meaning (not good, but bad)"
_LOST = "a word that decides the label can be deleted (not, never)"
_OTHER = "a different word can change the label"
_FREE = "a text with nearly the same meaning can have another label"


def _share(name: str, about: str, *, most: float = 0.5, label_risk: str = "") -> Operation:
    return Operation(
        name, low=0.0, high=most, identity=0.0, unit="share", domain="text", about=about,
        label_risk=label_risk, definition=DEFINITION,
    )  # fmt: skip


TEXT_OPERATIONS = {
    operation.name: operation
    for operation in (
        _share("Synonym", "Replaces every occurrence of some words with a synonym (WordNet)."),
        _share("Insert", "Inserts synonyms of words (WordNet) at random positions."),
        _share("Swap", "Swaps pairs of words.", label_risk=_ORDER),
        _share("Delete", "Deletes words.", label_risk=_LOST),
        _share("Keyboard", "Replaces one letter of a word with a neighbouring key."),
        _share("OCR", "Replaces one letter of a word with a letter that OCR confuses with it."),
        _share("Case", "Changes words to lower case, upper case or title case.", most=1.0),
        _share("Contraction", "Contracts do not to don't, or expands don't to do not.", most=1.0),
        _share("Punctuation", "Inserts punctuation marks between words (AEDA)."),
        _share("Sentences", "Reorders sentences.", most=1.0, label_risk=_ORDER),
        _share("TfIdf", "Replaces uninformative words with other uninformative words (UDA).",
               most=0.9),
        _share("Uniform", "Replaces words with random words of the corpus.", label_risk=_OTHER),
        _share("SwitchOut", "Replaces a random number of words with random words of the corpus.",
               label_risk=_OTHER),
        _share("Language", "Replaces words with samples from a language model of the corpus.",
               label_risk=_OTHER),
    )
}  # fmt: skip
"""Operations that need only the text or WordNet and, the last four, those that need a corpus."""

WHOLE_TEXTS = ("Sentences", "BackTranslation", "Paraphrases")
"""Kernels that take no notice of words: they need not be found in scripts without spaces."""
EDA = ("Synonym", "Insert", "Swap", "Delete")
PLAIN = ("Swap", "Delete", "Keyboard", "OCR", "Case", "Contraction", "Punctuation", "Sentences")
CORPUS = ("Swap", "Delete", "TfIdf", "Uniform", "SwitchOut")


def entity_operations() -> tuple[Operation, ...]:
    """Return TANDA's operations for texts with two entities: one per part of speech and region."""
    base = TEXT_OPERATIONS["Language"]
    return tuple(
        replace(
            base, name=f"{part.capitalize()}{region.capitalize()}",
            kernel=f"Language:{part}:{region}",
            about=f"Replaces a {part} {region} the entities with a sample from a language model.",
        )
        for part in ("noun", "verb", "adj", "adv")
        for region in ("before", "between", "after")
    )  # fmt: skip


def masked_operation(model: str) -> Operation:
    """Return the operation of a masked language model (a folder or a Hugging Face hub name)."""
    about = f"Replaces words with samples from the masked language model {model}."
    return replace(_share("MaskedWords", about, label_risk=_OTHER), kernel=f"Masked:{model}")


def translation_operation(forth: str, back: str) -> Operation:
    """Return back-translation by two translation models (folders or Hugging Face hub names)."""
    about = f"Translates a fraction of the texts to another language ({forth}) and back ({back})."
    base = _share("BackTranslation", about, most=1.0, label_risk=_FREE)
    return replace(base, kernel=f"BackTranslation:{forth} | {back}")


def paraphrase_operation(file: str) -> Operation:
    """Return the operation that takes precomputed paraphrases from a JSON Lines file."""
    about = f"Replaces a fraction of the texts with paraphrases from {file}."
    base = _share("Paraphrases", about, most=1.0, label_risk=_FREE)
    return replace(base, kernel=f"Paraphrases:{file}")


def text_operation(kernel: str) -> Operation | None:
    """Return the declaration of a text kernel, or None if the name is unknown.

    >>> text_operation("Language:noun:before").name, text_operation("Masked:folder").unit
    ('NounBefore', 'share')
    """
    known = TEXT_OPERATIONS | {one.kernel: one for one in entity_operations()}
    kind, _, argument = kernel.partition(":")
    if kind == "Masked" and argument:
        return masked_operation(argument)
    if kind == "BackTranslation" and " | " in argument:
        return translation_operation(*argument.split(" | ", 1))
    if kind == "Paraphrases" and argument:
        return paraphrase_operation(argument)
    return known.get(kernel)
