"""Results of training scripts: written atomically, read with clear errors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from automorph.errors import AutomorphError, UsageError
from automorph.experiments import read_result, write_result
from automorph.experiments.result_file import DivergedError, ResultError


def test_what_is_written_is_read(tmp_path: Path) -> None:
    (tmp_path / "last.pt").write_bytes(b"weights")
    write_result(
        tmp_path, validation=np.float32(0.5), test=0.25, metric="dice", higher_is_better=True,
        validation_losses=np.array([0.5, 1.5], np.float32), passes=10, checkpoint="last.pt",
    )  # fmt: skip
    result = read_result(tmp_path)
    assert (result.validation, result.test_value, result.metric) == (0.5, 0.25, "dice")
    assert (result.losses, result.passes) == ((0.5, 1.5), 10)
    assert result.checkpoint == tmp_path / "last.pt"
    assert [path.name for path in tmp_path.glob("*.json")] == ["result.json"]


def test_a_result_needs_no_more_than_a_validation_value(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text('{"validation": 1}')
    result = read_result(tmp_path)
    assert (result.metric, result.higher_is_better, result.test_value) == ("score", True, None)
    assert result.losses is result.passes is result.checkpoint is None


def test_entries_without_a_meaning_are_listed_with_suggestions(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text('{"validation": 1, "validation_loses": [1], "note": 2}')
    first, second = read_result(tmp_path).ignored
    assert first == "'validation_loses'. Did you mean 'validation_losses'?"
    assert second.startswith("'note'.")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "wrote no result.json"),
        ("", "cannot be read"),
        ('{"metric": "accuracy", "valid', "cannot be read"),
        ("\udcff", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ("[1]", "has the type list; expected an object"),
        ('{"metric": "a"}', "no validation value"),
        ('{"validaton": 1}', "no validation value"),
        ('{"validation": null}', "no validation value"),
        ('{"validation": NaN}', "validation is nan"),
        ('{"validation": 1e999}', "validation is inf"),
        ('{"validation": "0.9"}', "expected a number"),
        ('{"validation": true}', "expected a number"),
        ('{"validation": [0.9]}', "expected a number"),
        ('{"validation": 1, "test": NaN}', "test is nan"),
        ('{"validation": 1, "metric": 3}', "expected a text"),
        ('{"validation": 1, "metric": " "}', "expected a short name"),
        ('{"validation": 1, "higher_is_better": "no"}', "expected true or false"),
        ('{"validation": 1, "passes": -1}', "at least 0"),
        ('{"validation": 1, "validation_losses": 3}', "expected a list"),
        ('{"validation": 1, "validation_losses": []}', "an empty list"),
        ('{"validation": 1, "validation_losses": [1, "2"]}', "not numbers"),
        ('{"validation": 1, "validation_losses": [1, null]}', "not numbers"),
        ('{"validation": 1, "validation_losses": [1, NaN]}', "1 of 2 validation losses"),
        ('{"validation": 1, "checkpoint": "missing.pt"}', "existing file inside {out}"),
        ('{"validation": 1, "checkpoint": "../../etc/passwd"}', "existing file inside {out}"),
        ('{"validation": 1, "checkpoint": 3}', "existing file inside {out}"),
    ],
)
def test_unusable_results_say_what_is_wrong(tmp_path: Path, text: str | None, words: str) -> None:
    if text is not None:
        (tmp_path / "result.json").write_text(text, "utf-8", "surrogateescape")
    with pytest.raises(AutomorphError) as caught:
        read_result(tmp_path)
    assert words in str(caught.value)
    assert "expected" in str(caught.value)


@pytest.mark.parametrize("value", ["0.9", [1.0, 2.0]])
def test_a_value_that_is_not_a_number_is_refused_where_it_is_written(
    tmp_path: Path, value: object
) -> None:
    if value == "0.9":  # A text that is a number is one; other texts are not.
        value = "high"
    with pytest.raises(UsageError, match="expected one number"):
        write_result(tmp_path, validation=value)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_a_missing_checkpoint_is_refused_where_it_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="existing file inside"):
        write_result(tmp_path, validation=1, checkpoint="last.pt")


def test_nan_is_written_for_the_comparison_to_report(tmp_path: Path) -> None:
    path = write_result(tmp_path, validation=float("nan"))
    assert np.isnan(json.loads(path.read_text())["validation"])


def test_writing_a_result_imports_neither_torch_nor_numpy(tmp_path: Path) -> None:
    code = (
        f"import sys, automorph; automorph.write_result({str(tmp_path)!r}, validation=1)\n"
        "print([name for name in ('torch', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_passes_that_are_not_finite_are_wrong_but_do_not_mean_that_the_training_diverged(
    tmp_path: Path,
) -> None:
    (tmp_path / "result.json").write_text('{"validation": 1, "passes": NaN}')
    with pytest.raises(ResultError, match=r"nan passes; expected a finite number") as caught:
        read_result(tmp_path)
    assert not isinstance(caught.value, DivergedError)
