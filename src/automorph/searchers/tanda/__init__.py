"""TANDA: learn from unlabelled data which compositions of operations keep it realistic.

Ratner, Ehrenberg, Hussain, Dunnmon, Re, "Learning to compose domain-specific transformations for
data augmentation" (NIPS 2017). One file per component: generators, discriminators, rewards, the
steps of the adversary, and the training loop.
"""

from typing import TYPE_CHECKING

from automorph import _moved
from automorph.augmenters import Regularised, transformation_regularisation
from automorph.searchers.tanda.adversary import Look
from automorph.searchers.tanda.config import Settings
from automorph.searchers.tanda.discretize import discretized_space
from automorph.searchers.tanda.discriminators import (
    Discriminator,
    ImageDiscriminator,
    TextDiscriminator,
    VectorDiscriminator,
)
from automorph.searchers.tanda.rewards import Diversity
from automorph.searchers.tanda.searcher import AdversarialJob, Tanda
from automorph.searchers.tanda.train import LearnedGenerator, learn_generator

__all__ = [
    "AdversarialJob",
    "Discriminator",
    "Diversity",
    "ImageDiscriminator",
    "LearnedGenerator",
    "Look",
    "Regularised",
    "Settings",
    "Tanda",
    "TextDiscriminator",
    "VectorDiscriminator",
    "discretized_space",
    "learn_generator",
    "transformation_regularisation",
]

if not TYPE_CHECKING:  # A checker would take every name for one that exists.
    __getattr__ = _moved.old_names(__name__)
