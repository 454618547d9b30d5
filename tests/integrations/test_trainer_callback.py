"""The Trainer of transformers sees different images in every epoch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from loader_data import pixels
from torch import nn

from automorph.integrations import EpochCallback
from automorph.integrations.huggingface import transform
from automorph.policies import load_policy

transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.filterwarnings("ignore")


def test_epochs_are_counted(tmp_path):
    from datasets import Dataset

    seen = []

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3 * 12 * 10, 3)

        def forward(self, image, labels):
            seen.append(image)
            scores = self.layer(image.flatten(1).float() / 255)
            return {"loss": nn.functional.cross_entropy(scores, labels), "logits": scores}

    images = pixels(8)
    data = Dataset.from_dict({"image": images.tolist(), "number": list(range(8)),
                              "labels": [0, 1, 2, 0, 1, 2, 0, 1]})  # fmt: skip
    data = data.with_format("numpy")
    augment = transform("flip-crop + trivialaugment", "image", index="number", seed=5)

    def prepare(batch):
        as_arrays = {**batch, "image": [np.asarray(i, np.uint8) for i in batch["image"]]}
        out = augment(as_arrays)
        return {"image": [torch.from_numpy(i.copy()) for i in out["image"]],
                "labels": out["labels"]}  # fmt: skip

    data.set_transform(prepare)
    trainer = transformers.Trainer(
        model=Model(), train_dataset=data, callbacks=[EpochCallback(augment)],
        args=transformers.TrainingArguments(
            output_dir=str(tmp_path), num_train_epochs=3, per_device_train_batch_size=8,
            remove_unused_columns=False, report_to=[], save_strategy="no", disable_tqdm=True,
            use_cpu=True, logging_strategy="no",
        ),
    )  # fmt: skip
    trainer.train()
    assert augment.epoch == 2
    assert len(seen) == 3
    for epoch, batch in enumerate(seen):
        expected = load_policy("flip-crop + trivialaugment").augment(images, seed=5, epoch=epoch)
        given = {image.numpy().tobytes() for image in batch}
        assert given == {image.tobytes() for image in expected}
