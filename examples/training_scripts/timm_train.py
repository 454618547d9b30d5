"""timm's own train.py, with a policy in the place of its automatic augmentation.

python timm_train.py PATH/train.py --policy .. --out .. [options of train.py]
"""

import argparse
import csv
import runpy
import sys
from pathlib import Path

import timm.data.transforms_factory as factory

import automorph

parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
parser.add_argument("script", help="train.py of timm's source release")
parser.add_argument("--policy", required=True)
parser.add_argument("--out", type=Path, required=True)
args, options = parser.parse_known_args()

policy = automorph.load_policy(args.policy)
factory.auto_augment_transform = lambda name, settings: policy  # what `--aa NAME` calls
place = ["--aa", "policy", "--output", str(args.out), "--experiment", "timm"]
sys.argv = [args.script, *options, *place]
runpy.run_path(args.script, run_name="__main__")

with open(args.out / "timm" / "summary.csv", newline="") as file:
    epochs = list(csv.DictReader(file))
automorph.write_result(
    args.out, metric="accuracy", validation=float(epochs[-1]["eval_top1"]) / 100,
    passes=len(epochs), checkpoint="timm/last.pth.tar",
)  # fmt: skip
