"""Training a CycleGAN: two subgroups in, generators for both directions out.

Zhu, Park, Isola and Efros (ICCV 2017).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from automorph.errors import DamagedError, TrainingError
from automorph.files import make_folder
from automorph.robustness.translators.cyclegan.augmentation import augmented
from automorph.robustness.translators.cyclegan.losses import (
    GeneratorLosses,
    Made,
    discriminator_loss,
    generator_losses,
)
from automorph.robustness.translators.cyclegan.masked import MaskedGenerator, roughness
from automorph.robustness.translators.cyclegan.networks import (
    ImageGenerator,
    PatchDiscriminator,
    depth_for,
)
from automorph.robustness.translators.cyclegan.recipe import CycleRecipe
from automorph.robustness.translators.cyclegan.released import (
    ReleasedDiscriminator,
    ReleasedGenerator,
)
from automorph.robustness.translators.cyclegan.replay import Replay
from automorph.robustness.translators.cyclegan.sides import Side, shared_classes
from automorph.training import (
    Average,
    Recipe,
    make_optimiser,
    prefixed,
    read_checkpoint,
    torch_seed,
    under,
    write_checkpoint,
)

KEEP_EVERY = 200
"""Steps between checkpoints."""

Progress = Callable[[int, int, dict[str, float]], object]
"""Called with the steps done, all steps, and losses."""


class CycleTraining:
    """A CycleGAN between two steps: generators G: a to b and F: b to a, and discriminators."""

    def __init__(
        self, a: Side, b: Side, recipe: CycleRecipe, *, seed: int, device: torch.device
    ) -> None:
        self.a, self.b, self.recipe, self.seed, self.device = a, b, recipe, seed, device
        self.classes = shared_classes(a, b)
        channels, side = a.images.shape[3], max(a.images.shape[1:3])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch_seed(seed, "cyclegan"))
            self.generators = make_generators(channels, side, recipe).to(device)
            judges = [_discriminator(channels, side, recipe) for _ in range(2)]
        self.judges = nn.ModuleDict({"a": judges[0], "b": judges[1]}).to(device)
        self.average = Average(self.generators, recipe.average)
        common: dict[str, Any] = {"optimizer": "adamw", "momentum": 0.5, "weight_decay": 0.0}
        rates = (recipe.generator_lr, recipe.discriminator_lr)
        self.optimisers = [
            make_optimiser(model, Recipe(lr=rate, **common))
            for model, rate in zip((self.generators, self.judges), rates, strict=True)
        ]
        self.replays = {"a": Replay(recipe.replay), "b": Replay(recipe.replay)}
        self.steps = 0
        self.losses: dict[str, float] = {}

    def step(self) -> None:
        """Update generators, then replay buffers, then discriminators."""
        with torch.random.fork_rng(devices=[]):
            # Dropout draws from the global generator.
            torch.manual_seed(torch_seed(self.seed, "cyclegan:dropout", epoch=self.steps))
            self._step()

    def _step(self) -> None:
        draw = torch.Generator().manual_seed(
            torch_seed(self.seed, "cyclegan:step", epoch=self.steps)
        )
        n = self.recipe.batch_size
        a = self.a.draw(n, self.classes, draw).to(self.device)
        b = self.b.draw(n, self.classes, draw).to(self.device)
        made, losses = self._generate(a, b, draw)
        # Only the generators are updated; gradients pass through the discriminators.
        for p in self.judges.parameters():
            p.requires_grad_(False)
        torch.autograd.backward(losses.total)
        for p in self.judges.parameters():
            p.requires_grad_(True)
        self._descend(0)
        self.average.update(self.generators, self.steps)
        self.replays["a"].push(made.a_of_b, draw)
        self.replays["b"].push(made.b_of_a, draw)
        judged = [self._judge(name, real, draw) for name, real in (("a", a), ("b", b))]
        torch.autograd.backward(judged[0] + judged[1])
        self._descend(1)
        self.steps += 1
        parts = (losses.fool, losses.cycle, losses.identity, judged[0] + judged[1], losses.mask)
        values = torch.stack([part.detach() for part in parts])
        if not bool(values.isfinite().all()):
            raise TrainingError(
                f"the CycleGAN diverged in step {self.steps}: its losses are {values.tolist()}. "
                f"Try learning rates of {self.recipe.generator_lr / 3:.1g} and "
                f"{self.recipe.discriminator_lr / 3:.1g}"
            )
        names = ("adversarial", "cycle", "identity", "discriminators", "mask")
        for name, value in zip(names, values.tolist(), strict=True):
            old = self.losses.get(name, value)
            self.losses[name] = 0.98 * old + 0.02 * value

    def _generate(
        self, a: Tensor, b: Tensor, draw: torch.Generator
    ) -> tuple[Made, GeneratorLosses]:
        G, F = self.generators["b"], self.generators["a"]

        def hidden(image: Tensor) -> Tensor:
            return image + self.recipe.hide * torch.randn(image.shape, generator=draw).to(image)

        masks = []
        if self.recipe.networks == "masked":
            (b_of_a, b_same), mask = self._with_mask(G, a, b)
            (a_of_b, a_same), other = self._with_mask(F, b, a)
            masks = [mask, other]
            # Only the network sees the noise: what its mask keeps is the image.
            a_again, b_again = F(b_of_a, hidden(b_of_a)), G(a_of_b, hidden(a_of_b))
        else:
            b_of_a, b_same = self._both(G, a, b)
            a_of_b, a_same = self._both(F, b, a)
            a_again, b_again = F(hidden(b_of_a)), G(hidden(a_of_b))
        made = Made(b_of_a, a_of_b, a_again, b_again, a_same, b_same)
        judged = (
            self.judges["b"](augmented(b_of_a, self.recipe.augment, draw)),
            self.judges["a"](augmented(a_of_b, self.recipe.augment, draw)),
        )
        losses = generator_losses(
            a, b, made, judged,
            cycle=self.recipe.cycle, identity=self.recipe.identity, kind=self.recipe.loss,
        )  # fmt: skip
        late = min(1.0, max(0.0, (self.steps / self.recipe.steps - 0.2) / 0.3))
        for mask in masks:
            size = self.recipe.sparse * mask.mean() + self.recipe.smooth * roughness(mask)
            losses = replace(losses, mask=losses.mask + late * size)
        return made, losses

    def _with_mask(
        self, network: nn.Module, first: Tensor, second: Tensor
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """Return the translations of two batches, and the masks of all their images."""
        assert isinstance(network, MaskedGenerator)
        whole, mask = network.with_mask(torch.cat([first, second]))
        return whole.chunk(2), mask

    def _judge(self, name: str, real: Tensor, draw: torch.Generator) -> Tensor:
        fake = self.replays[name].sample(len(real), draw)
        both = augmented(torch.cat([real, fake]), self.recipe.augment, draw)
        true, faked = self._both(self.judges[name], *both.chunk(2))
        return discriminator_loss(true, faked, self.recipe.loss)

    def _both(self, network: nn.Module, first: Tensor, second: Tensor) -> tuple[Tensor, ...]:
        """Apply a network to two batches, whose statistics must not mix."""
        if self.recipe.networks == "released":
            return network(first), network(second)
        # No batch statistics: a double batch is cheaper than two passes.
        whole: Tensor = network(torch.cat([first, second]))
        return whole.chunk(2)

    def _descend(self, number: int) -> None:
        self.optimisers[number].step()
        self.optimisers[number].clear()

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return all that the next step needs: tensors, and facts for JSON."""
        tensors = {
            **prefixed("generators", self.generators.state_dict()),
            **prefixed("judges", self.judges.state_dict()),
            **prefixed("average", self.average.model.state_dict()),
            **prefixed("optimiser0", self.optimisers[0].state_dict()),
            **prefixed("optimiser1", self.optimisers[1].state_dict()),
        }
        for name, replay in self.replays.items():
            if replay.images is not None:
                tensors[f"replay.{name}"] = replay.images
        return tensors, {"steps": self.steps, "losses": self.losses}

    def restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Restore the result of `state`."""
        self.generators.load_state_dict(under("generators", tensors))
        self.judges.load_state_dict(under("judges", tensors))
        self.average.model.load_state_dict(under("average", tensors))
        for number, optimiser in enumerate(self.optimisers):
            optimiser.load_state_dict(under(f"optimiser{number}", tensors))
        for name, images in under("replay", tensors).items():
            self.replays[name].images = images.to(self.device)
        self.steps, self.losses = facts["steps"], dict(facts["losses"])


def make_generators(channels: int, side: int, recipe: CycleRecipe) -> nn.ModuleDict:
    """Return untrained generators by target: ``b`` maps a to b, ``a`` maps b to a."""
    return nn.ModuleDict({target: _generator(channels, side, recipe) for target in ("a", "b")})


def _generator(channels: int, side: int, recipe: CycleRecipe) -> nn.Module:
    if recipe.networks == "released":
        return ReleasedGenerator(channels, side, width=recipe.width)
    if recipe.networks == "masked":
        return MaskedGenerator(channels, side, width=recipe.width)
    return ImageGenerator(channels, side, width=recipe.width, residual=recipe.residual)


def _discriminator(channels: int, side: int, recipe: CycleRecipe) -> nn.Module:
    if recipe.networks == "released":
        return ReleasedDiscriminator(channels, side, width=recipe.judge_width)
    return PatchDiscriminator(channels, width=recipe.judge_width, depth=depth_for(side))


def train_cyclegan(
    a: Side,
    b: Side,
    *,
    recipe: CycleRecipe | None = None,
    seed: int = 0,
    folder: Path | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
) -> nn.ModuleDict:
    """Train a CycleGAN between two subgroups; return the averaged generators in evaluation mode.

    Both sides are drawn with equally many images of every class, so that the two subgroups differ
    by the subgroup alone; classes on one side only are left out. With a ``folder`` an interrupted
    training resumes to the same weights, and a finished one is read.

    Raises `DataError` if the sides share no class or have too few images, `TrainingError` if the
    training diverges.
    """
    recipe = recipe or CycleRecipe()
    training = CycleTraining(a, b, recipe, seed=seed, device=torch.device(device))
    file = None if folder is None else folder / f"{_identity(a, b, recipe, seed)}.safetensors"
    if file is not None:
        make_folder(file.parent)
        if file.exists():
            with suppress(DamagedError):  # Train again if the file is unreadable.
                training.restore(*read_checkpoint(file))
    began = time.monotonic()
    while training.steps < recipe.steps:
        training.step()
        if file is not None and (
            training.steps % KEEP_EVERY == 0 or training.steps == recipe.steps
        ):
            write_checkpoint(file, *training.state())
        if progress is not None:
            facts = {**training.losses, "seconds": time.monotonic() - began}
            progress(training.steps, recipe.steps, facts)
    kept = training.average.model
    assert isinstance(kept, nn.ModuleDict)
    return kept.eval()


def _identity(a: Side, b: Side, recipe: CycleRecipe, seed: int) -> str:
    """Return a unique name: a hash of the images, the recipe and the seed."""
    entries = asdict(recipe)
    # Earlier versions knew less: their files stay valid.
    if recipe.networks == "compact":
        del entries["networks"]
    if recipe.networks != "masked":
        del entries["sparse"], entries["smooth"]
    total = blake2b(repr((entries, seed)).encode(), digest_size=8)
    for side in (a, b):
        total.update(np.ascontiguousarray(side.images).tobytes())
        total.update(side.labels.tobytes())
    return f"cyclegan-{total.hexdigest()}"
