"""Search spaces: ordered tuples of operations; the spaces of the papers by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

from automorph.errors import PolicyError
from automorph.operations import paper_spaces, synthetic
from automorph.operations.blending import LABELS
from automorph.operations.catalogue import CATALOGUE, OPERATIONS
from automorph.operations.spec import Colour, Domain, Operation
from automorph.operations.text import (
    CORPUS,
    EDA,
    PLAIN,
    TEXT_OPERATIONS,
    WHOLE_TEXTS,
    entity_operations,
)
from automorph.registry import Entry, Registry, plain, unknown

_MIXING = frozenset(operation.kernel for operation in LABELS)
PAINTING = ("Cutout",)
"""Kernels that paint a part of the image in the colour of their operation."""


@dataclass(frozen=True)
class SearchSpace:
    """An ordered tuple of operations of one domain, with distinct names.

    >>> space = named_space("trivialaugment-wide")
    >>> len(space), space["rotate"].high
    (14, 135)
    """

    name: str
    operations: tuple[Operation, ...]
    refused: tuple[str, ...] | None = field(default=None, compare=False, repr=False)
    """Operations that a person who reviewed the space left out; None: nobody reviewed it."""
    limited: tuple[str, ...] = field(default=(), compare=False, repr=False)
    """Operations whose ranges that person narrowed: limits for everything that is tried."""

    def __post_init__(self) -> None:
        names = [plain(operation.name) for operation in self.operations]
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise PolicyError(
                f"the space {self.name!r} has duplicate operation names: {', '.join(twice)}; "
                "expected distinct names: rename the duplicates"
            )
        domains = sorted({operation.domain for operation in self.operations})
        if len(domains) > 1:
            raise PolicyError(
                f"the space {self.name!r} mixes the domains {', '.join(domains)}; "
                "expected operations of one domain"
            )

    def __len__(self) -> int:
        return len(self.operations)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.operations)

    def __getitem__(self, name: str) -> Operation:
        return self.operations[self.number(name)]

    @property
    def domain(self) -> Domain:
        """The kind of examples that the operations take."""
        return self.operations[0].domain if self.operations else "image"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the operations, in order."""
        return tuple(operation.name for operation in self.operations)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {plain(name): number for number, name in enumerate(self.names)}

    def number(self, name: str) -> int:
        """Return the number of an operation; case, ``_`` and ``-`` do not matter."""
        try:
            return self._numbers[plain(name)]
        except KeyError:
            where = f"of the space {self.name!r}"
            raise PolicyError(unknown("operation", name, self.names, where=where)) from None

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickle a named space by its name.
        if self.name in SPACES and self == named_space(self.name):
            return named_space, (self.name,)
        return SearchSpace, (self.name, self.operations, self.refused, self.limited)

    def with_operations(self, *operations: Operation) -> SearchSpace:
        """Return the space with operations appended."""
        return replace(self, operations=(*self.operations, *operations))

    def without(self, *names: str) -> SearchSpace:
        """Return the space without some operations.

        >>> len(named_space("autoaugment").without("SamplePairing", "Invert"))
        14
        """
        left_out = {self.number(name) for name in names}
        kept = (one for number, one in enumerate(self.operations) if number not in left_out)
        return replace(self, operations=tuple(kept))

    def painted(self, fill: Colour | None, *, only: Colour | None = None) -> SearchSpace:
        """Return the space with another colour for operations that paint.

        ``only`` restricts it to operations that paint with this colour now.

        >>> named_space("dauphin").painted((1, 2, 3), only="mean")["cutout"].fill
        (1, 2, 3)
        """
        changed = tuple(
            replace(one, fill=fill)
            if one.kernel in PAINTING and (only is None or one.fill == only)
            else one
            for one in self.operations
        )
        return self if changed == self.operations else replace(self, operations=changed)

    def defined_by(self, definition: int) -> SearchSpace:
        """Return the space with its text operations computed by another of their definitions."""
        if all(one.definition == definition for one in self if _is_text(one)):
            return self
        return replace(
            self,
            operations=tuple(
                replace(one, definition=definition) if _is_text(one) else one
                for one in self.operations
            ),
        )

    @property
    def reads_words(self) -> bool:
        """Whether any operation changes words of texts, which must be found (definition 2)."""
        return any(
            one.definition > 1 and one.kernel.partition(":")[0] not in WHOLE_TEXTS
            for one in self
            if _is_text(one)
        )

    @property
    def mixes_labels(self) -> bool:
        """Whether any operation mixes labels (Mixup)."""
        return any(operation.kernel in _MIXING for operation in self.operations)

    def fitted(self, corpus: Any) -> SearchSpace:
        """Return the space with operations fitted to a corpus (its words and protected words).

        Each gets the words of the corpus as its own definition reads them. Raises `UsageError` for
        texts whose words cannot be found.
        """
        if self.reads_words:
            corpus.check_words()
        return replace(
            self,
            operations=tuple(
                replace(one, corpus=corpus.read_by(one.definition) if _is_text(one) else corpus)
                for one in self.operations
            ),
        )


