"""Comparisons on real digits: pairing, resuming, rejected input, failures."""

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

import automorph
from automorph.data import Split, limited, load_data, split
from automorph.errors import AutomorphError, PolicyError, UsageError
from automorph.experiments import (
    Cell,
    Row,
    compare,
    is_control,
    judge,
    paired_difference,
    policy_of,
    summarise,
)
from automorph.experiments.comparison import control_of, verdict_of
from automorph.policies import load_policy
from automorph.training import Normaliser, make_task, recipe_for

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def task():
    digits = limited(split(load_data("digits")), 60)
    return make_task(digits, model="cnn:8", recipe=recipe_for("cnn:8", 60, epochs=2))


def files(folder):
    return {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.rglob("*") if p.is_file()}


def test_rows_are_paired_and_reproducible(task):
    a = compare(task, ["none", "crop", "random"], seeds=2)
    b = compare(task, ["crop", "none"], seeds=2)

    assert [row.policy for row in a.rows] == ["none", "crop", "random"]
    assert a["crop"].accuracy == b["crop"].accuracy
    assert a["none"].difference is None
    expected = [x - y for x, y in zip(a["crop"].accuracy.values, a["none"].accuracy.values)]  # noqa: B905
    assert a["crop"].difference.mean == pytest.approx(sum(expected) / 2)
    assert a.baseline == "none"
    n = len(task.data.train) * 2 * 2
    assert a["none"].units == {"forward": n, "backward": n}


def test_one_policy_is_a_list_of_one(task):
    for one in ("crop", load_policy("crop")):
        assert [row.policy for row in compare(task, one, seeds=1).rows] == ["crop"]
        assert [row.policy for row in automorph.compare(task, one, seeds=1).rows] == ["crop"]
    with pytest.raises(UsageError, match="got policies=3; expected a list of them"):
        compare(task, 3)


def test_the_winner_is_chosen_on_the_validation_part(task):
    result = compare(task, ["none", "crop"], seeds=2)

    best = max(result.rows, key=lambda row: row.validation.mean)
    assert result.winner == best.policy


def test_test_labels_choose_nothing(task):
    data, before = task.data, compare(task, ["none", "crop"], seeds=1)
    for policy in ("none", "crop"):
        # Make the test part favour this policy as strongly as possible: by agreeing with it.
        labels = before.predictions[policy][0].astype(np.int64)
        test = Split(data.test.data, labels, data.test.ids)
        other = compare(replace(task, data=data.replace(test=test)), ["none", "crop"], seeds=1)
        assert other[policy].accuracy.mean == 1.0
        assert other.winner == before.winner


def test_without_a_validation_part_nothing_is_chosen(task):
    alone = replace(task, data=task.data.replace(validation=None))
    with pytest.raises(UsageError, match=r"no validation part, and 2 policies.*data\.split\("):
        compare(alone, ["none", "crop"], seeds=1)
    assert compare(alone, "crop", seeds=1).winner == "crop"


def test_finished_cells_are_kept_and_not_made_again(task, tmp_path):
    first = compare(task, ["none", "crop"], seeds=2, folder=tmp_path)
    before = files(tmp_path)
    again = compare(task, ["none", "crop"], seeds=2, folder=tmp_path)

    assert files(tmp_path) == before
    assert first.rows == again.rows


def test_only_what_is_missing_is_trained(task, tmp_path):
    first = compare(task, ["none", "crop"], seeds=2, folder=tmp_path)
    jobs = tmp_path / "jobs.jsonl"
    lines = jobs.read_bytes().splitlines(keepends=True)
    lost = next(line for line in lines if b'"seed": 1' in line and b"rop" in line)
    for damage in (lost[:40], lost.replace(b'"score": 0', b'"score": 1') + b"\n"):
        jobs.write_bytes(b"".join(line for line in lines if line != lost) + damage)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            again = compare(task, ["none", "crop"], seeds=2, folder=tmp_path)
        assert again.trained == 1
        assert [row.accuracy for row in again.rows] == [row.accuracy for row in first.rows]


def test_more_policies_and_seeds_extend_a_folder(task, tmp_path):
    compare(task, ["none"], seeds=1, folder=tmp_path)
    before = files(tmp_path)
    result = compare(task, ["none", "flip"], seeds=2, folder=tmp_path)

    assert all(files(tmp_path)[path][1].startswith(content[1]) for path, content in before.items())
    assert result.trained == 3
    assert len(result["flip"].accuracy.values) == 2


def test_a_folder_of_another_task_is_refused(task, tmp_path):
    compare(task, ["none"], seeds=1, folder=tmp_path)
    with pytest.raises(
        UsageError, match=r"a different comparison \(task.recipe.epochs was 2 and is now 3"
    ):
        compare(task.with_recipe(epochs=3), ["none"], seeds=1, folder=tmp_path)


