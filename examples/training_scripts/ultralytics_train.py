"""An Ultralytics classification run, with a policy in the place of its own augmentation."""

import argparse
import csv
from pathlib import Path

from torchvision import transforms
from ultralytics.data.augment import classify_transforms
from ultralytics.models.yolo.classify import ClassificationTrainer

import automorph

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--policy", required=True)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--out", type=Path, required=True)
parser.add_argument("--data", required=True, help="a folder with train/CLASS and val/CLASS")
parser.add_argument("--model", default="yolo11n-cls.yaml")
parser.add_argument("--size", type=int, default=32)
args = parser.parse_args()


class Trainer(ClassificationTrainer):
    """Augments by the policy, after the resizing and before images become tensors."""

    def build_dataset(self, img_path, mode="train", batch=None):
        """Return the data set; that of the training part with the policy."""
        dataset = super().build_dataset(img_path, mode, batch)
        if mode == "train":
            steps = list(classify_transforms(size=self.args.imgsz).transforms)
            to_tensor = next(
                i for i, step in enumerate(steps) if isinstance(step, transforms.ToTensor)
            )
            steps.insert(to_tensor, automorph.load_policy(args.policy))
            dataset.torch_transforms = transforms.Compose(steps)
        return dataset


trainer = Trainer(
    overrides={
        "model": args.model, "data": str(args.data), "epochs": args.epochs, "imgsz": args.size,
        "seed": args.seed, "workers": 0, "device": "cpu", "pretrained": False, "plots": False,
        "batch": 16, "name": "run",
        "project": str(args.out.resolve()),  # a relative path would lead into runs/classify
    }
)  # fmt: skip
trainer.train()

# The last epoch, because trainer.metrics belongs to the best epoch on the validation part.
with open(trainer.csv, newline="") as file:
    last = list(csv.DictReader(file))[-1]
automorph.write_result(
    args.out, metric="accuracy", validation=last["metrics/accuracy_top1"], passes=args.epochs
)
