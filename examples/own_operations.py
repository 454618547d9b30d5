"""An operation of your own and one from torchvision, in a space, a policy and a policy file."""

import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_sample_images
from torchvision.transforms import v2

import automorph
from automorph.operations import named_space
from automorph.policies import Uniform


@automorph.operation(range=(0, 0.3), unit="share", identity=0)
def salt(image, value, rng):
    """Set a share of the pixels to white."""
    image[rng.random(image.shape[:2]) < value] = 255
    return image


def make_perspective(value):
    """Build the transform; at module level, so that other processes can import it."""
    return v2.RandomPerspective(value, p=1)


perspective = automorph.peer_operation(
    make_perspective, name="Perspective", range=(0, 0.5), unit="share", identity=0
)

space = named_space("randaugment").with_operations(salt, perspective)
policy = Uniform(operations=space, length=2, low=0.3, high=0.3)

photos = np.stack([photo[:96, :128] for photo in load_sample_images().images])
views = policy.preview(photos, draws=4, seed=1)
print(f"{len(photos)} photographs, {views.shape[1] - 1} draws of {len(space)} operations each")

with tempfile.TemporaryDirectory() as folder:
    path = automorph.save_policy(policy, Path(folder) / "policy.json")
    # A file holds names and ranges, never code: pass the operations again.
    assert automorph.load_policy(path, operations=[salt, perspective]) == policy
print("read back from its file: the same policy")
