#!/bin/bash
# transformers 5.23.0 (torch 2.15.0, accelerate 1.15.0): gradient accumulation in Trainer, and **kwargs of forward.
#
# Good guess: 4 batches of 4 that are accumulated give the step and the logged loss of one batch of 16, for any
# network.
# Seen: if the forward of the network takes **kwargs, Trainer expects a loss that is already divided by the number of
# items in all accumulated batches, and does not divide. A network of one's own that accepts **kwargs and returns a
# mean loss gets 4 times the gradient, and the log says 4 times the loss; without **kwargs, both are right. No
# warning.
# So adding **kwargs to a signature multiplies the learning rate of SGD, and makes clipping cut where it did not.
# Automorph trains in a loop of its own; docs/how-to/huggingface.md warns users of Trainer.
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env" \
    transformers==5.23.0 torch==2.15.0 accelerate==1.15.0 numpy==2.4.6
export folder
"$folder/env/bin/python" - <<'PYTHON'
import os
import sys

import torch
import transformers
from transformers import PrinterCallback, Trainer, TrainingArguments


class Plain(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, x, labels=None):
        return {"loss": ((self.weight - x) ** 2).mean()}


class WithKwargs(Plain):
    def forward(self, x, labels=None, **kwargs):
        return super().forward(x, labels)


print("transformers", transformers.__version__, "torch", torch.__version__)
rows = [{"x": torch.ones(1), "labels": torch.ones(1)} for _ in range(16)]
found = {}
for kind in (Plain, WithKwargs):
    for accumulated in (1, 4):
        arguments = TrainingArguments(
            os.environ["folder"],
            per_device_train_batch_size=16 // accumulated,
            gradient_accumulation_steps=accumulated,
            max_steps=1,
            optim="sgd",
            learning_rate=0.1,
            max_grad_norm=0,
            lr_scheduler_type="constant",
            logging_steps=1,
            report_to=[],
            save_strategy="no",
            use_cpu=True,
            disable_tqdm=True,
        )
        model = kind()
        trainer = Trainer(model, arguments, train_dataset=rows)
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        loss = trainer.state.log_history[0]["loss"]
        found[kind.__name__, accumulated] = [round(model.weight.item(), 3), round(loss, 3)]
for (name, accumulated), (weight, loss) in found.items():
    print(f"{name:10} {accumulated} x {16 // accumulated:2}: weight after one step {weight}, logged loss {loss}")
right, fourfold = [0.2, 1.0], [0.8, 4.0]
sys.exit(0 if list(found.values()) == [right, right, right, fourfold] else 1)
PYTHON
