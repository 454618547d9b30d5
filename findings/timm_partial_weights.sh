#!/bin/bash
# timm 1.0.31 (torch 2.15.0): pretrained weights from a file that does not fit.
#
# Good guess: create_model(pretrained=True) with a file of one's own loads every tensor but the classifier, or raises.
# Seen: with as many classes as the file, a file that does not fit raises RuntimeError. With another number of classes
# the check is off for the whole network, not for the classifier alone:
# - a Lightning checkpoint's names ("model.conv1.weight") load nothing: every weight is random;
# - a resnet34's file fills a resnet18, with half of its blocks left over.
# All that is said is a log line that lists unexpected names, not the tensors that stayed random.
# So a fine-tuning starts from random weights under the name of a pretrained one. checkpoint_path= is always strict.
# Automorph builds the network with the file's own classes, and replaces the classifier then (models/from_timm.py).
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env" \
    timm==1.0.31 torch==2.15.0 torchvision==0.29.2 numpy==2.4.6
cd "$folder"
"$folder/env/bin/python" - 2>/dev/null <<'PYTHON'
import sys

import timm
import torch


def made(classes, file=None):
    torch.manual_seed(1)
    overlay = {"pretrained_cfg_overlay": {"file": file}} if file else {}
    return timm.create_model("resnet18", pretrained=bool(file), num_classes=classes, **overlay)


def from_file(model, saved, fresh):
    trained = [name for name, _ in model.named_parameters() if not name.startswith("fc")]
    weights, start = model.state_dict(), fresh.state_dict()
    loaded = [name for name in trained if name in saved and torch.equal(weights[name], saved[name])]
    random = [name for name in trained if torch.equal(weights[name], start[name])]
    return len(set(loaded) - set(random)), len(trained)


torch.manual_seed(0)
right = timm.create_model("resnet18", num_classes=1000)
for parameter in right.parameters():
    torch.nn.init.normal_(parameter)
other = timm.create_model("resnet34", num_classes=1000)
for parameter in other.parameters():
    torch.nn.init.normal_(parameter)
files = {
    "right names": right.state_dict(),
    "names of Lightning": {f"model.{name}": value for name, value in right.state_dict().items()},
    "another network": other.state_dict(),
}
print("timm", timm.__version__, "torch", torch.__version__)
found = {}
for name, state in files.items():
    torch.save(state, "weights.pth")
    for classes in (1000, 10):
        try:
            loaded, of = from_file(made(classes, "weights.pth"), state, made(classes))
            found[name, classes] = f"{loaded} of {of} tensors loaded"
        except RuntimeError:
            found[name, classes] = "RuntimeError"
for (name, classes), what in found.items():
    print(f"{name:20} {classes:4} classes: {what}")
whole, none = "60 of 60 tensors loaded", "0 of 60 tensors loaded"
expected = [whole, whole, "RuntimeError", none, "RuntimeError", whole]
sys.exit(0 if list(found.values()) == expected else 1)
PYTHON
