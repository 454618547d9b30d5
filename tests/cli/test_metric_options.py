"""`--metric` and `--also` of every verb: what is chosen by them, and where they are shown."""

import json

import pytest

from automorph.cli import main

SMALL = ["digits", "--limit", "200", "--model", "cnn:4", "--epochs", "1", "--json"]
METRICS = ["--metric", "log-loss", "--also", "recall:3"]


def run(capsys, *arguments):
    main([str(one) for one in arguments])
    return json.loads(capsys.readouterr().out)


def test_train_and_audit_show_metrics_threshold_and_intervals(capsys, tmp_path):
    name = "sensitivity:3@specificity=0.8"
    found = run(
        capsys, "train", *SMALL, "--epochs", "6", "--metric", name, "--also", "brier",
        "--out", tmp_path,
    )  # fmt: skip
    page = (tmp_path / "report.html").read_text()
    assert "What is its sensitivity of 3 at specificity 0.8?" in page
    assert "95 % interval" in page
    assert f"{found['thresholds'][name]:.4g}" in page
    assert "Brier score, lower is better" in page
    audited = run(
        capsys, "audit", "digits", "--limit", "200", "--json", "--checkpoint", tmp_path,
        "--metric", "brier", "--out", tmp_path / "audit",
    )  # fmt: skip
    assert [one["name"] for one in audited["metrics"]] == [name, "specificity:3", "brier"]
    page = (tmp_path / "audit" / "report.html").read_text()
    assert "What is its sensitivity of 3 at specificity 0.8?" in page
    assert "Brier score, lower is better" in page
    assert "on the validation part of the training" in page


@pytest.mark.slow
def test_train_with_folds_shows_the_metric(capsys, tmp_path):
    run(capsys, "train", *SMALL, *METRICS, "--folds", "3", "--repeats", "1", "--out", tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert page.count("What is its log-loss?") == 1
    assert "log-loss, lower is better" in page
    assert "recall of 3" in page


@pytest.mark.slow
def test_compare_with_folds_uses_the_metric(capsys, tmp_path):
    found = run(
        capsys, "compare", *SMALL, *METRICS, "--policy", "none", "--policy", "flip-crop",
        "--folds", "3", "--repeats", "1", "--out", tmp_path,
    )  # fmt: skip
    assert found["metric"] == {
        "name": "log-loss", "higher_is_better": False, "share": False, "part": "out-of-fold"
    }  # fmt: skip
    assert set(found["leaders"]) == {"log-loss", "recall of 3"}
    page = (tmp_path / "report.html").read_text()
    assert "Out-of-fold log-loss" in page
    assert "recall of 3" in page


@pytest.mark.parametrize("method", ["random", "randaugment"])
@pytest.mark.slow
def test_search_chooses_and_reports_by_the_metric(capsys, tmp_path, method):
    found = run(
        capsys, "search", *SMALL, *METRICS, "--method", method, "--trials", "2", "--seeds", "2",
        "--out", tmp_path,
    )  # fmt: skip
    assert found["metric"]["name"] == "log-loss"
    page = (tmp_path / "report.html").read_text()
    assert "log-loss" in page
    assert "recall of 3" in page
