"""The test part is hidden in one way and opened in one way."""

import ast
from functools import cache
from pathlib import Path

import pytest

import automorph
from automorph.data import load_data, open_part, open_test, split
from automorph.errors import DataError
from automorph.experiments import task_without_test
from automorph.experiments.executor import attempt
from automorph.training import as_task

SOURCE = Path(automorph.__file__).parent
DOORS = ("open_test", "open_part")

# Every function outside `automorph.data` that opens the test part, and why it may.
MAY_OPEN = {
    "training/base.py:evaluate": "evaluates a part at the end of a training; see the next test",
    "training/ensemble_run.py:_seen":
        "the validation part chooses; what is kept is then measured on the test part, once",
    "training/frozen.py:evaluate": "evaluates a part by its features, likewise",
    "robustness/robust.py:train_robust": "measures a robust training after its epoch is chosen",
    "robustness/groups.py:notes_on": "counts the examples of each group, for notes to the reader",
    "robustness/run_audit.py:_part": "an audit measures the part that the user asked for",
    "robustness/run_audit.py:audit":
        "an audit by cross-validation: all examples, each by networks that have not seen it",
    "robustness/audit_folds.py:of_folds":
        "predicts the fold that a finished training has not seen",
    "robustness/group_metric.py:check_choosing":
        "counts the classes in each subgroup of a part, to refuse a metric before training",
    "robustness/run_patch.py:patch": "audits the models before and after, once both are chosen",
    "robustness/patch_evidence.py:evidence_on": "evaluates the models before and after, likewise",
    "robustness/untested.py:translated_test": "translates it for the verdict, after the choice",
    "inference/examples.py:_of_part":
        "predicts the part that the user asked for with a network whose training is finished",
    "robustness/flip_rate.py:flip_rate": "counts the flips of these models",
    "robustness/flip_rate.py:maps_of": "draws the saliency of these models",
    "robustness/translators/base.py:exact_pairs":
        "renders known pairs of all parts, without labels; only training and validation pairs "
        "train or check anything",
    "experiments/one_seed.py:over_examples":
        "makes intervals over test examples of finished trainings, under one seed; chooses nothing",
    "experiments/metric_leaders.py:why_leaders_differ":
        "counts the classes of the test part, to say why leaders chosen on validation data differ",
    "cli/examples.py:tested_part": "shows examples of the test part once a comparison is finished",
    "testing/sources.py:_parts": "checks the form of every part of a data source; trains nothing",
    "testing/sources.py:the_test_part_is_sealed":
        "compares the other parts with and without the test part",
    "cli/audit.py:_pictures": "shows examples of the part that was audited",
}  # fmt: skip

# `SearchResult.parts` are roles of table rows, no parts of data.
NO_DATA = {"searchers/result.py", "cli/search_run.py"}


@cache
def files():
    """Every source file outside `automorph.data`: its name and its tree."""
    paths = {path.relative_to(SOURCE).as_posix(): path for path in SOURCE.rglob("*.py")}
    return [
        (name, ast.parse(path.read_text("utf-8")))
        for name, path in sorted(paths.items())
        if not name.startswith("data/")
    ]


def reads_of_test(tree, parts=True):
    """The lines that could read a test part in another way than by the doors.

    Any attribute ``.test``, ``getattr`` of it, and any use of a mapping ``.parts`` that gives more
    than names: only ``parts["train"]``, ``parts["validation"]``, ``name in parts`` and walks
    over the names are safe.
    """
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "test":
            yield node.lineno
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "getattr":
            if not isinstance(node.args[1], ast.Constant):
                continue
            if node.args[1].value == "test" or (parts and node.args[1].value == "parts"):
                yield node.lineno
        mapping = parts and isinstance(node, ast.Attribute) and node.attr == "parts"
        if mapping and not names_only(node, parents[node]):
            yield node.lineno


