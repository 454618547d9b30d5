"""Training scripts that `compare --command` and `search --command` run: alone, and from there."""

from __future__ import annotations

import json
import os
import re
import runpy
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from automorph import load_policy, save_policy

SCRIPTS = Path(__file__).parents[2] / "examples" / "training_scripts"
GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "your-training-script.md"
VALUES = "--policy {policy} --seed {seed} --epochs {epochs} --out {out}"
LIBRARIES = {"lightning_script": "lightning", "ultralytics_train": "ultralytics"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Digits as image files: train/CLASS and val/CLASS."""
    from PIL import Image
    from sklearn.datasets import load_digits

    root = tmp_path_factory.mktemp("digits")
    digits, labels = load_digits(return_X_y=True)
    for number in range(240):
        folder = root / ("train" if number < 160 else "val") / str(labels[number])
        folder.mkdir(parents=True, exist_ok=True)
        pixels = (digits[number].reshape(8, 8) / 16 * 255).astype(np.uint8)
        image = Image.fromarray(pixels).convert("RGB").resize((32, 32))
        image.save(folder / f"{number}.png")
    return root


def run(monkeypatch, name, **options):
    """Run a script in this process; return its result."""
    out = Path(options["out"])
    out.mkdir()
    words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    monkeypatch.setattr(sys, "argv", [name, *words])
    with torch.random.fork_rng():
        runpy.run_path(str(SCRIPTS / f"{name}.py"), run_name="__main__")
    return json.loads((out / "result.json").read_text())


def test_all_scripts_are_listed():
    text = (SCRIPTS.parent / "README.md").read_text()
    for path in SCRIPTS.glob("*.py"):
        assert f"[{path.name}](training_scripts/{path.name})" in text


def test_the_commands_of_the_guide_exist():
    from automorph.cli import app
    from automorph.experiments import Command

    blocks = re.findall(r"^```bash\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").split("\n\n")]
    assert len(lines) == 4
    for line in lines:
        verb, *words = shlex.split(line)[1:]
        known = {name for one in app.commands[verb].params for name in one.opts}
        assert {word for word in words if word.startswith("--")} <= known
        assert Command(words[words.index("--command") + 1]).placeholders >= {"policy", "epochs"}


def test_a_resumed_loop_ends_as_an_uninterrupted_one(tmp_path, monkeypatch, capsys):
    policy = save_policy("trivialaugment + mixup", tmp_path / "policy.json")
    whole = run(monkeypatch, "plain_loop", policy=policy, epochs=2, out=tmp_path / "whole")
    first = run(monkeypatch, "plain_loop", policy=policy, epochs=1, out=tmp_path / "first")
    rest = run(
        monkeypatch, "plain_loop", policy=policy, epochs=2, out=tmp_path / "rest",
        resume=tmp_path / "first" / first["checkpoint"],
    )  # fmt: skip
    assert (whole.pop("passes"), first["passes"], rest.pop("passes")) == (2, 1, 1)
    assert rest == whole
    assert first["validation_losses"] != whole["validation_losses"]
    assert set(whole) >= {"metric", "validation", "test", "validation_losses", "checkpoint"}
    assert "epoch 2" in capsys.readouterr().out


@pytest.mark.parametrize("policy", ["none", "flip + random", "schedule(1:none,1:autoaugment)"])
def test_the_loop_takes_every_policy(tmp_path, monkeypatch, policy):
    result = run(monkeypatch, "plain_loop", policy=policy, epochs=1, seed=3, out=tmp_path / "out")
    assert 0 <= result["validation"] <= 1
    assert len(result["validation_losses"]) == 400


def test_a_policy_takes_the_place_of_timms_own_augmentation(monkeypatch):
    """What timm_train.py relies on."""
    factory = pytest.importorskip("timm.data.transforms_factory", reason="timm is not installed")
    policy = load_policy("trivialaugment")
    monkeypatch.setattr(factory, "auto_augment_transform", lambda name, settings: policy)
    pipeline = factory.create_transform(32, is_training=True, auto_augment="policy", hflip=0)
    steps = pipeline.transforms
    assert steps.index(policy) == 1
    assert type(steps[0]).__name__ == "RandomResizedCropAndInterpolation"
    assert type(steps[2]).__name__ == "MaybeToTensor"


def command_of(kind, folders):
    """The command of a script, or a skip."""
    name = f"{kind}_train" if kind != "lightning" else "lightning_script"
    if kind == "plain":
        name = "plain_loop"
    needed = LIBRARIES.get(name)
    if needed and find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed")
    words = [sys.executable, str(SCRIPTS / f"{name}.py")]
    if kind == "timm":
        script = os.environ.get("TIMM_TRAIN", "")
        if not Path(script).is_file():
            pytest.skip("TIMM_TRAIN names no train.py of a source release of timm")
        options = (
            f"--data-dir {folders} --val-split val --num-classes 10 --model test_resnet "
            "--input-size 3 32 32 --batch-size 16 --device cpu --workers 1 --hflip 0 "
            "--scale 0.9 1 --opt adamw --lr 2e-3 --warmup-epochs 0 --sched step --decay-epochs 9999"
        )
        return " ".join([*words, script, VALUES, "--resume {checkpoint}", options])
    if kind == "ultralytics":
        return " ".join([*words, VALUES, f"--data {folders}"])
    return " ".join([*words, VALUES, "--resume {checkpoint}"])


def automorph(tmp_path, *words):
    environment = {**os.environ, "YOLO_CONFIG_DIR": str(tmp_path / "yolo"), "OMP_NUM_THREADS": "1"}
    script = os.environ.get("TIMM_TRAIN")
    if script:  # the timm of the source release
        paths = [str(Path(script).parent), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    done = subprocess.run(
        [sys.executable, "-m", "automorph", *words], cwd=tmp_path, env=environment, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "lightning", "timm", "ultralytics"])
def test_a_comparison_runs_the_script(tmp_path, kind, folders):
    said = automorph(
        tmp_path, "compare", "--command", command_of(kind, folders), "--policy", "none",
        "--policy", "trivialaugment", "--seeds", "2", "--epochs", "2", "--out", "run", "--json",
    )  # fmt: skip
    rows = {row["policy"]: row for row in json.loads(said)["rows"]}
    assert set(rows) == {"none", "trivialaugment"}
    assert len(list((tmp_path / "run").rglob("result.json"))) == 4
