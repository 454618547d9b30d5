"""A patch from audit to model card, on data with known pairs, and the cases that fall back."""

import json
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from marked_images import bars, marked_data

from automorph.data import Dataset
from automorph.errors import MissingExtraError, TrainingError, UsageError
from automorph.experiments import Summary, dead_seed, open_executor
from automorph.robustness import ExactPairs, UserEdit, patch
from automorph.robustness.builtin import load_method
from automorph.robustness.groups import Grouper
from automorph.robustness.patch_notes import as_begun, notes_on_trainings
from automorph.robustness.patch_result import TreatmentRow, best
from automorph.robustness.patch_trainings import MENDING, objectives_of
from automorph.robustness.saliency import saliency, share_on_mark
from automorph.robustness.translated import translate_part
from automorph.robustness.translators.base import Identity, all_pairs
from automorph.robustness.translators.selection import choose_translator
from automorph.robustness.treatments import (
    PatchCell,
    PatchContext,
    PatchJob,
    folder_of,
    measured,
    run_treatments,
)
from automorph.training import as_task, load_trained, train

torch.set_num_threads(1)
RECIPE = {"epochs": 3, "batch_size": 64, "lr": 0.05, "warmup_epochs": 0.5}


@pytest.fixture(scope="module")
def pairs():
    """Exact pairs of all parts of `marked_data`."""
    from marked_images import EVEN, SKEWED

    return ExactPairs(
        np.concatenate([bars(SKEWED, 1)[1], bars(SKEWED, 2)[1], bars(EVEN, 3)[1]], axis=1)
    )


