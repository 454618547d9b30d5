"""`automorph review` from the command line, and what its file does in other commands."""

from __future__ import annotations

import io
import json
import re
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from automorph.cli import main
from automorph.operations import named_space
from automorph.policies import Mark, ReviewedSpace, WrongFrom, read_space, write_space
from automorph.searchers import default_post_policy
from automorph.searchers.portfolio import portfolio_of
from automorph.training import as_task

DATA = ["digits", "--limit", "100"]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def post(address: str, place: str, content: object) -> None:
    origin = address.rsplit("/", 2)[0]
    headers = {"Origin": origin, "Content-Type": "application/json"}
    body = json.dumps(content).encode()
    request = urllib.request.Request(address + place, body, headers)
    urllib.request.urlopen(request, timeout=10).close()


class Told(io.StringIO):
    """What the command prints, and an event when it has printed the address of its page."""

    def __init__(self) -> None:
        super().__init__()
        self.ready = threading.Event()

    def write(self, text: str) -> int:
        written = super().write(text)
        if "Page " in self.getvalue():
            self.ready.set()
        return written


def review(monkeypatch: pytest.MonkeyPatch, marks: object, *words: str) -> str:
    """Run the command, post marks as the page does, finish, and return what was printed."""
    told = Told()
    monkeypatch.setattr(sys, "stderr", told)

    def drive() -> None:
        assert told.ready.wait(60)
        (address,) = re.findall(r"Page  (\S+)\n", told.getvalue())
        if marks is not None:
            post(address, "marks", marks)
        post(address, "finish", {})

    driver = threading.Thread(target=drive)
    driver.start()
    main(["review", *DATA, "--steps", "2", "--no-browser", *words])
    driver.join()
    return told.getvalue()


def test_what_is_marked_is_saved_and_goes_on(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    first = {"Rotate": {"never": True, "wrong": {}}}
    words = review(monkeypatch, first)
    assert "left out: Rotate" in words
    assert "automorph search digits --limit 100 --space space.json" in words
    assert read_space(place / "space.json").space.refused == ("Rotate",)
    assert "Continuing the review in space.json: 1 operations" in review(monkeypatch, None)
    assert read_space(place / "space.json").marks == {"Rotate": Mark(never=True)}
    both = {**first, "Color": {"never": False, "wrong": {"+": {"from": 1, "right_to": 0.5}}}}
    review(monkeypatch, both, "--space", "space.json")
    found = read_space(place / "space.json")
    assert found.looked_at.name == "randaugment"
    assert found.space["Color"].high == 1.45


def test_a_review_of_another_space_is_not_overwritten(
    capsys: pytest.CaptureFixture[str], place: Path
) -> None:
    write_space(ReviewedSpace(named_space("augmix")), place / "space.json")
    before = (place / "space.json").read_bytes()
    with pytest.raises(SystemExit):
        main(["review", *DATA, "--no-browser"])
    assert "another space (augmix)" in capsys.readouterr().err
    assert (place / "space.json").read_bytes() == before


def test_the_page_can_be_a_file(capsys: pytest.CaptureFixture[str], place: Path) -> None:
    main(["review", *DATA, "--steps", "1", "--out", "review.html", "--json"])
    assert json.loads(capsys.readouterr().out) == {"data": "digits", "page": "review.html"}
    page = (place / "review.html").read_text()
    assert "connect-src" not in page
    assert not re.search(r"(?:src|href)=\"https?:", page)
    assert not (place / "space.json").exists()


def test_explain_shows_what_was_marked(capsys: pytest.CaptureFixture[str], place: Path) -> None:
    marks = {"ShearX": Mark(wrong={"+": WrongFrom(0.5, 0.25)}), "ShearY": Mark()}
    space = named_space("augmix").without("Posterize", "Solarize", "TranslateX", "TranslateY")
    write_space(ReviewedSpace(space, marks), place / "space.json")
    main(["explain", *DATA, "--space", "space.json", "--json", "--out", "run"])
    rows = json.loads(capsys.readouterr().out)["operations"]
    shown = {row["name"]: row["marked"] for row in rows}
    half = f"{space['ShearX'].high / 2:.3g}"
    assert shown["ShearX"] == f"wrong from {half}"
    assert shown["ShearY"] == "all right"
    assert shown["Rotate"] == "not judged"
    assert "You marked" in (place / "run" / "report.html").read_text()
    main(["review", *DATA, "--explained", "run", "--out", "review.html", "--steps", "1"])
    assert "Predicted label risk" in (place / "review.html").read_text()


def test_nothing_ruled_out_is_tried_in_a_race() -> None:
    task = as_task("digits", model="cnn:4", limit=100)
    marks = {"HorizontalFlip": Mark(never=True), "Rotate": Mark(wrong={"+": WrongFrom(0.5, 0.1)})}
    space = ReviewedSpace(named_space("everything"), marks).space
    found = portfolio_of(space, task)
    names = [one.name for one in found.treatments]
    assert not [name for name in names if "flip" in name or "turns" in name]
    assert "turns + crop: you ruled out HorizontalFlip, Rotate beyond" in found.left_out[0]
    assert not [words for words in found.left_out if "Translate" in words]
    whole = portfolio_of(named_space("everything"), task)
    assert [name for name in (one.name for one in whole.treatments) if "flip" in name]
    assert default_post_policy("image", space=space) == "crop"
    assert default_post_policy("image", space=named_space("everything")) == "flip-crop"
