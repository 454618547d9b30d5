"""TANDA: learn from unlabelled data which compositions of operations leave it looking like data.

Ratner, Ehrenberg, Hussain, Dunnmon, Re, "Learning to compose domain-specific transformations for
data augmentation" (NIPS 2017). One file a piece: generators, discriminators, rewards, the steps of
the adversary, and the training around them.
"""

from automorph.offline.tanda.adversary import Look
from automorph.offline.tanda.discriminators import (
    Discriminator,
    ImageDiscriminator,
    TextDiscriminator,
    VectorDiscriminator,
)
from automorph.offline.tanda.held import held_space
from automorph.offline.tanda.learning import LearnedGenerator, learn_generator
from automorph.offline.tanda.method import Adversarial, Tanda
from automorph.offline.tanda.regularisation import Regularised, transformation_regularisation
from automorph.offline.tanda.rewards import Diversity
from automorph.offline.tanda.settings import Settings

__all__ = [
    "Adversarial",
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
    "held_space",
    "learn_generator",
    "transformation_regularisation",
]
