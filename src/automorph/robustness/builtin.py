"""The robust objectives by name: ``erm``, ``balanced``, ``gdro(c=1)``, ``camel(weight=5)``, ..."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from automorph.errors import UsageError
from automorph.policies import number_text
from automorph.registry import Entry, Registry

if TYPE_CHECKING:  # Names are looked up, and completed, without torch.
    from automorph.robustness.groups import Grouper
    from automorph.robustness.objectives import Objective

Sampling = Literal["plain", "balanced"]


@dataclass(frozen=True)
class Robust:
    """A method: how rows are drawn, what is minimised, and whether it needs renderings.

    Methods are values that are equal if they do the same; ``name`` is what a user types.
    ``edition`` counts its definitions: a correction that changes results raises it.
    """

    edition: ClassVar[int] = 1

    @property
    def title(self) -> str:
        """The name without options; of a class outside the registry, its import path."""
        kind = type(self)
        path = f"{kind.__module__}:{kind.__qualname__}"
        found = (title for title, entry in METHODS.items() if entry.factory in (kind, path))
        return next(found, path)

    @property
    def name(self) -> str:
        """The name with the options that differ from their defaults."""
        changed = [
            # Equal numbers have one spelling: 1 and 1.0 are the same method.
            f"{field.name}={number_text(value) if field.type == 'float' else value}"
            for field in fields(self)
            if (value := getattr(self, field.name)) != field.default
        ]
        return self.title + (f"({','.join(changed)})" if changed else "")

    @property
    def recorded(self) -> str:
        """The name by which finished and interrupted trainings know the method.

        A method whose definition was corrected has another one than before, so that trainings by
        the former definition are not taken for its own.
        """
        return self.name if self.edition == 1 else f"{self.name}, edition {self.edition}"

    @property
    def former(self) -> Robust | None:
        """The method by its former definition, or None if that has no name."""
        return None

    @property
    def sampling(self) -> Sampling:
        """``plain``: every example once per epoch; ``balanced``: every group equally often."""
        return "balanced"

    @property
    def needs_renderings(self) -> bool:
        """True if every example needs its renderings in the other subgroups."""
        return False

    def objective(self, grouper: Grouper, counts: NDArray[np.int64]) -> Objective:
        """Build a new objective; ``counts`` are the groups' training examples."""
        from automorph.robustness.objectives import Objective

        return Objective()

    def __str__(self) -> str:
        return self.name

    def _check(self, key: str, low: float, high: float = math.inf) -> None:
        value = getattr(self, key)
        if not low <= value <= high:
            raise UsageError(f"{self.title}: got {key}={value}; expected {low:g} to {high:g}")

    def _check_word(self, key: str, choices: Sequence[str]) -> None:
        if (value := getattr(self, key)) not in choices:
            raise UsageError(
                f"{self.title}: got {key}={value!r}; expected one of {', '.join(choices)}"
            )


@dataclass(frozen=True)
class Plain(Robust):
    """Empirical risk: the mean loss of the examples as drawn."""

    @property
    def sampling(self) -> Sampling:
        """Every example once per epoch."""
        return "plain"


@dataclass(frozen=True)
class Balanced(Robust):
    """The mean loss of batches with equally many examples of every group."""


@dataclass(frozen=True)
class GroupDROMethod(Robust):
    """Group DRO: the worst group's loss (Sagawa et al. 2020); ``c`` favours small groups."""

    c: float = 1.0
    eta: float = 0.01

    def __post_init__(self) -> None:
        self._check("c", 0)
        self._check("eta", 0)

    def objective(self, grouper: Grouper, counts: NDArray[np.int64]) -> Objective:
        """Build the objective with weights over all groups."""
        from automorph.robustness.objectives import GroupDRO

        return GroupDRO(grouper, counts, adjustment=self.c, rate=self.eta)


@dataclass(frozen=True)
class ClassConditionalGroupDRO(GroupDROMethod):
    """Class-conditional group DRO: the worst group of every class (Goel et al. 2021)."""

    def objective(self, grouper: Grouper, counts: NDArray[np.int64]) -> Objective:
        """Build the objective with weights within each class."""
        from automorph.robustness.objectives import GroupDRO

        return GroupDRO(grouper, counts, adjustment=self.c, rate=self.eta, class_conditional=True)