def test_a_folder_resumes_where_floats_round_otherwise(task, tmp_path):
    first = compare(task, ["none"], seeds=1, folder=tmp_path)
    before = files(tmp_path)
    mean, std = (np.nextafter(part, 1).tolist() for part in (task.encoder.mean, task.encoder.std))
    moved = replace(task, encoder=Normaliser(tuple(mean), tuple(std)))
    lr = task.recipe.lr
    again = compare(moved.with_recipe(lr=math.nextafter(lr, 1)), ["none"], seeds=1, folder=tmp_path)

    assert again.trained == 0
    assert (again.rows, files(tmp_path)) == (first.rows, before)
    with pytest.raises(UsageError, match=r"task\.recipe\.lr was"):
        compare(task.with_recipe(lr=lr * (1 + 1e-6)), ["none"], seeds=1, folder=tmp_path)


def test_side_by_side_gives_the_same_numbers(task):
    one = compare(task, ["none", "trivialaugment"], seeds=2)
    two = compare(task, ["none", "trivialaugment"], seeds=2, jobs=2)

    assert [row.accuracy for row in one.rows] == [row.accuracy for row in two.rows]


def test_a_training_that_diverges_is_a_row_with_an_error(task):
    wild = task.with_recipe(optimizer="sgd", sgd_share=1.0, lr=1e9, epochs=3)
    with pytest.raises(AutomorphError, match="no policy has a result"):
        compare(wild, ["none"], seeds=1)


def test_progress_ends_at_all_cells(task):
    seen = []

    def begin(cells, done):
        assert len(cells) == 2
        return lambda cell, share: seen.append((cell, share))

    compare(task, ["none"], seeds=2, progress=begin)

    assert {cell.seed for cell, share in seen if share == 1.0} == {0, 1}


@pytest.mark.parametrize(
    ("policies", "options", "error", "words"),
    [
        ([], {}, UsageError, "no policy"),
        (["none", "none"], {}, UsageError, "twice"),
        (["nonesuch"], {}, PolicyError, "unknown policy 'nonesuch'"),
        (["none"], {"seeds": 0}, UsageError, "seeds"),
        (["none"], {"seeds": [1, 1]}, UsageError, "all different"),
        (["none"], {"baseline": "crop"}, UsageError, "not among the policies"),
        (["none"], {"confidence": 95}, UsageError, "confidence"),
    ],
)
def test_bad_arguments(task, policies, options, error, words):
    with pytest.raises(error, match=words):
        compare(task, policies, **options)


def test_the_control_is_the_strongest_random_policy():
    names = ["none", "crop", "random", "crop + random"]
    rows = tuple(
        Row(name, summarise([0.5, 0.6]), summarise([validation]))
        for name, validation in zip(names, (0.5, 0.9, 0.6, 0.7), strict=True)
    )
    arms = [load_policy(name) for name in names]

    assert control_of(rows, arms, {"crop", "none"}).policy == "crop + random"
    assert control_of(rows, arms, {"crop + random", "none"}).policy == "random"
    assert control_of(rows[:2], arms[:2], {"crop"}) is None


def test_predictions_are_those_that_the_accuracies_count(task, tmp_path):
    first = compare(task, ["none", "crop"], seeds=2, folder=tmp_path)
    labels = task.data.test.labels
    for row in first.rows:
        shares = (first.predictions[row.policy] == labels).mean(axis=1)
        assert tuple(shares) == pytest.approx(row.accuracy.values)
    again = compare(task, ["none", "crop"], seeds=2, folder=tmp_path)
    assert (again.predictions["crop"] == first.predictions["crop"]).all()


def test_a_failed_baseline_is_no_reason_to_keep_it():
    verdict = judge("crop", "none", None, seeds=5, confidence=0.95)
    assert verdict.kind == "unclear"
    assert "none failed" in verdict.text
    assert "keep none" in judge("none", "none", None, seeds=5, confidence=0.95).text


@pytest.mark.parametrize(
    ("none", "mentioned"),
    [((0.90, 0.93, 0.92), True), ((0.80, 0.81, 0.82), False), ((0.91, 0.92, 0.94), True)],
)
def test_a_winner_that_is_level_with_no_augmentation_is_said_to_be(none, mentioned):
    names = ("flip-crop", "none", "crop")
    values = {"flip-crop": (0.70, 0.72, 0.71), "none": none, "crop": (0.91, 0.92, 0.94)}
    won = paired_difference(values["crop"], values["flip-crop"])
    rows = tuple(
        Row(
            name, summarise(values[name]), summarise(values[name]),
            replace(won, p_adjusted=won.p) if name == "crop" else None,
        )
        for name in names
    )  # fmt: skip
    verdict, advice = verdict_of(
        rows, [load_policy(name) for name in names], "flip-crop", "crop", (0, 1, 2), 0.95
    )
    assert (verdict.kind, advice.action, advice.policy) == ("better", "use", "crop")
    assert verdict.text.endswith(advice.text)
    assert ("No augmentation may do as well" in verdict.text) is mentioned


def test_the_old_names_of_a_treatment_warn():
    with pytest.warns(DeprecationWarning, match="experiments.Treatment"):
        assert automorph.experiments.Arm is automorph.experiments.Treatment
    with pytest.warns(DeprecationWarning, match=r"Cell\.treatment"):
        assert Cell(1, 0).arm == 1
    with pytest.warns(DeprecationWarning, match="treatment"):
        assert not is_control(arm=load_policy("crop"))
    with pytest.warns(DeprecationWarning, match="treatment"):
        assert policy_of(arm=load_policy("crop")).name == "crop"
