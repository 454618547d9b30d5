"""The catalogue of operations on texts.

Values are the *share* of a text's words that is touched. What is protected (see
`automorph.text`) and punctuation stay as they are.
"""

from __future__ import annotations

from dataclasses import replace

from automorph.operations.spec import Operation

_ORDER = "the order of words can carry the meaning (not good, but bad)"
_LOST = "a word that carries the label can be lost (not, never)"
_OTHER = "another word can carry another label"
_FREE = "what says nearly the same can carry another label"


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


def masked_operation(model: str) -> Operation:
    """Words drawn by a masked language model of transformers (a folder or hub name)."""
    about = f"Words are drawn anew by the masked language model {model}."
    return replace(_share("MaskedWords", about, label_risk=_OTHER), kernel=f"Masked:{model}")


def translation_operation(forth: str, back: str) -> Operation:
    """Back-translation by two models of transformers (folders or hub names)."""
    about = f"A share of the texts goes to another language ({forth}) and back ({back})."
    base = _share("BackTranslation", about, most=1.0, label_risk=_FREE)
    return replace(base, kernel=f"BackTranslation:{forth} | {back}")


def paraphrase_operation(file: str) -> Operation:
    """Paraphrases that were made before, from a file of JSON lines."""
    base = _share("Paraphrases", f"A share of the texts becomes a paraphrase of {file}.", most=1.0,
                  label_risk=_FREE)  # fmt: skip
    return replace(base, kernel=f"Paraphrases:{file}")


def text_operation(kernel: str) -> Operation | None:
    """What is declared about a kernel for texts, if there is such a kernel.

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
