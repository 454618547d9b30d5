"""The test part is hidden in one way only, and the jobs of a search never receive it."""

from pathlib import Path

import automorph
from automorph.data import load_data, split
from automorph.searchers.executors import attempt, without_test
from automorph.training import as_task

SOURCE = Path(automorph.__file__).parent


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
    assert without_test(task) is without_test(task)
