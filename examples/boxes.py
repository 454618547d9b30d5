"""Detection: boxes, masks and key points follow the image through the same draw."""

import numpy as np
from sklearn.datasets import load_sample_images

import automorph

flower = load_sample_images().images[1][:400, 100:500]
height, width = flower.shape[:2]
box = [120.0, 90.0, 300.0, 280.0]  # left, top, right, bottom
mask = np.zeros((height, width), np.uint8)
mask[90:280, 120:300] = 1
middle = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]

images = np.stack([flower] * 6)
out = automorph.follow(
    "flip-crop + randaugment(n=2,m=9)", images,
    boxes=[[box]] * 6, masks=np.stack([mask] * 6), points=[[middle]] * 6, seed=0,
)  # fmt: skip

for i in range(6):
    left, top, right, bottom = out.boxes[i][0]
    x, y = out.points[i][0]
    print(
        f"box ({left:5.1f}, {top:5.1f}) to ({right:5.1f}, {bottom:5.1f}), "
        f"{out.visible[i][0]:.0%} in the image; middle at ({x:5.1f}, {y:5.1f})"
    )
    rows, columns = np.nonzero(out.masks[i])
    assert left - 1 <= columns.min()
    assert columns.max() <= right
    assert top - 1 <= rows.min()
    assert rows.max() <= bottom
