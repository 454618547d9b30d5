"""Small images whose class is the direction of a bar and whose subgroup is a mark, as pairs."""

import numpy as np

from automorph.data import Dataset, Split


def bars(counts, seed=0, side=16):
    """Images for groups (class, subgroup) -> count, and both renderings of each.

    Class 0 has a horizontal bar, class 1 a vertical one; subgroup 1 has a bright diagonal of 5
    pixels at a random position on the border.
    """
    rng = np.random.default_rng(seed)
    plain, marked, labels, subgroups = [], [], [], []
    for (label, subgroup), n in counts.items():
        for _ in range(n):
            image = rng.integers(0, 30, (side, side)).astype(np.uint8)
            at, start = rng.integers(5, side - 6), rng.integers(4, 7)
            bar = (slice(at, at + 2), slice(start, start + 7))
            image[bar if label == 0 else bar[::-1]] = rng.integers(170, 256)
            other = image.copy()
            corner = rng.integers(0, side - 5)
            for k in range(5):
                other[k, corner + k] = 255
            plain.append(image)
            marked.append(other)
            labels.append(label)
            subgroups.append(subgroup)
    both = np.stack([np.stack(plain), np.stack(marked)])[..., None]
    subgroups = np.array(subgroups, np.int64)
    images = both[subgroups, np.arange(len(subgroups))]
    return Split(images, np.array(labels, np.int64), subgroups=subgroups), both


SKEWED = {(0, 0): 150, (0, 1): 40, (1, 0): 40, (1, 1): 150}
EVEN = {(0, 0): 60, (0, 1): 60, (1, 0): 60, (1, 1): 60}


def marked_data(train=SKEWED, other=EVEN):
    """A data set whose mark correlates with the class in the training and validation parts."""
    return Dataset(
        "marked", ("lying", "standing"), bars(train, 1)[0], bars(train, 2)[0], bars(other, 3)[0],
        ("plain", "marked"),
    )  # fmt: skip
