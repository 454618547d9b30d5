"""The operations on texts by name: tokens in, tokens out, with one value a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from automorph.texts.draws import Draws, Floats
from automorph.texts.noise import case, contract, keyboard, ocr, punctuate, sentences
from automorph.texts.order import delete, swap
from automorph.texts.replacement import (
    replace_by_language,
    replace_uniformly,
    replace_uninformative,
    switch_out,
)
from automorph.texts.stand_ins import insert_synonyms, replace_synonyms
from automorph.texts.tokens import Tokens

Kernel = Callable[[Tokens, Floats, Draws], Tokens]

KERNELS: Mapping[str, Kernel] = {
    "Synonym": replace_synonyms,
    "Insert": insert_synonyms,
    "Swap": swap,
    "Delete": delete,
    "Keyboard": keyboard,
    "OCR": ocr,
    "Case": case,
    "Contraction": contract,
    "Punctuation": punctuate,
    "Sentences": sentences,
    "TfIdf": replace_uninformative,
    "Uniform": replace_uniformly,
    "SwitchOut": switch_out,
    "Language": replace_by_language(),
    **{
        f"Language:{part}:{region}": replace_by_language(part, region)
        for part in ("noun", "verb", "adj", "adv")
        for region in ("before", "between", "after")
    },
}
