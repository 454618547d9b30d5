"""Files of a run are data: damaged ones are rejected by name, rebuilt, or still intact."""

from __future__ import annotations

import json
import random
import warnings

import pytest
import torch
from fuzzing import COUNT, misvalued, mutated, outcomes

from automorph.data import limited, load_data, split
from automorph.data.memory_map import allocate, finish, mapped
from automorph.errors import AutomorphError
from automorph.experiments import FileLog, JobResult, Store
from automorph.files import read_json, write_checked
from automorph.searchers.study_log import JOURNAL, StudyLog
from automorph.training import Recipe, load_trained, make_task, train

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def task():
    data = limited(split(load_data("digits"), seed=0), 40)
    recipe = Recipe(epochs=2, batch_size=32, lr=0.05, precision="fp32")
    return make_task(data, model="cnn:2", recipe=recipe)


class Numbered:
    def __init__(self, number):
        self.number = number

    def describe(self):
        return {"job": "numbered", "number": self.number}


def both_ways(content, rng):
    """Change a file byte by byte or, if it is JSON, value by value."""
    if rng.random() < 0.5:
        return mutated(content, rng)
    try:
        return json.dumps(misvalued(json.loads(content), rng)).encode()
    except ValueError:
        return mutated(content, rng)


def test_mutated_files_of_an_unfinished_run(task, tmp_path):
    """The run resumes to exactly the same weights, starts over, or reports the file."""
    run, rng = tmp_path / "run", random.Random(1)
    train(task, "flip", folder=run, stop_epoch=1)
    whole = {path.name: path.read_bytes() for path in run.iterdir()}
    end = train(task, "flip").accuracy

    def attempts():
        for _ in range(max(20, COUNT // 4)):
            name = rng.choice(sorted(whole))
            content = both_ways(whole[name], rng)

            def attempt(name=name, content=content):
                for path in run.iterdir():
                    path.unlink()
                for other, data in whole.items():
                    (run / other).write_bytes(content if other == name else data)
                assert train(task, "flip", folder=run).accuracy == end
                return "went on"

            yield content, attempt

    ends = outcomes(attempts(), (AutomorphError,))
    assert ends["went on"]
    assert len(ends) > 1


def test_mutated_files_of_a_finished_run(task, tmp_path):
    rng = random.Random(2)
    train(task, "flip", folder=tmp_path)
    whole = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    accuracy = train(task, "flip", folder=tmp_path).accuracy

    def attempts():
        for _ in range(COUNT):
            name = rng.choice(sorted(whole))
            content = both_ways(whole[name], rng)

            def attempt(name=name, content=content):
                (tmp_path / name).write_bytes(content)
                try:
                    if name == "model.safetensors":
                        load_trained(tmp_path)
                        return "read"
                    again = train(task, "flip", folder=tmp_path)
                    if name == "result.json" and b'"check"' in content:
                        assert again.accuracy == accuracy
                    return "read"
                finally:
                    (tmp_path / name).write_bytes(whole[name])

            yield content, attempt

    ends = outcomes(attempts(), (AutomorphError,))
    assert sum(ends.values()) == COUNT


def test_mutated_headers_of_weights_name_no_network_that_is_built(task, tmp_path):
    """The header of a safetensors file is the only place where a run file says what to build."""
    from safetensors.torch import save_file

    rng = random.Random(3)
    train(task, "flip", folder=tmp_path)
    from automorph.training.checkpoint import read_checkpoint

    tensors, facts = read_checkpoint(tmp_path / "model.safetensors")
    file = tmp_path / "other.safetensors"

    def attempts():
        for number in range(COUNT):
            said = misvalued(facts, rng)
            if number < len(HOSTILE):
                said = {**facts, "model": HOSTILE[number]}
            text = json.dumps(said)

            def attempt(text=text):
                save_file(tensors, file, metadata={"automorph": text})
                load_trained(file)
                return "read"

            yield text.encode(), attempt

    ends = outcomes(attempts(), (AutomorphError,))
    assert sum(ends.values()) == COUNT


HOSTILE = (
    "sentence:antigravity", "transformers:evil/model", "timm:resnet18:pretrained", "cnn:9999999999",
    "wrn-100000-100000", "wrn-4000-9999", "timm:hf-hub:evil/model", "transformers:../../etc",
    "timm:resnet18", "text-cnn", "pyramidnet-272-9999", "transformers:this", "sentence:os",
)  # fmt: skip


@pytest.mark.parametrize("log", ["jobs.jsonl", JOURNAL])
def test_mutated_logs_keep_every_line_that_is_whole(tmp_path, log):
    """Records read from a damaged log were in it; lost records were in a damaged line."""
    rng = random.Random(5)

    def opened():
        kept = FileLog(tmp_path) if log == "jobs.jsonl" else StudyLog("search", folder=tmp_path)
        return Store({"seed": 0}, kept)

    store = opened()
    for number in range(12):
        store.add(Numbered(number), JobResult(number / 10, facts={"a": 1}), clock=float(number))
    store.note("plan", {"until": None})
    path = tmp_path / log
    content = path.read_bytes()
    known = {job.key: job for job in store.finished}
    lines = content.splitlines(keepends=True)

    def attempts():
        for _ in range(max(20, COUNT // 2)):
            changed = mutated(content, rng)

            def attempt(changed=changed):
                path.write_bytes(changed)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    found = opened()
                for job in found.finished:
                    assert known[job.key] == job
                # A mutation may repeat a line.
                kept = {line for line in changed.splitlines(True) if line in lines}
                assert len(found.by_key) >= sum(b'"key"' in line for line in kept) - 1
                return "read"

            yield changed, attempt

    ends = outcomes(attempts(), (AutomorphError,))
    assert ends["read"] > sum(ends.values()) / 2


def test_mutated_cached_arrays_are_not_mapped(tmp_path):
    rng, path = random.Random(6), tmp_path / "images.npy"
    images = allocate(path, (20, 8, 8, 1))
    images[:] = 7
    finish(path, images)
    content = {p: p.read_bytes() for p in (path, path.with_suffix(".sum.json"))}

    def attempts():
        for _ in range(COUNT):
            file = rng.choice(sorted(content))
            changed = mutated(content[file], rng)

            def attempt(file=file, changed=changed):
                for other, data in content.items():
                    other.write_bytes(changed if other == file else data)
                found = mapped(path)
                assert found is None or (found.shape == (20, 8, 8, 1) and (found == 7).all())
                return "made again" if found is None else "read"

            yield changed, attempt

    ends = outcomes(attempts(), ())
    assert ends["made again"] > COUNT / 3


def test_a_checked_file_tells_that_a_digit_was_changed(tmp_path):
    path = tmp_path / "x.json"
    write_checked(path, {"accuracy": 0.125})
    assert read_json(path) == {"accuracy": 0.125}
    path.write_text(path.read_text().replace("0.125", "0.925"))
    with pytest.raises(AutomorphError, match="changed"):
        read_json(path)