@dataclass(frozen=True)
class ModelPatching(GroupDROMethod):
    """CAMEL: class-conditional group DRO and consistency with renderings (Goel et al. 2021).

    The consistency is the sum of the groups' means, as published; ``reduction="mean"`` is the mean
    of the batch, a fourth of it with four groups.
    """

    weight: float = 5.0
    form: str = "camel"
    reduction: str = "sum"
    edition: ClassVar[int] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check("weight", 0)
        from automorph.robustness.consistency import FORMS, REDUCTIONS

        self._check_word("form", FORMS)
        self._check_word("reduction", REDUCTIONS)

    @property
    def recorded(self) -> str:
        """The name in records: the mean was recorded under the plain name, and still is."""
        plain = replace(self, reduction="sum")
        return plain.name if self.reduction == "mean" else super().recorded

    @property
    def former(self) -> Robust | None:
        """The method with the mean instead of the sum."""
        return None if self.reduction == "mean" else replace(self, reduction="mean")

    @property
    def needs_renderings(self) -> bool:
        """True: examples are compared with their renderings."""
        return True

    def objective(self, grouper: Grouper, counts: NDArray[np.int64]) -> Objective:
        """Build the objective with both terms."""
        from automorph.robustness.consistency import FORMS, REDUCTIONS
        from automorph.robustness.objectives import Camel

        return Camel(
            grouper, counts, adjustment=self.c, rate=self.eta, weight=self.weight,
            form=next(form for form in FORMS if form == self.form),
            reduction=next(one for one in REDUCTIONS if one == self.reduction),
        )  # fmt: skip


@dataclass(frozen=True)
class Invariant(Robust):
    """IRMv1: one last layer that is best in every group (Arjovsky et al. 2019)."""

    weight: float = 100.0
    anneal: int = 500
    edition: ClassVar[int] = 2

    def __post_init__(self) -> None:
        self._check("weight", 0)
        self._check("anneal", 0)

    def objective(self, grouper: Grouper, counts: NDArray[np.int64]) -> Objective:
        """Build the objective with risks and penalties per group."""
        from automorph.robustness.objectives import InvariantRisk

        return InvariantRisk(len(grouper), weight=self.weight, anneal=self.anneal)


@dataclass(frozen=True)
class JTT(Plain):
    """JTT: train, then train again with ``weight`` more copies of the errors (Liu et al. 2021).

    It needs no groups for training. The errors are those after ``epochs`` epochs of a training by
    the full schedule; 0 means a tenth of the recipe's. These epochs come on top of those of the
    other methods.
    """

    epochs: int = 0
    weight: int = 20
    edition: ClassVar[int] = 2

    def __post_init__(self) -> None:
        self._check("epochs", 0)
        self._check("weight", 0)


@dataclass(frozen=True)
class DFR(Plain):
    """DFR: train plainly, then fit the last layer to balanced groups (Kirichenko et al. 2023).

    The features are those of the last epoch. The layer is fitted to groups of the validation part,
    as published, and the other methods only select by it; or, with ``part="train"``, to groups of
    the training part.
    """

    refits: int = 20
    part: str = "validation"
    edition: ClassVar[int] = 2

    def __post_init__(self) -> None:
        self._check("refits", 1, 1000)
        self._check_word("part", ("validation", "train"))


@dataclass(frozen=True)
class LISA(Robust):
    """LISA: mix examples of one class across subgroups, or of one subgroup across classes.

    Yao et al. (2022). With probability ``share`` the class is the same. Images are mixed by a box
    (``mix="cutmix"``) or by a weighted mean (``mixup``), as texts and features always are.
    """

    share: float = 0.5
    alpha: float = 2.0
    mix: str = "cutmix"

    def __post_init__(self) -> None:
        self._check("share", 0, 1)
        self._check("alpha", 0.01, 100)
        self._check_word("mix", ("cutmix", "mixup"))


METHODS: Registry[Entry[Robust]] = Registry(
    "objective",
    Entry("erm", Plain, "minimises the mean loss"),
    Entry(
        "balanced",
        Balanced,
        "draws the same number of examples from every group in each batch; the baseline to beat",
    ),
    Entry(
        "gdro",
        GroupDROMethod,
        "minimises the worst group's loss (Sagawa et al. 2020); c favours small groups",
    ),
    Entry("sgdro", ClassConditionalGroupDRO, "minimises the loss of the worst group in each class"),
    Entry(
        "camel",
        ModelPatching,
        "sgdro, plus consistent predictions across all renderings of an example (Goel et al. 2021)",
    ),
    Entry(
        "irm",
        Invariant,
        "learns one last layer that is optimal in every group (Arjovsky et al. 2019)",
    ),
    Entry(
        "jtt",
        JTT,
        "trains twice; the second training adds copies of the errors of the first (Liu et al. "
        "2021); needs no groups for training",
    ),
    Entry(
        "dfr",
        DFR,
        "refits the last layer on balanced groups of the validation part (Kirichenko et al. 2023)",
    ),
    Entry(
        "lisa",
        LISA,
        "mixes examples of one class across subgroups, or of one subgroup across classes (Yao et "
        "al. 2022)",
    ),
    example="camel(weight=5)",
    listing="objectives",
    aliases={"clamp": "camel", "ccgdro": "sgdro"},
)


def load_method(name: str | Robust) -> Robust:
    """Return the robust method of a name; a method is returned unchanged.

    >>> load_method("camel(weight=1, c=0)").name
    'camel(c=0,weight=1)'
    >>> load_method("clamp") == load_method("camel")
    True
    """
    if isinstance(name, Robust):
        return name
    built: Robust = METHODS.build(name.lower())
    return built


def list_methods() -> dict[str, str]:
    """Return the names that `load_method` accepts, each with one line of description."""
    return METHODS.about()
