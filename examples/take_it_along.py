"""A policy as one Python file that needs only NumPy and Pillow, and draws the same pixels."""

import runpy
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_sample_images

import automorph

policy = automorph.load_policy("flip-crop + randaugment(n=2,m=9)")
photos = np.stack([photo[:64, :64] for photo in load_sample_images().images])

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "augment.py"
    path.write_text(automorph.export_policy(policy, "python"))
    augment = runpy.run_path(str(path))["augment"]
    print(f"wrote {len(path.read_text().splitlines())} lines")

for epoch in range(3):
    ours = policy.augment(photos, seed=7, epoch=epoch)
    theirs = [augment(photo, index, epoch=epoch, seed=7) for index, photo in enumerate(photos)]
    assert (ours == np.stack(theirs)).all()
print("the same pixels, in three epochs")
