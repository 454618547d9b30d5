"""The suite: entrants of a user's file, shared controls, sealed test parts, resumed runs."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from automorph.cli import main
from automorph.suite import CONTROLS, ENTRANT

TINY = ["--seeds", "1", "--limit", "40", "--epochs", "1", "--jobs", "1", "--quiet", "--json"]
OWN = """
import numpy as np
from automorph.operations import Stream
from automorph.training import Augmenter
from automorph.searchers import Searcher, TrainJob
from automorph import load_policy


class Brighter(Augmenter):
    def __call__(self, raw, model):
        draw = Stream(seed=raw.seed, epoch=raw.epoch, index=raw.numbers).uniform("brighter", 1)
        images = raw.examples + 40 * draw[:, :, None, None]
        return raw.batch(np.clip(images, 0, 255).astype(np.uint8))


class TwoCandidates(Searcher):
    def __init__(self, setting):
        self.parts = sorted(setting.task.data.parts)
        self.known = None

    def ask(self):
        names = ("none", "flip")
        return [] if self.known else [TrainJob(policy=load_policy(name)) for name in names]

    def tell(self, outcomes):
        self.known = [outcome.score for outcome in outcomes]

    def result(self):
        assert self.parts == ["train", "validation"], self.parts
        return load_policy("flip" if self.known[1] > self.known[0] else "none")


class Neither:
    pass
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with two development sets of noise, and a file of entrants."""
    rng = np.random.default_rng(0)
    for name, count in (("red_cells", 60), ("steel_defects", 50)):
        folder = tmp_path / "data" / "suite" / name
        folder.mkdir(parents=True)
        for part, n in (("train", count), ("test", 20)):
            images = []
            for number in range(n):
                pixels = rng.integers(0, 80, (32, 32, 3), np.uint8) + np.uint8(90 * (number % 2))
                buffer = io.BytesIO()
                Image.fromarray(pixels).save(buffer, "PNG")
                images.append({"bytes": buffer.getvalue(), "path": None})
            table = pa.table({"image": images, "label": [number % 2 for number in range(n)]})
            pq.write_table(table, folder / f"{part}-00000-of-00001.parquet")
    (tmp_path / "entrants_of_a_test.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTOMORPH_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("entrants_of_a_test", None)


def row(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    main(["suite", *words, *TINY])
    return json.loads(capsys.readouterr().out)


def trainings(place: Path) -> int:
    return sum(len(file.read_text().splitlines()) for file in place.rglob("jobs.jsonl"))


def test_an_augmenter_of_ten_lines_on_two_sets(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = ["--augmenter", "entrants_of_a_test.py:Brighter"]
    first = row(capsys, *mine)
    assert list(first["sets"]) == ["red_cells", "steel_defects"]
    assert not first["standard"]
    for one in first["sets"].values():
        assert set(one["test"]) == {*CONTROLS, ENTRANT}
        assert one["search"] is None
        assert not one["errors"]
    assert first["minus"]["none"]["sets"] == 2
    assert json.loads(Path(first["row"]).read_text())["sets"] == first["sets"]

    made = trainings(place)
    again = row(capsys, *mine)
    assert (again, trainings(place)) == (first, made)

    # From its own file, in another folder, it gives the same.
    config = str(Path(first["row"]).with_name("run.toml"))
    main(["suite", "--config", config, "--out", "elsewhere", "--jobs", "1", "--quiet", "--json"])
    repeated = json.loads(capsys.readouterr().out)
    assert repeated["sets"] == first["sets"]
    assert trainings(place) == 2 * made

    # The next entrant finds the controls done; this one is a control itself.
    own = row(capsys, "--augmenter", "flip-crop")
    assert trainings(place) == 2 * made
    assert (
        own["sets"]["red_cells"]["test"][ENTRANT] == own["sets"]["red_cells"]["test"]["flip-crop"]
    )


def test_a_searcher_sees_no_test_part(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = row(
        capsys, "--searcher", "entrants_of_a_test.py:TwoCandidates", "--sets", "red_cells"
    )  # fmt: skip
    one = found["sets"]["red_cells"]
    assert one["policy"] in ("flip-crop", "flip + flip-crop")  # With the default post-policy.
    assert one["search"] == pytest.approx(2.0)
    if one["policy"] == "flip-crop":
        assert one["test"][ENTRANT] == one["test"]["flip-crop"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "got neither of --augmenter and --searcher"),
        (["--augmenter", "crop", "--searcher", "race"], "got both"),
        (["--augmenter", "entrants_of_a_test.py"], "entrants_of_a_test.py:Brighter"),
        (["--augmenter", "entrants_of_a_test.py:Brihgter"], "Did you mean 'Brighter'?"),
        (["--augmenter", "entrants_of_a_test.py:Neither"], "is the class Neither"),
        (["--searcher", "entrants_of_a_test.py:Brighter"], "expected a subclass of"),
        (["--augmenter", "nowhere.py:Thing"], "cannot read nowhere.py"),
        (["--augmenter", "json.py:Thing"], "the name of another module"),
        (["--augmenter", "broken.py:Thing"], "broken.py cannot be imported (NameError"),
        (["--augmenter", "trivialaugmnt"], "trivialaugment"),
        (["--augmenter", "crop", "--sets", "red_cels"], "Did you mean 'red_cells'?"),
        (["--augmenter", "crop", "--sets", "apple_leaves"], "apple_leaves: not found in"),
        (["--augmenter", "crop", "--trials", "3"], "only a searcher takes some"),
    ],
)
def test_bad_entrants(
    place: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    (place / "json.py").write_text("Thing = 1")
    (place / "broken.py").write_text("Thing = nothing")
    with pytest.raises(SystemExit) as stop:
        main(["suite", *words])
    assert stop.value.code == 2
    assert message in " ".join(capsys.readouterr().err.split())
