#!/bin/bash
# segmentation-models-pytorch 0.6.0 and MONAI 1.6.1 (torch 2.15.0): Dice loss where a class is absent.
#
# Good guess: where the target is empty, predicted foreground is an error that costs something and is unlearnt.
# Seen, for foreground predicted everywhere:
# - In segmentation-models-pytorch, DiceLoss, JaccardLoss and TverskyLoss are exactly 0, with a gradient of exactly 0,
#   for a class that no pixel of the batch has. One such pixel, in any image of the batch, and the loss of the same
#   prediction is above 0.98.
# - MONAI's DiceLoss is 1 for the same arrays, but its gradient is less than a ten-thousandth of that with one pixel.
# So the worst prediction is scored as perfect by one library and as worst by the other, and neither learns from it:
# images without the object (healthy scans, tiles without buildings) never teach the network to keep quiet, in batches
# of one or where they meet in a batch. Add a pixel-wise term (cross-entropy). Automorph has no Dice loss.
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env" \
    segmentation-models-pytorch==0.6.0 monai==1.6.1 torch==2.15.0 torchvision==0.29.2 numpy==2.4.6
"$folder/env/bin/python" - 2>/dev/null <<'PYTHON'
import sys

import monai
import segmentation_models_pytorch as smp
import torch

losses = {
    "smp DiceLoss": smp.losses.DiceLoss("binary"),
    "smp JaccardLoss": smp.losses.JaccardLoss("binary"),
    "smp TverskyLoss": smp.losses.TverskyLoss("binary"),
    "MONAI DiceLoss": monai.losses.DiceLoss(sigmoid=True),
}
print("segmentation-models-pytorch", smp.__version__, "MONAI", monai.__version__)
found = {}
for name, loss in losses.items():
    row = []
    for pixels in (0, 1):
        scores = torch.full((2, 1, 8, 8), 2.0, requires_grad=True)  # Foreground everywhere.
        target = torch.zeros(2, 1, 8, 8)
        target.view(-1)[:pixels] = 1
        value = loss(scores, target)
        value.backward()
        row += [value.item(), scores.grad.abs().sum().item()]
    found[name] = row
    print(
        f"{name:16} target empty: loss {row[0]:.3f}, gradient {row[1]:.1e}; "
        f"one pixel: loss {row[2]:.3f}, gradient {row[3]:.1e}"
    )
*ours, monai_row = found.values()
learns_from_one = all(row[2] > 0.98 and row[3] > 1e-3 for row in found.values())
silent = all(row[:2] == [0.0, 0.0] for row in ours)
same_in_monai = monai_row[0] > 0.99 and monai_row[1] < 1e-4 * monai_row[3]
sys.exit(0 if learns_from_one and silent and same_in_monai else 1)
PYTHON
