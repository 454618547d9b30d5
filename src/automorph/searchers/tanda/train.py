"""`learn_generator`: from examples without labels to a policy."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from automorph.data import strings
from automorph.errors import DataError, UsageError
from automorph.operations import SearchSpace
from automorph.policies import Fill, Generated, Interpolation, Policy
from automorph.registry import unknown
from automorph.searchers.tanda.adversary import Adversary, Look
from automorph.searchers.tanda.config import MAGNITUDES, Settings
from automorph.searchers.tanda.discretize import discretized_space
from automorph.searchers.tanda.discriminators import Discriminator, build_discriminator
from automorph.training import Units, prefixed, read_checkpoint, torch_seed, under, write_checkpoint


@dataclass(frozen=True)
class LearnedGenerator:
    """The ``policy``, every `Look` of its training (``history``), and the discriminator's cost.

    ``best`` is the evaluation of the kept generator, by the final discriminator.
    """

    policy: Generated
    history: tuple[Look, ...]
    best: Look
    units: Units

    @property
    def ratio(self) -> float:
        """Cost of random over cost of generated sequences; above 1, it has learned something."""
        return self.best.ratio

    @property
    def course(self) -> dict[str, list[float]]:
        """Share of sequences that contain each operation, by name, one value per evaluation."""
        return {
            name: [look.shares[number] for look in self.history]
            for number, name in enumerate(self.policy.space.names)
        }


RENDERING: tuple[Fill, Interpolation] = ("edge", "bilinear")
"""That of the released code: its geometric operations have mode "edge" and order 1."""


def learn_generator(
    examples: Any,
    space: SearchSpace,
    *,
    settings: Settings | None = None,
    discriminator: Callable[[], Discriminator] | None = None,
    base: Policy | None = None,
    fill: Fill | None = None,
    interpolation: Interpolation | None = None,
    seed: int = 0,
    folder: str | os.PathLike[str] | None = None,
    progress: Callable[[Look], None] | None = None,
    **changes: Any,
) -> LearnedGenerator:
    """Learn which sequences of operations keep examples realistic (TANDA).

    Ratner, Ehrenberg, Hussain, Dunnmon, Re (NIPS 2017). With the discriminator D, a network with
    features phi, and a generator pi of sequences tau,

        D   minimises   E_x' -log D(x')  +  E_x E_tau -log(1 - D(h_tau(x)))
        pi  minimises   E_x E_tau  -log D(h_tau(x)) + diversity(|phi(h_tau(x)) - phi(x)|^2)

    the latter step by step, by REINFORCE. No labels are needed; operations may be any functions.
    Assumption: an operation either keeps the class of an example or destroys the example. One that
    moves it to another class (a 6 turned into a 9) cannot be detected.

    ``examples`` are uint8 images ``(n, H, W, C)``, float vectors ``(n, d)`` or strings, whichever
    the operations take. Every operation of a sequence fires: one with a range is replaced by
    several, each at a fixed value (`discretized_space`). ``settings``, or ``changes`` of single
    fields of `Settings` by name (``generator="lstm"``, ``length=10``, ..), configure the training.
    ``discriminator`` builds your own one, on the CPU. ``base`` is applied to every example first,
    originals included; ``fill`` and ``interpolation`` are those of the policy (None: `RENDERING`
    for images). With a ``folder``, a
    killed call resumes to the same policy.

    Raises `UsageError` for settings or a folder that do not fit, `DataError` for examples.

    >>> from automorph.operations import named_space
    >>> from automorph.operations.synthetic import unit_disc
    >>> learned = learn_generator(unit_disc(100), named_space("disc-axes"), length=2, steps=2)
    >>> learned.policy.length, learned.history[-1].step
    (2, 2)
    """
    chosen = _changed(settings or Settings(), changes)
    if space.domain == "text":
        examples = strings(examples)
    if len(examples) < 2 or not len(space):
        raise DataError(
            f"got {len(examples)} examples and {len(space)} operations; expected at least two "
            "examples and one operation"
        )
    space = discretized_space(space, chosen.magnitudes or MAGNITUDES[space.domain])
    store = None if folder is None else Path(folder)
    usual: tuple[Fill, Interpolation] = RENDERING if space.domain == "image" else (0, "nearest")
    fill, interpolation = usual[0] if fill is None else fill, interpolation or usual[1]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(seed, "tanda"))
        made = discriminator() if discriminator else None
        judge = made or build_discriminator(examples, space.domain, width=chosen.width)
        adversary = Adversary(
            examples, space, chosen, judge, seed=seed, base=base,
            rendering={"fill": fill, "interpolation": interpolation},
        )  # fmt: skip
    rendered = () if (fill, interpolation) == (0, "nearest") else ((fill, interpolation),)
    identity = _identity(examples, space, chosen, judge, base, seed, *rendered)
    state = _Learning(adversary, chosen, store, identity)
    state.train(progress)
    best = state.choose()
    label = f"tanda({chosen.generator},length={chosen.length},space={space.name})"
    policy = adversary.generator.policy(space, label, fill=fill, interpolation=interpolation)
    return LearnedGenerator(policy, tuple(state.history), best, adversary.units)


class _Learning:
    """The steps, the evaluations between them, and their checkpoint file."""

    def __init__(
        self, adversary: Adversary, settings: Settings, folder: Path | None, identity: str
    ) -> None:
        self.adversary, self.settings = adversary, settings
        self.history: list[Look] = []
        self.generators: list[dict[str, Tensor]] = []
        self.identity = identity
        self.path = None if folder is None else folder / "generator.safetensors"
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.exists():
                self._load(self.path)

    @property
    def finished(self) -> bool:
        """True if all steps are done, or the ratio has not risen for ``patience`` evaluations."""
        if not self.history:
            return False
        ratios = [look.ratio for look in self.history]
        late = len(ratios) - 1 - ratios.index(max(ratios))
        return self.history[-1].step >= self.settings.steps or late >= self.settings.patience

    def train(self, progress: Callable[[Look], None] | None) -> None:
        """Train to the end."""
        while not self.finished:
            if self.history:
                self._train_to_next_look()
            self.history.append(self.adversary.look())
            generator = self.adversary.generator.state_dict()
            self.generators.append({name: value.clone() for name, value in generator.items()})
            if self.path is not None:
                self._save(self.path)
            if progress is not None:
                progress(self.history[-1])

    def choose(self) -> Look:
        """Load the best generator of all evaluations, as the final discriminator scores them.

        Ratios of different discriminators do not compare: one that has just been fooled gives the
        highest. The final discriminator has seen the most.
        """
        judged = []
        for look, generator in zip(self.history, self.generators, strict=True):
            self.adversary.generator.load_state_dict(generator)
            judged.append(replace(self.adversary.look(), step=look.step))
        best = max(judged, key=lambda look: look.ratio)
        self.adversary.generator.load_state_dict(self.generators[judged.index(best)])
        return best

    def _train_to_next_look(self) -> None:
        """Run the steps up to the next evaluation."""
        done = self.adversary.step_number
        while self.adversary.step_number < min(
            done + self.settings.look_every, self.settings.steps
        ):
            self.adversary.step()

    def _save(self, path: Path) -> None:
        tensors = prefixed("now", self.adversary.state())
        for number, generator in enumerate(self.generators):
            tensors |= prefixed(f"generator{number}", generator)
        history = [asdict(look) for look in self.history]
        write_checkpoint(path, tensors, {"identity": self.identity, "history": history})

    def _load(self, path: Path) -> None:
        tensors, facts = read_checkpoint(path)
        if facts.get("identity") != self.identity:
            raise UsageError(
                f"{path} contains a generator trained with other examples, operations or "
                "settings; expected the same ones when resuming. Choose another folder, or "
                "delete this one"
            )
        self.adversary.restore(under("now", tensors))
        looks = facts["history"]
        self.history = [Look(**{**look, "shares": tuple(look["shares"])}) for look in looks]
        self.generators = [under(f"generator{n}", tensors) for n in range(len(self.history))]


def _changed(settings: Settings, changes: dict[str, Any]) -> Settings:
    known = [field.name for field in fields(Settings)]
    if wrong := sorted(set(changes) - set(known)):
        raise UsageError(unknown("setting", wrong[0], known))
    return replace(settings, **changes)


def _identity(examples: Any, space: SearchSpace, *parts: Any) -> str:
    """Return a hash that is equal for equal work, in any process."""
    digest = blake2b(digest_size=8)
    array = np.asarray(examples)
    content = array.tobytes() if array.dtype.kind in "iuf" else repr(array.tolist()).encode()
    digest.update(f"{array.shape}{array.dtype}".encode() + content)
    for operation in space:
        digest.update(repr(operation).encode())
    for part in parts:
        digest.update(repr(part).encode())
    return digest.hexdigest()
