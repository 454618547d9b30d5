"""The catalogue of operations on texts.

Values are the *share* of a text's words that is touched. What is protected (see
`automorph.texts`) and punctuation stay as they are.
"""

from __future__ import annotations

from dataclasses import replace

from automorph.space.operations import Operation

_ORDER = "the order of words can carry the meaning (not good, but bad)"
_LOST = "a word that carries the label can be lost (not, never)"
_OTHER = "another word can carry another label"


def _share(name: str, about: str, *, most: float = 0.5, label_risk: str = "") -> Operation:
    return Operation(
        name, low=0.0, high=most, identity=0.0, unit="share", domain="text", about=about,
        label_risk=label_risk,
    )  # fmt: skip


TEXT_OPERATIONS = {
    operation.name: operation
    for operation in (
        _share("Synonym", "Words are replaced by synonyms (WordNet), each time they occur."),
        _share("Insert", "Synonyms of words (WordNet) are put in anywhere."),
        _share("Swap", "Words exchange their places, pair by pair.", label_risk=_ORDER),
        _share("Delete", "Words are left out.", label_risk=_LOST),
        _share("Keyboard", "One letter of a word is hit beside its key."),
        _share("OCR", "One letter of a word is taken for another, as by a scanner."),
        _share("Case", "Words change to small, large or one large letter.", most=1.0),
        _share("Contraction", "do not becomes don't, and don't becomes do not.", most=1.0),
        _share("Punctuation", "Marks of punctuation are put between words (AEDA)."),
        _share("Sentences", "Sentences exchange their places.", most=1.0, label_risk=_ORDER),
        _share("TfIdf", "Words that say little are replaced by others that do (UDA).", most=0.9),
        _share("Uniform", "Words are replaced by any words of the corpus.", label_risk=_OTHER),
        _share("SwitchOut", "A random number of words is replaced by any.", label_risk=_OTHER),
        _share("Language", "Words are drawn from a language model of the corpus.",
               label_risk=_OTHER),
    )
}  # fmt: skip
"""Operations on words alone, with WordNet's, and (the last four) with those of a corpus."""

EDA = ("Synonym", "Insert", "Swap", "Delete")
PLAIN = ("Swap", "Delete", "Keyboard", "OCR", "Case", "Contraction", "Punctuation", "Sentences")
CORPUS = ("Swap", "Delete", "TfIdf", "Uniform", "SwitchOut")


def entity_operations() -> tuple[Operation, ...]:
    """TANDA's operations on texts with two marked entities: a part of speech in a region each."""
    base = TEXT_OPERATIONS["Language"]
    return tuple(
        replace(
            base, name=f"{part.capitalize()}{region.capitalize()}",
            kernel=f"Language:{part}:{region}",
            about=f"A {part} {region} the entities is drawn from a language model.",
        )
        for part in ("noun", "verb", "adj", "adv")
        for region in ("before", "between", "after")
    )  # fmt: skip