@pytest.fixture(scope="module")
def task():
    return as_task(marked_data(), model="cnn:4", recipe=RECIPE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("patched")


@pytest.fixture(scope="module")
def result(task, pairs, folder):
    return patch(task, translator=pairs, objective="camel(weight=5)", seeds=2, folder=folder)


def test_every_arm_has_every_seed(result):
    assert [row.objective for row in result.treatments] == ["erm", "balanced", "gdro", "camel"]
    assert all(len(row.robust_accuracy.values) == 2 for row in result.treatments)
    assert result.objective == "camel"
    assert result["camel"].difference is not None
    assert result["balanced"].difference is None
    assert result.choice.kind == "exact"
    assert 0 <= result.flips["after"] <= 1
    assert result.on_mark["before"] > 0


def test_json_holds_the_contract(result):
    content = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert {"before", "after", "arms", "translator", "checkpoint"} <= content.keys()
    for side in ("before", "after"):
        assert {"accuracy", "robust_accuracy", "groups", "gap", "mutual_information"} <= content[
            side
        ].keys()
    assert {"robust_accuracy", "accuracy", "gap"} <= content["arms"][0].keys()
    assert {"mean", "se", "values"} <= content["arms"][0]["robust_accuracy"].keys()
    assert {"kind", "checks"} <= content["translator"].keys()


def test_the_mended_checkpoint_is_the_model_of_the_numbers(result, task):
    trained = load_trained(result.checkpoint)
    test = task.data.parts["test"]
    with torch.inference_mode():
        said = trained.model(trained.encoder(test.data)).argmax(1).numpy()
    assert (said == test.labels).mean() == pytest.approx(result.after.accuracy.value)


def test_the_card_tells_groups_choice_and_failures(result):
    card = result.card.read_text()
    for words in ("| lying | marked |", "95 % interval", "## How it was chosen",
                  "## Known failures", "interventional"):  # fmt: skip
        assert words in card


def test_the_same_call_trains_nothing_again(result, task, pairs, folder):
    files = {path: path.stat().st_mtime_ns for path in folder.rglob("model.safetensors")}
    again = patch(task, translator=pairs, objective="camel(weight=5)", seeds=2, folder=folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("model.safetensors")} == files
    assert [row.to_dict() for row in again.treatments] == [
        row.to_dict() for row in result.treatments
    ]


def test_another_task_is_refused_in_the_same_folder(task, pairs, folder, result):
    with pytest.raises(UsageError, match=r"\(task\.recipe\.epochs was 3 and is now 1"):
        patch(task.with_recipe(epochs=1), translator=pairs, folder=folder)


def test_a_report_is_made_of_it(result, task, tmp_path):
    from automorph.report import patch_page, write_report

    content = {"data": "marked", **result.to_dict(), "subgroups": ["plain", "marked"]}
    page = patch_page({**content, "looks": result.looks})
    titles = [section.title for section in page.sections]
    assert titles[:3] == ["Before and after", "Objectives", "The translator"]
    text = write_report(tmp_path / "report.html", page).read_text()
    assert "plain to marked" in text
    assert text.count("data:image") >= 8


@pytest.mark.slow
def test_a_checkpoint_of_the_user_is_what_is_mended(task, pairs, tmp_path):
    run = train(task, None, seed=7, folder=tmp_path / "mine", progress=False)
    found = patch(
        task, translator=pairs, objective="camel", baselines=("balanced",), seeds=1,
        checkpoint=tmp_path / "mine", folder=tmp_path / "patched", maps=False,
    )  # fmt: skip
    assert found.before.accuracy.value == pytest.approx(run.accuracy["test"])
    assert "erm" not in [row.objective for row in found.treatments]


def test_a_translator_that_fails_is_replaced_and_named():
    choice = choose_translator(Identity(2), marked_data())
    assert choice.kind != "identity"
    assert not choice.attempts[0].passed
    assert "identity is not used" in choice.notes[0]
    assert [attempt.kind for attempt in choice.attempts][1] == "statistics"


def test_a_translator_that_works_one_way_is_used_that_way():
    def edit(images, direction):
        """Draw the mark; do not remove it."""
        made, rng = images.copy(), np.random.default_rng(0)
        for image in made if direction == 1 else ():
            corner = rng.integers(0, 11)
            image[np.arange(5), corner + np.arange(5)] = 255
        return made

    data = marked_data()
    choice = choose_translator(UserEdit(edit, all_pairs(2), "draw"), data)
    assert choice.kind == "draw (plain to marked only)"
    assert choice.translator.directions == {(0, 1)}
    assert not choice.attempts[0].passed
    assert "draw is used in the directions in which it passed" in choice.notes[-1]
    made = translate_part(choice.translator, data.train)
    marked = data.train.subgroups == 1
    assert np.array_equal(made.images[0], data.train.data)
    assert np.array_equal(made.images[1, marked], data.train.data[marked])
    assert (made.images[1] != data.train.data).any((1, 2, 3))[~marked].all()


def test_without_a_translator_balanced_sampling_mends(task, tmp_path):
    short = task.with_recipe(epochs=1)
    found = patch(
        short, translator="none", objective="camel", baselines=("erm",), seeds=1,
        folder=tmp_path, maps=False,
    )  # fmt: skip
    assert found.objective == "balanced"
    assert any("balanced sampling is used instead" in note for note in found.notes)
    assert found.flips["after"] is None


def test_a_folder_that_an_earlier_version_began_is_continued_or_told(task, pairs, tmp_path):
    """Camel was the mean of the batch, and what mends by default; the former irm has no name."""
    setting = PatchContext(task, None, tmp_path)
    assert as_begun(["camel", "irm"], setting, (0, 1)) == (["camel", "irm"], [])
    rendered = replace(setting, renderings=translate_part(pairs, task.data.train))
    assert objectives_of("auto", ["erm"], rendered)[0] == ["erm", MENDING]
    key = rendered.renderings_key("camel")
    (tmp_path / folder_of(load_method("camel").recorded, 1, key)).mkdir(parents=True)
    assert objectives_of("auto", ["erm"], rendered)[0] == ["erm", "camel"]
    for name in ("camel", "irm", "gdro"):
        (tmp_path / folder_of(name, 1, "")).mkdir(parents=True)
    names, notes = as_begun(["gdro", "camel", "irm"], setting, (0, 1))
    assert names == ["gdro", "camel(reduction=mean)", "irm"]
    assert "continues with it, under its present name camel(reduction=mean)" in notes[0]
    assert "irm was trained again" in notes[1]
    former = PatchJob.of(setting, PatchCell("camel(reduction=mean)", 0)).describe()
    assert former["objective"] == "camel"
    now = PatchJob.of(setting, PatchCell("camel", 0)).describe()
    assert now["objective"] == "camel, edition 2"


def test_a_dead_seed_is_trained_again_and_named(task, tmp_path, monkeypatch):
    """The other seed is left alone; a mean that includes a network of one answer names it."""
    calls = []

    def dying(result, *given):
        calls.append(result.seed)
        return result.seed == 1

    monkeypatch.setattr(dead_seed, "has_died", dying)
    found = patch(
        task.with_recipe(epochs=1), translator="none", objective="balanced", baselines=(),
        seeds=2, folder=tmp_path, maps=False, engine="local",
    )  # fmt: skip
    assert calls == [0, 1, 0]
    (note,) = [note for note in found.notes if "trained again" in note]
    assert note.startswith("balanced: seed 1 (it predicted one class only) learned nothing")


def test_seeds_of_one_answer_are_named():
    grouper = Grouper(("even", "odd"), ("clean", "marked"))
    alive = {"test": {"groups": {"right": [9, 9, 8, 9], "n": [10] * 4}}}
    dead = {"test": {"groups": {"right": [0, 0, 10, 10], "n": [10] * 4}}, "notes": ["jtt: words"]}
    numbers = {PatchCell("jtt", 0): alive, PatchCell("jtt", 1): dead}
    assert notes_on_trainings(numbers, grouper) == [
        "Seed 1, jtt: words.",
        "jtt: seed 1 predicts 'odd' for every test example; its robust accuracy of 0 is part of "
        "the mean.",
    ]


def row(name, *selected):
    one = Summary(0.9, 0.01, (0.9,) * len(selected))
    chosen = Summary(float(np.mean(selected)), 0.0, selected)
    return TreatmentRow(name, one, one, {}, one, chosen, one)


def test_more_complicated_objectives_must_beat_balanced_sampling():
    plain, simple = row("erm", 0.3, 0.3, 0.3), row("balanced", 0.90, 0.92, 0.91)
    noisy, clear = row("camel", 0.91, 0.91, 0.95), row("camel", 0.95, 0.96, 0.96)
    assert best((plain, simple, noisy)) == "balanced"
    assert best((plain, simple, clear)) == "camel"
    assert best((row("erm", 0.97, 0.97, 0.97), simple, clear)) == "erm"


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
@pytest.mark.slow
def test_a_training_that_fails_is_named(task, tmp_path, seeds):
    setting = PatchContext(task.with_recipe(lr=1e30), None, tmp_path)
    with pytest.raises(TrainingError, match=r"^gdro, seed [01]: the training diverged"):
        run_treatments(
            setting, [PatchCell("gdro", seed) for seed in seeds],
            open_=partial(open_executor, "processes", setting, tmp_path, jobs=len(seeds)),
        )  # fmt: skip


def test_numbers_of_a_cell_by_hand():
    grouper = Grouper(("a", "b"), ("x", "y"))
    groups = np.repeat([0, 1, 2, 3], [10, 10, 10, 0])
    labels = np.repeat([0, 0, 1], 10)
    predictions = labels.copy()
    predictions[10:14] = 1
    found = measured(grouper, groups, predictions, labels)
    assert found["robust_accuracy"] == 0.6
    assert found["accuracy"] == pytest.approx(26 / 30)
    assert found["gap"] == {"a": pytest.approx(40.0)}


def test_saliency_finds_what_a_network_looks_at():
    class Corner(torch.nn.Module):
        def forward(self, x):
            mean = x[:, 0, :2, :2].mean((1, 2))
            return torch.stack([mean, -mean], 1)

        def parameters(self, recurse=True):
            return iter([torch.zeros(1)])

    images = np.zeros((3, 8, 8, 1), np.uint8)
    others = images.copy()
    others[:, :2, :2] = 255
    maps = saliency(
        Corner(), images, np.array([0, 1, 0]),
        encoder=lambda x, device=None: torch.from_numpy(x).permute(0, 3, 1, 2).float(),
    )  # fmt: skip
    assert share_on_mark(maps, images, others) == pytest.approx(16)  # all on 1/16 of the area
    assert np.isnan(share_on_mark(maps, images, images)).all()


def test_saliency_hangs_on_the_last_layer():
    """A map that survives a random last layer would describe the images, not the network."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(64, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2)
    )
    images = np.random.default_rng(0).integers(0, 255, (20, 8, 8, 1), np.uint8)

    def maps():
        found = saliency(
            network, images, np.zeros(20, np.int64),
            encoder=lambda x, device=None: torch.from_numpy(x).permute(0, 3, 1, 2) / 255,
        )  # fmt: skip
        return found.reshape(20, -1)

    before = maps()
    assert np.array_equal(before, maps())
    torch.nn.init.normal_(network[3].weight)
    alike = [np.corrcoef(a, b)[0, 1] for a, b in zip(before, maps(), strict=True)]
    assert np.median(alike) < 0.7


def test_saliency_of_large_images_takes_a_few_at_once():
    sizes = []

    class Pooled(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.head = torch.nn.Linear(1, 2)

        def forward(self, inputs):
            sizes.append(len(inputs))
            return self.head(inputs.mean((2, 3)))

    images = np.random.default_rng(0).integers(0, 255, (40, 256, 256, 1), np.uint8)
    maps = saliency(
        Pooled(), images, np.zeros(40, np.int64), copies=4,
        encoder=lambda x, device=None: torch.from_numpy(x).permute(0, 3, 1, 2) / 255,
    )  # fmt: skip
    assert maps.shape == (40, 256, 256)
    assert max(sizes) == 32
    assert sum(sizes) == 160


def test_saliency_without_captum_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "captum", None)
    with pytest.raises(MissingExtraError, match=r"automorph\[saliency\]"):
        saliency(torch.nn.Identity(), np.zeros((1, 8, 8, 1), np.uint8), np.zeros(1), encoder=None)


def test_what_cannot_be_patched_is_refused(task, tmp_path):
    data = marked_data()
    bare = Dataset("bare", data.classes, *(type(p)(p.data, p.labels) for p in data.parts.values()))
    with pytest.raises(UsageError, match="no subgroups"):
        patch(as_task(bare, model="cnn:4"), folder=tmp_path)
    with pytest.raises(UsageError, match="module:function"):
        patch(task, translator="cyclegann", folder=tmp_path)
    with pytest.raises(UsageError, match="camel"):
        patch(task, objective="camle", folder=tmp_path)
    with pytest.raises(UsageError, match="all different"):
        patch(task, seeds=[1, 1], folder=tmp_path)
    with pytest.raises(UsageError, match="no validation"):
        patch(
            type(task)(data.replace(validation=None), task.model, task.recipe, task.encoder),
            folder=tmp_path,
        )
    lonely = {(0, 0): 60, (1, 1): 60}
    alone = as_task(marked_data(lonely, lonely), model="cnn:4")
    choice = choose_translator("cyclegan", alone.data)
    assert choice.translator is None
    assert "only one subgroup" in choice.attempts[0].error
    choice = choose_translator(Identity(2), alone.data)
    assert choice.kind == "identity"
    assert "was not checked" in choice.notes[-1]
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_an_edit_of_the_user_mends(task, pairs, tmp_path):
    def edit(images, direction):
        known = type("K", (), {"labels": None, "subgroups": None})
        return pairs.translate(images, direction, known)

    found = patch(
        task.with_recipe(epochs=1), translator=UserEdit(edit, all_pairs(2), "my_edit"),
        baselines=("erm", "balanced"), seeds=1, folder=tmp_path, maps=False,
    )  # fmt: skip
    assert found.choice.kind == "my_edit"
    assert [row.objective for row in found.treatments] == ["erm", "balanced", MENDING]