def _is_text(operation: Operation) -> bool:
    """Return True for an operation on texts of our own, which has several definitions."""
    return operation.domain == "text" and operation.kernel != "user"


def find_operation(name: str) -> Operation:
    """Return a catalogue operation by name, with its catalogue range.

    >>> find_operation("auto_contrast").name
    'AutoContrast'
    """
    return SearchSpace("catalogue", tuple(OPERATIONS.values()))[name]


SPACES = Registry(
    "search space",
    Entry("autoaugment", paper_spaces.autoaugment, "the 16 operations of AutoAugment"),
    Entry(
        "fast-autoaugment",
        paper_spaces.fast_autoaugment,
        "the 15 operations of Fast AutoAugment and DADA",
    ),
    Entry("pba", paper_spaces.pba, "the 15 operations of population based augmentation"),
    Entry("randaugment", paper_spaces.randaugment, "the 14 operations of RandAugment"),
    Entry(
        "randaugment-imagenet",
        paper_spaces.randaugment_imagenet,
        "the 16 operations of RandAugment's released code for ImageNet, with its ranges",
    ),
    Entry(
        "trivialaugment",
        lambda: paper_spaces.trivial(0.3, 10, 30, 0.9, 4),
        "TrivialAugment's standard ranges, for small networks",
    ),
    Entry(
        "trivialaugment-wide",
        lambda: paper_spaces.trivial(0.99, 32, 135, 0.99, 2),
        "TrivialAugment's wide ranges",
    ),
    Entry(
        "trivialaugment-colour",
        lambda: paper_spaces.trivial(0.3, 10, 30, 0.9, 4)[6:],
        "the colour operations of TrivialAugment's standard ranges",
    ),
    Entry(
        "trivialaugment-geometry",
        lambda: paper_spaces.trivial(0.3, 10, 30, 0.9, 4)[1:6],
        "the geometric operations of TrivialAugment's standard ranges",
    ),
    Entry("augmix", paper_spaces.augmix, "the nine operations of AugMix"),
    Entry("augmix-0.1", paper_spaces.first_augmix, "those of AugMix as version 0.1 had them"),
    Entry(
        "dauphin", paper_spaces.dauphin, "the 16 operations of uncertainty sampling's released code"
    ),
    Entry(
        "tanda-mnist",
        paper_spaces.tanda_mnist,
        "TANDA's operations for MNIST, each at a fixed value",
    ),
    Entry(
        "tanda-cifar10",
        paper_spaces.tanda_cifar10,
        "TANDA's operations for CIFAR-10, each at a fixed value",
    ),
    Entry(
        "catalogue",
        paper_spaces.catalogue,
        "the 31 image operations of 0.1, each with its widest range",
    ),
    Entry("cutout", paper_spaces.cutout, "Cutout of up to half the side, in the mean of the data"),
    Entry("everything", lambda: CATALOGUE, "every image operation, each with its widest range"),
    Entry(
        "texts",
        lambda: paper_spaces.texts(*TEXT_OPERATIONS),
        "every text operation that needs no model",
    ),
    Entry(
        "texts-plain",
        lambda: paper_spaces.texts(*PLAIN),
        "text operations without WordNet or a corpus",
    ),
    Entry(
        "texts-wordnet",
        lambda: paper_spaces.texts(*EDA[:2], *PLAIN),
        "texts-plain and WordNet synonyms",
    ),
    Entry(
        "texts-corpus", lambda: paper_spaces.texts(*CORPUS), "text operations that use the corpus"
    ),
    Entry("eda", lambda: paper_spaces.texts(*EDA), "the four text operations of EDA"),
    Entry("entities", entity_operations, "TANDA's operations around marked entities (texts)"),
    Entry(
        "disc-small-and-large",
        synthetic.small_and_large,
        "small and large displacements (vectors)",
    ),
    Entry("disc-axes", synthetic.axes, "displacements along two axes (vectors)"),
    Entry("disc-shrinking-axes", synthetic.shrinking_axes, "shrinking displacements (vectors)"),
    Entry(
        "disc-sticky-angles",
        synthetic.sticky_angles,
        "displacements that get stuck (vectors)",
    ),
    example="randaugment",
    error=PolicyError,
    listing="spaces",
)


def list_spaces() -> dict[str, str]:
    """Return the named spaces, each with a one-line description."""
    return SPACES.about()


@cache
def named_space(name: str) -> SearchSpace:
    """Return a space by its name.

    >>> len(named_space("autoaugment")), len(named_space("tanda-mnist"))
    (16, 25)
    """
    entry = SPACES.find(name)
    return SearchSpace(entry.name, entry())
