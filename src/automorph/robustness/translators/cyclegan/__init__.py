"""CycleGAN: a translation between two subgroups that is learned from unpaired images."""

from automorph.robustness.translators.cyclegan.recipe import CycleRecipe, published
from automorph.robustness.translators.cyclegan.sides import Side, to_images, to_pixels
from automorph.robustness.translators.cyclegan.training import train_cyclegan

__all__ = ["CycleRecipe", "Side", "published", "to_images", "to_pixels", "train_cyclegan"]
