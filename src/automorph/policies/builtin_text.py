"""The policies for texts, by name."""

from __future__ import annotations

from collections.abc import Callable

from automorph.errors import PolicyError
from automorph.operations import (
    TEXT_OPERATIONS,
    Operation,
    SearchSpace,
    masked_operation,
    named_space,
    paraphrase_operation,
    translation_operation,
)
from automorph.policies.base import Policy, check_range
from automorph.policies.formatting import number_text
from automorph.policies.naming import with_options
from automorph.policies.subpolicies import Mixture, Step
from automorph.text import Wording, prompt_of


def eda(alpha: float = 0.1) -> Policy:
    """EDA (Wei and Zou 2019): replace, insert, swap or delete a share of the words.

    The paper uses 0.05 for 500 texts and 0.1 for 5,000.
    """
    check_range("eda", "alpha", alpha, float, 0, 0.5)
    space = named_space("eda")
    return Mixture(
        label=f"eda(alpha={number_text(alpha)})",
        operations=space,
        subpolicies=tuple((Step(name, 1.0, alpha / space[name].high),) for name in space.names),
    )


def synonyms(p: float = 0.1) -> Policy:
    """Replace a share of the words with WordNet synonyms (the first operation of EDA)."""
    return _share_of("synonyms", "Synonym", p)


def aeda(p: float = 0.3) -> Policy:
    """AEDA (Karimi et al. 2021): insert punctuation marks before a share of the words."""
    return _share_of("aeda", "Punctuation", p)


def tf_idf(p: float = 0.4) -> Policy:
    """UDA (Xie et al. 2019): replace uninformative words with other uninformative words."""
    return _share_of("tf-idf", "TfIdf", p)


def uniform_words(p: float = 0.4) -> Policy:
    """Replace every word, with probability p, with a random word of the corpus."""
    return _share_of("uniform-words", "Uniform", p)


def switchout(p: float = 0.1) -> Policy:
    """SwitchOut (Wang et al. 2018): replace about a share p of the words with random ones."""
    return _share_of("switchout", "SwitchOut", p)


def language(p: float = 0.1) -> Policy:
    """Replace a share of the words with samples from a language model, given their neighbours."""
    return _share_of("language", "Language", p)


def typos(p: float = 0.1) -> Policy:
    """Replace one letter with a neighbouring key, in a share of the words."""
    return _share_of("typos", "Keyboard", p)


def masked_lm(model: str, p: float = 0.1) -> Policy:
    """Replace a share of the words with samples from a masked language model, given the rest.

    ``model`` is a folder or hub name for the transformers library.
    """
    return _share_policy("masked-lm", masked_operation(model), p, model=model)


def back_translation(forth: str, back: str, p: float = 0.5) -> Policy:
    """Translate a share of the texts to another language and back, by two transformers models."""
    return _share_policy(
        "back-translation", translation_operation(forth, back), p, forth=forth, back=back
    )


def paraphrases(file: str, p: float = 0.5) -> Policy:
    """Replace a share of the texts with paraphrases from a JSON Lines file."""
    return _share_policy("paraphrases", paraphrase_operation(file), p, file=file)


def llm(model: str, prompt: str, n: int = 1, temperature: float = 1.0, p: float = 0.5) -> Policy:
    """Replace a share of the texts with rewrites by a language model, made by automorph rewrite.

    ``prompt`` is what the model was asked, or a file of it (``.txt``).
    """
    wording = Wording(model, prompt_of(prompt), n, temperature)
    if not wording.table.exists():
        raise PolicyError(
            f"there are no rewrites by the model {model!r} with this prompt, n={n} and "
            f"temperature={number_text(temperature)}; make them: automorph rewrite DATA "
            f"--model {model} --prompt {prompt!r} (with --dry-run, it says what they cost)"
        )
    given = {"model": model, "prompt": prompt}
    if n != 1:
        given["n"] = str(n)
    if temperature != 1:
        given["temperature"] = number_text(temperature)
    return _share_policy("llm", paraphrase_operation(str(wording.table)), p, **given)


def _share_of(name: str, operation: str, share: float) -> Policy:
    return _share_policy(name, TEXT_OPERATIONS[operation], share)


def _share_policy(name: str, operation: Operation, share: float, **named: str) -> Policy:
    check_range(name, "p", share, float, 0, 1)
    scaled = operation.between(0, share)
    options = [*(f"{key}={value}" for key, value in named.items()), f"p={number_text(share)}"]
    return Mixture(
        label=with_options(name, options),
        operations=SearchSpace(name, (scaled,)),
        subpolicies=((Step(scaled.name, 1.0, 1.0),),),
    )


NAMED_TEXTS: dict[str, Callable[..., Policy]] = {
    "eda": eda,
    "synonyms": synonyms,
    "aeda": aeda,
    "tf-idf": tf_idf,
    "uniform-words": uniform_words,
    "switchout": switchout,
    "language": language,
    "typos": typos,
}
NAMED_WITH_FILES: dict[str, Callable[..., Policy]] = {
    "masked-lm": masked_lm,
    "back-translation": back_translation,
    "paraphrases": paraphrases,
    "llm": llm,
}
"""Policies that need a user's model or file."""
