"""Text operations by name: tokens in, tokens out, with one value per text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from automorph.text.back_translation import back_translate
from automorph.text.masked_lm import replace_masked
from automorph.text.paraphrases import replace_by_table
from automorph.text.reorder import delete, swap
from automorph.text.sampling import Draws, Floats
from automorph.text.sentences import sentences
from automorph.text.substitution import (
    replace_by_language,
    replace_uniformly,
    replace_uninformative,
    switch_out,
)
from automorph.text.synonyms import insert_synonyms, replace_synonyms
from automorph.text.tokens import Tokens
from automorph.text.typos import case, contract, keyboard, ocr, punctuate

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

WITH_FILES: Mapping[str, Kernel] = {
    "Masked": replace_masked,
    "BackTranslation": back_translate,
    "Paraphrases": replace_by_table,
}
"""Operations whose kernel names a model or a file after a colon: ``Masked:folder``."""


_NETWORKS = ("Masked", "BackTranslation")


def runs_network(kernel: str) -> bool:
    """Return True if an operation with this kernel runs a network on every text.

    >>> runs_network("Masked:folder/model"), runs_network("Synonym")
    (True, False)
    """
    return kernel.partition(":")[0] in _NETWORKS


def find_kernel(name: str) -> Kernel | None:
    """Return the kernel of a name, or None."""
    return KERNELS.get(name) or WITH_FILES.get(name.partition(":")[0])
