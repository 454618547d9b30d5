"""One small part of every kind, checked with the kits, as a user with only the wheel writes it.

Prints the name of each kit whose checks pass.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

import numpy as np
import torch

import automorph
from automorph import testing
from automorph.augmenters import InTrainingMethod
from automorph.data import from_arrays
from automorph.errors import AutomorphError
from automorph.experiments import Executor, JobResult, task_without_test
from automorph.operations import SearchSpace, Stream
from automorph.policies import Mixture, Step, Uniform, load_policy
from automorph.robustness import Objective, Robust, all_pairs
from automorph.searchers import Searcher, TrainJob
from automorph.training import Augmenter


@automorph.operation(range=(0, 0.5), unit="share", identity=0)
def salt(image, value, rng):
    """Set a random fraction of the pixels to white."""
    image[rng.random(image.shape[:2]) < value] = 255
    return image


POLICY = Uniform(operations=SearchSpace("salt", (salt,)), length=2, low=0.2, high=0.4)


class Noise(Augmenter):
    """Noise that grows while the network learns."""

    def __init__(self):
        self.strength = torch.full((), 0.1)

    def __call__(self, raw, model):
        """Add noise to the inputs."""
        batch = raw.batch()
        stream = Stream(seed=raw.seed, epoch=raw.epoch, index=raw.numbers)
        size = math.prod(batch.inputs.shape[1:])
        noise = torch.from_numpy(stream.uniform("noise", size)).view_as(batch.inputs)
        return replace(batch, inputs=batch.inputs + self.strength * noise)

    def feedback(self, losses):
        """Grow as the loss falls."""
        self.strength = self.strength + 0.01 * (3 - losses.mean())

    def state_dict(self):
        """Return the strength."""
        return {"strength": self.strength}

    def load_state_dict(self, state):
        """Restore the strength."""
        self.strength = state["strength"].clone()


@dataclass(frozen=True, kw_only=True)
class NoiseMethod(InTrainingMethod):
    """The value that builds it."""

    title = "noise"

    @property
    def inner(self):
        """Nothing but noise."""
        return load_policy("none")

    def build(self):
        """Build a new augmenter."""
        return Noise()


class OneOperation(Searcher):
    """Try one operation after the other, and keep the best."""

    def __init__(self, context):
        self.context = context
        self.scores = []
        self.policies = [
            Mixture(
                label=f"only {name}",
                operations=context.space,
                subpolicies=((Step(name, 0.5, 0.5),),),
            )
            for name in context.space.names[: context.trials]
        ]

    def ask(self):
        """Return all jobs, then none."""
        after, seed = self.context.post_policy, self.context.seed
        jobs = [TrainJob(policy=one, post_policy=after, seed=seed) for one in self.policies]
        return [] if self.scores else jobs

    def tell(self, outcomes):
        """Record the scores."""
        self.scores = [outcome.score for outcome in outcomes]

    def result(self):
        """Return the best policy."""
        scores = self.scores or [0.0]
        return self.policies[scores.index(max(scores))]


class GroupMean(Objective):
    """The mean of the groups' mean losses."""

    def __call__(self, losses, groups):
        """Return it."""
        return torch.stack([losses[groups == g].mean() for g in groups.unique()]).mean()


@dataclass(frozen=True)
class GroupMeanMethod(Robust):
    """The value that builds it."""

    def objective(self, grouper, counts):
        """Build it."""
        return GroupMean()


class Frame:
    """Draw a frame around the image, or remove it."""

    name = "frame"
    directions = all_pairs(2)

    def translate(self, images, direction, known):
        """Change the first row of the images that must change."""
        result = images.copy()
        result[known.subgroups != direction, 0] = 200 * direction
        return result


def stripes():
    """Load stripes, across or along."""
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    images = rng.integers(0, 60, (60, 8, 8), dtype=np.uint8)
    for image, along in zip(images, labels, strict=True):
        (image.T if along else image)[::2] += 180
    return from_arrays(images, np.array(["across", "along"])[labels], name="stripes")


class LastFirst(Executor):
    """Run jobs in this process, the last one first."""

    def __init__(self, task, folder):
        self.task, self.folder = task, folder

    def run(self, jobs, *, deadline=math.inf, test=False, progress=None):
        """Yield results as they come."""
        task = self.task if test else task_without_test(self.task)
        for index in reversed(range(len(jobs))):
            if time.monotonic() > deadline:
                return
            threads = torch.get_num_threads()
            torch.set_num_threads(1)
            try:
                yield index, jobs[index].run(task, self.folder)
            except AutomorphError as error:
                yield index, JobResult(-math.inf, error=str(error))
            finally:
                torch.set_num_threads(threads)


if __name__ == "__main__":
    for check, part in (
        (testing.check_operation, salt),
        (testing.check_policy, POLICY),
        (testing.check_augmenter, NoiseMethod()),
        (testing.check_searcher, OneOperation),
        (testing.check_objective, GroupMeanMethod()),
        (testing.check_translator, Frame()),
        (testing.check_data_source, stripes),
        (testing.check_executor, LastFirst),
    ):
        began = time.perf_counter()
        check(part)
        print(f"{check.__name__}: passed in {time.perf_counter() - began:.1f} s", flush=True)