def names_only(node, parent):
    if isinstance(parent, ast.Subscript) and isinstance(parent.slice, ast.Constant):
        return parent.slice.value in ("train", "validation")
    if isinstance(parent, ast.Call):  # set(data.parts), ", ".join(data.parts)
        called = getattr(parent.func, "id", getattr(parent.func, "attr", ""))
        return node in parent.args and called in ("set", "len", "sorted", "join")
    return isinstance(parent, (ast.Compare, ast.comprehension, ast.For))


def callers(tree):
    """The names of the functions that use a door."""
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
            if names & set(DOORS):
                yield function.name


def test_only_the_data_room_reads_the_test_part():
    found = {
        name: lines
        for name, tree in files()
        if (lines := [*reads_of_test(tree, name not in NO_DATA)])
    }
    assert not found, "open the test part by automorph.data.open_test, or work without it"


def test_the_functions_that_open_the_test_part_are_listed_with_a_reason():
    found = {f"{name}:{function}" for name, tree in files() for function in callers(tree)}
    assert found == set(MAY_OPEN)


def test_trainings_evaluate_a_part_by_name_at_their_end_only():
    """`Training.evaluate` takes any part: within an epoch it is called for the validation part."""
    calls = {}
    for name, tree in files():
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and name.startswith("training/"):
                for node in ast.walk(function):
                    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "evaluate":
                        calls.setdefault(f"{name}:{function.name}", []).append(
                            ast.unparse(node.args[0])
                        )
    assert calls == {
        "training/frozen.py:run_epoch": ["'validation'"],
        "training/loop.py:_measure": ["'validation'"],
        "training/loop.py:run_epoch": ["'validation'"],
        "training/trainer.py:_conclude": ["part"],
        "training/trainer.py:_finished": ["part"],
    }


@pytest.mark.parametrize(
    "line",
    [
        "x = data.test.labels",
        "x = task.data.test is None",
        "x = getattr(data, 'test')",
        "x = getattr(data, 'parts')",
        "x = data.parts['test']",
        "x = data.parts[name]",
        "x = data.parts.get('test')",
        "x = [part for part in data.parts.values()]",
        "x = [part for name, part in data.parts.items()]",
        "parts = data.parts",
        "f(data.parts)",
        "x = {**data.parts}",
    ],
)
def test_the_check_sees_every_way_around_the_door(line):
    assert [*reads_of_test(ast.parse(line))] == [1]


@pytest.mark.parametrize(
    "line",
    [
        "x = data.parts['validation']",
        "x = 'test' in data.parts",
        "x = [name for name in data.parts]",
        "x = ', '.join(data.parts)",
        "x = data.sizes['test']",
        "x = open_test(data)",
    ],
)
def test_the_check_lets_pass_what_opens_nothing(line):
    assert not [*reads_of_test(ast.parse(line))]


def test_the_door_gives_the_test_part_or_says_what_to_do():
    data = split(load_data("digits"), validation=0.2, test=0.2, seed=0)
    assert open_test(data) is open_part(data, "test") is data.test
    assert open_part(data, "validation") is data.validation
    assert data.sizes == {name: len(part) for name, part in data.parts.items()}
    with pytest.raises(DataError, match=r"digits has no test part; expected .*data\.split"):
        open_test(data.without_test())


def test_without_test_hides_the_test_part_and_nothing_else():
    data = split(load_data("digits"), validation=0.2, test=0.2, seed=0)
    hidden = data.without_test()
    assert hidden.test is None
    assert hidden.train is data.train
    assert hidden.validation is data.validation
    assert hidden.without_test() is hidden


def test_no_file_hides_the_test_part_in_another_way():
    allowed = SOURCE / "data" / "dataset.py"
    others = [path for path in SOURCE.rglob("*.py") if path != allowed]
    assert not [path.name for path in others if "test=None)" in path.read_text("utf-8")]


def test_a_job_of_a_search_never_sees_the_test_part(tmp_path):
    task = as_task("digits", model="cnn:4", limit=60)
    seen = []

    class Look:
        def run(self, task, folder):
            seen.append(task.data.test)

    attempt(Look(), task, tmp_path)
    attempt(Look(), task, tmp_path, test=True)
    assert seen[0] is None
    assert seen[1] is not None
    assert task_without_test(task) is task_without_test(task)
