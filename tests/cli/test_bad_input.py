"""Bad input: each kind has a message and an exit status, and leaves no files behind."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from automorph.cli import main


def picture(path: Path, value: int = 0, size=(8, 8), mode="L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(value)
    shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], 3)
    Image.fromarray(rng.integers(0, 255, shape, dtype=np.uint8)).save(path)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a valid image folder, a valid table, and many invalid files."""
    monkeypatch.chdir(tmp_path)
    for i in range(24):
        picture(tmp_path / "good" / ("cat" if i % 2 else "dog") / f"{i}.png", i)
    for name, content in {
        "zero": b"", "text": b"this is no picture", "cut": None,
    }.items():  # fmt: skip
        for i in range(12):
            picture(tmp_path / name / ("a" if i % 2 else "b") / f"{i}.png", 100 + i)
        bad = tmp_path / name / "a" / "bad.png"
        if content is None:
            picture(bad, 1, (64, 64))
            content = bad.read_bytes()[:300]
        bad.write_bytes(content)
    for i in range(12):
        picture(tmp_path / "sizes" / ("a" if i % 2 else "b") / f"{i}.png", i, (8 + i % 3, 8))
        picture(tmp_path / "lonely" / "a" / f"{i}.png", i)
    (tmp_path / "empty").mkdir()
    (tmp_path / "bare").mkdir()
    picture(tmp_path / "bare" / "x.png")
    rows = [
        f"good/{'cat' if i % 2 else 'dog'}/{i}.png,{'cat' if i % 2 else 'dog'}" for i in range(24)
    ]
    (tmp_path / "good.csv").write_text("\n".join(["image,label", *rows]) + "\n")
    (tmp_path / "gone.csv").write_text("\n".join(["image,label", *rows, "no/such.png,cat"]) + "\n")
    (tmp_path / "nolabel.csv").write_text(
        "\n".join(["image,label", *rows[:-1], rows[-1][:13] + ","])
    )
    audited = ["image,label,site,name,age,guess"] + [
        f"{row},{'ab'[i % 3 % 2]},n{i},{20 + i / 4},{'' if i == 7 else 'cat'}"
        for i, row in enumerate(rows)
    ]
    (tmp_path / "audited.csv").write_text("\n".join(audited) + "\n")
    (tmp_path / "all.csv").write_text("prediction\n" + "cat\n" * 24)
    (tmp_path / "few.csv").write_text("prediction\ncat\ndog\n")
    np.save(tmp_path / "nan.npy", np.full((24, 2), np.nan))
    (tmp_path / "headless.csv").write_text("")
    (tmp_path / "broken.jsonl").write_text('{"image": "good/cat/1.png", "label": \n')
    texts = ["opinion,verdict"] + [
        f'"text {i}, ""{"good" if i % 2 else "bad"}""",{"ab"[i % 2]}' for i in range(48)
    ]
    (tmp_path / "texts.csv").write_text("\n".join(texts) + "\n")
    (tmp_path / "blank.csv").write_text("\n".join([*texts, '"  ",a', '"",b']) + "\n")
    np.savez(tmp_path / "float.npz", images=np.zeros((20, 8, 8)) + 0.5, labels=np.arange(20) % 2)
    np.savez(tmp_path / "short.npz", images=np.zeros((20, 8, 8), np.uint8), labels=np.arange(9) % 2)
    np.savez(tmp_path / "pickle.npz", images=np.array([{}], dtype=object), labels=np.zeros(1))
    annotated(tmp_path)
    (tmp_path / "newer.json").write_text('{"format": "automorph-policy", "version": 99}')
    (tmp_path / "nojson.json").write_text("certainly not json")
    (tmp_path / "unknown.json").write_text(json.dumps({
        "format": "automorph-policy", "version": 1, "policy": {
            "kind": "uniform", "operations": {"name": "s", "operations": [
                {"name": "Frobnicate", "kernel": "Frobnicate", "low": 0, "high": 1,
                 "identity": None}]}}}))  # fmt: skip
    return tmp_path


def annotated(place: Path) -> None:
    """Write tables and masks whose annotations are bad, each in one way."""
    rows = range(24)
    tables = {
        "labels": [f"{i % 2},{i % 3 % 2}" for i in rows],
        "fractions": [f"{i % 2},0.5" for i in rows],
        "unknown": [f"{i % 2},{-1 if i == 3 else 1}" for i in rows],
        "never": [f"{i % 2},0" for i in rows],
        "values": [f"{i},{i / 2}" for i in rows],
        "equal": [f"{i},7" for i in rows],
        "words": [f"{i},heavy" for i in rows],
        "endless": [f"{i},{'inf' if i == 3 else i}" for i in rows],
        "nan": [f"{i},{'nan' if i == 3 else i}" for i in rows],
    }
    for name, cells in tables.items():
        lines = [
            "text,a,b",
            *(f"text number {i},{cell}" for i, cell in zip(rows, cells, strict=True)),
        ]
        (place / f"{name}.csv").write_text("\n".join(lines) + "\n")
    rng = np.random.default_rng(0)
    for name in ("masks", "cropped", "gone", "colour", "gaps", "plain"):
        for i in range(12):
            picture(place / name / "images" / f"{i}.png", i)
            mask = rng.integers(0, 3, (8, 8), np.uint8)
            if name == "cropped" and i == 3:
                mask = mask[:4]
            elif name == "gaps":
                mask = mask * 60
            elif name == "plain":
                mask[:] = 1
            elif name == "colour" and i == 3:
                mask = rng.integers(0, 255, (8, 8, 3), np.uint8)
            if not (name == "gone" and i == 3):
                (place / name / "masks").mkdir(exist_ok=True)
                Image.fromarray(mask).save(place / name / "masks" / f"{i}.png")
    masks = np.zeros((12, 8, 8), np.uint8)
    masks[:, :4], masks[3, 0, 0] = 1, 7
    images = rng.integers(0, 255, (12, 8, 8), np.uint8)
    np.savez(place / "beyond.npz", images=images, labels=masks, classes=["a", "b"])
    np.savez(place / "nan-masks.npz", images=images, labels=np.full((12, 8, 8), np.nan))


C = ["--policy", "none", "--seeds", "1", "--epochs", "1"]
L = ["--label", "a,b", "--target", "labels"]
V = ["--label", "b", "--target", "values"]
M = ["--target", "masks"]
ANNOTATIONS = {
    "labels that are fractions": (["compare", "csv:fractions.csv", *L, *C], 2, "expected 0 or 1"),
    "labels marked unknown": (["compare", "csv:unknown.csv", *L, *C], 2, "leave the cell empty"),
    "label of no example": (["compare", "csv:never.csv", *L, *C], 2, "no training example has"),
    "one label as several": (
        ["compare", "csv:good.csv", "--target", "labels", *C], 2, "several"),
    "label of no name": (
        ["compare", "csv:labels.csv", *L[:2], "--label-of", "c", *C], 2, "unknown label 'c'"),
    "metric of another target": (
        ["compare", "csv:labels.csv", *L, "--metric", "mae", *C], 2, "'mean-average-precision'"),
    "patch of several labels": (["patch", "csv:labels.csv", *L], 2, "--label-of"),
    "values that are equal": (["compare", "csv:equal.csv", *V, *C], 2, "expected different ones"),
    "values that are words": (["compare", "csv:words.csv", *V, *C], 2, "heavy"),
    "values without end": (["compare", "csv:endless.csv", *V, *C], 2, "inf"),
    "values that are missing": (["compare", "csv:nan.csv", *V, *C], 2, "--skip-bad"),
    "patch of values": (["patch", "csv:values.csv", *V], 2, "bin the values"),
    "mask of another size": (["compare", "folder:cropped", *M, *C], 2, "its size is 4x8"),
    "image without a mask": (["compare", "folder:gone", *M, *C], 2, "no mask of its name"),
    "mask in colour": (["compare", "folder:colour", *M, *C], 2, "a picture in colour"),
    "masks with gaps": (["compare", "folder:gaps", *M, *C], 2, "renumber"),
    "masks of one class": (["compare", "folder:plain", *M, *C], 2, "at least two classes"),
    "no masks at all": (["compare", "folder:good", *M, *C], 2, "no image has a mask"),
    "masks beyond the classes": (
        ["compare", "numpy:beyond.npz", *M, *C], 2, "the value 7 is beyond the 2 classes"),
    "masks of NaN": (["compare", "numpy:nan-masks.npz", *M, *C], 2, "NaN: expected whole numbers"),
    "mixed masks": (
        ["compare", "folder:masks", *M, "--policy", "mixup", "--epochs", "1"], 2, "mixup"),
    "explained masks": (["explain", "folder:masks", *M], 2, "use preview"),
    "patched masks": (["patch", "folder:masks", *M], 2, "more images of the weak subgroup"),
}  # fmt: skip
"""Labels, values and masks of a wrong kind, size or number."""
A = ["--predictions", "all.csv"]
S = ["--subgroup", "site"]
T = ["csv:texts.csv", "--text", "opinion", "--label", "verdict"]
D = ["compare", "digits", "--limit", "100", "--model", "cnn:4", *C]
METRICS = {
    "unknown metric": ([*D, "--metric", "acuracy"], 2, "Did you mean 'accuracy'"),
    "unknown further metric": ([*D, "--also", "aurocs"], 2, "Did you mean 'auroc'"),
    "metric of no class": ([*D, "--metric", "recall"], 2, "recall:CLASS"),
    "metric of an unknown class": ([*D, "--metric", "recall:eleven"], 2, "class 'eleven' of the"),
    "class of accuracy": ([*D, "--metric", "accuracy:3"], 2, "expected at most no options"),
    "precision in percent": ([*D, "--metric", "recall:3@precision=90"], 2, "expected above 0 to 1"),
    "precision of zero": ([*D, "--metric", "recall:3@precision=0"], 2, "expected above 0 to 1"),
    "precision in words": ([*D, "--metric", "recall:3@precision=high"], 2, "got precision=high"),
    "sensitivity at a recall": ([*D, "--metric", "sensitivity:3@recall=0.9"], 2, "unknown metric"),
    "no bins": ([*D, "--also", "calibration-error(bins=0)"], 2, "expected 1 to 1000"),
    "kappa of names": (
        ["compare", "folder:good", "--metric", "quadratic-kappa", *C],
        2,
        "expected numbers, got 'cat'",
    ),
    "metric of another's training": (
        ["compare", "--command", "true", "--metric", "auroc", *C],
        2,
        "--metric",
    ),
    "metric that predictions cannot give": (
        ["audit", "csv:audited.csv", "--subgroup", "site", "--predictions", "all.csv",
         "--metric", "auroc"],
        2,
        "expected a metric of decisions, such as balanced-accuracy",
    ),
    "threshold that no training fixed": (
        ["audit", "csv:audited.csv", "--subgroup", "site", "--predictions", "all.csv",
         "--metric", "recall:cat@precision=0.5"],
        2,
        "needs a threshold that the training fixed on its validation part",
    ),
    "patch by a threshold": (
        ["patch", "digits-correlation", "--epochs", "1",
         "--metric", "sensitivity:odd@specificity=0.8"],
        2,
        "expected one without a threshold",
    ),
    "patch by calibration": (
        ["patch", "digits-correlation", "--epochs", "1", "--metric", "calibration-error"],
        2,
        "small subgroups do not bias",
    ),
    "dfr by a metric": (
        ["patch", "digits-correlation", "--epochs", "1", "--metric", "auroc",
         "--objective", "dfr"],
        2,
        "got the objective dfr with the metric 'auroc'",
    ),
}  # fmt: skip
"""Metrics that do not exist, and those that cannot be computed or cannot choose."""
CASES = {
    **METRICS,
    **ANNOTATIONS,
    "unknown verb": (["frobnicate"], 2, "No such command"),
    "unknown option": (["compare", "digits", "--frob"], 2, "No such option"),
    "no data": (["compare"], 2, "Missing argument"),
    "no policy": (["compare", "digits"], 2, "Expected one or more policies, such as --policy none"),
    "unknown source": (["compare", "digitz", *C], 2, "digits"),
    "unknown scheme": (["compare", "zip:thing", *C], 2, "folder:"),
    "missing folder": (["compare", "folder:nowhere", *C], 2, "nowhere"),
    "empty folder": (["compare", "folder:empty", *C], 2, "empty"),
    "folder without classes": (["compare", "folder:bare", *C], 2, "class"),
    "one class only": (["compare", "folder:lonely", *C], 2, "class"),
    "zero-byte image": (["compare", "folder:zero", *C], 2, "--skip-bad"),
    "text named png": (["compare", "folder:text", *C], 2, "bad.png"),
    "truncated image": (["compare", "folder:cut", *C], 2, "bad.png"),
    "different sizes": (["compare", "folder:sizes", "--model", "cnn", *C], 2, "--size"),
    "missing csv": (["compare", "csv:no.csv", *C], 2, "no.csv"),
    "empty csv": (["compare", "csv:headless.csv", *C], 2, "headless.csv"),
    "unknown column": (["compare", "csv:good.csv", "--label", "lable", *C], 2, "label"),
    "missing image file": (["compare", "csv:gone.csv", *C], 2, "such.png"),
    "missing label": (["compare", "csv:nolabel.csv", *C], 2, "label"),
    "broken jsonl": (["compare", "jsonl:broken.jsonl", *C], 2, "broken.jsonl"),
    "float images": (["compare", "numpy:float.npz", *C], 2, "uint8"),
    "labels too short": (["compare", "numpy:short.npz", *C], 2, "labels"),
    "pickled npz": (["compare", "numpy:pickle.npz", *C], 2, "pickle"),
    "bad size": (["compare", "folder:good", "--size", "big", *C], 2, "--size"),
    "raised size": (["compare", "folder:good", "--size", "²", *C], 2, "--size"),
    "limit of zero": (["compare", "digits", "--limit", "0", *C], 2, "--limit"),
    "limit below classes": (["compare", "digits", "--limit", "3", *C], 2, "class"),
    "folds of two": (["compare", "digits", "--policy", "none", "--folds", "2"], 2, "at least 3"),
    "folds and seeds": (["compare", "digits", "--limit", "50", "--folds", "3", *C], 2, "--repeats"),
    "repeats alone": (
        ["compare", "folder:good", "--policy", "none", "--repeats", "2"],
        2,
        "--folds 5",
    ),
    "more folds than examples": (
        ["compare", "folder:good", "--policy", "none", "--folds", "99"],
        2,
        "classes too small for 99 folds",
    ),
    "folds and test part": (
        ["compare", "digits-correlation", "--policy", "none", "--folds", "3"],
        2,
        "Leave out --folds",
    ),
    "folds and a command": (
        ["compare", "--command", "train {out}", "--policy", "none", "--folds", "3"],
        2,
        "--folds with --command",
    ),
    "search by folds of two": (["search", "digits", "--folds", "2"], 2, "at least 3"),
    "search by folds and seeds": (
        ["search", "digits", "--limit", "50", "--folds", "3", "--seeds", "2"],
        2,
        "--repeats",
    ),
    "search by folds and all controls": (
        ["search", "digits", "--limit", "50", "--folds", "3", "--controls", "all"],
        2,
        "leave out --controls all",
    ),
    "search by repeats alone": (["search", "digits", "--repeats", "2"], 2, "--folds 5"),
    "search by folds with a command": (
        ["search", "--command", "train {out}", "--folds", "3"],
        2,
        "the command has its own data",
    ),
    "search by folds with a test part": (
        ["search", "digits-correlation", "--folds", "3"],
        2,
        "Leave out --folds",
    ),
    "seeds of zero": (["compare", "digits", "--policy", "none", "--seeds", "0"], 2, "--seeds"),
    "unknown model": (["compare", "digits", "--model", "resnet99", *C], 2, "resnet9"),
    "unknown timm model": (["compare", "digits", "--model", "timm:nope", *C], 2, "timm"),
    "negative rate": (["compare", "digits", "--lr", "-1", *C], 2, "--lr"),
    "unknown balance": (["compare", "digits", "--balance", "weights", *C], 2, "sampler"),
    "balance without a value": (["train", "digits", "--balance"], 2, "requires an argument"),
    "balanced patch": (
        [
            "patch",
            "csv:audited.csv",
            *S,
            "--balance",
            "loss",
            "--translator",
            "none",
            "--epochs",
            "1",
            "--seeds",
            "1",
            "--label",
            "label",
        ],
        2,
        "expected 'none'",
    ),
    "balance with a command": (
        ["compare", "--command", "python t.py {out}", "--policy", "none", "--balance", "loss"],
        2,
        "--balance",
    ),
    "baseline not compared": (["compare", "digits", "--baseline", "crop", *C], 2, "crop"),
    "policy twice": (["compare", "digits", "--policy", "none", *C], 2, "twice"),
    "unknown policy": (["preview", "digits", "--policy", "randaugmnet"], 2, "randaugment"),
    "bad policy argument": (["preview", "digits", "--policy", "randaugment(n=2,k=9)"], 2, "k"),
    "policy out of range": (["preview", "digits", "--policy", "randaugment(m=99)"], 2, "0 to 30"),
    "unreadable policy": (["preview", "digits", "--policy", "randaugment("], 2, "brackets"),
    "bad timm string": (["preview", "digits", "--policy", "rand-x9"], 2, "m9"),
    "unknown space": (["preview", "digits", "--policy", "trivialaugment(space=wde)"], 2, "space"),
    "missing policy file": (["preview", "digits", "--policy", "no.json"], 2, "no.json"),
    "policy file no json": (["preview", "digits", "--policy", "nojson.json"], 2, "not a JSON"),
    "policy file newer": (["preview", "digits", "--policy", "newer.json"], 2, "upgrade"),
    "policy file unknown op": (["preview", "digits", "--policy", "unknown.json"], 2, "Frobnicate"),
    "nothing to audit by": (["audit", "csv:audited.csv", *A[:2]], 2, "--subgroup"),
    "no subgroup column": (["audit", "csv:audited.csv", "--subgroup", "siet", *A], 2, "site"),
    "subgroups are names": (
        ["audit", "csv:audited.csv", "--subgroup", "name", *A],
        2,
        "an identifier",
    ),
    "subgroups are numbers": (
        ["audit", "csv:audited.csv", "--subgroup", "age", *A],
        2,
        "bin the values",
    ),
    "subgroups of digits": (["audit", "digits", "--subgroup", "site"], 2, "no columns"),
    "missing prediction": (["audit", "csv:audited.csv", *S, "--predictions", "guess"], 2, "NaN"),
    "no prediction column": (["audit", "csv:audited.csv", *S, "--predictions", "x"], 2, "guess"),
    "too few predictions": (
        ["audit", "csv:audited.csv", *S, "--predictions", "few.csv"],
        2,
        "one for each",
    ),
    "NaN predictions": (["audit", "csv:audited.csv", *S, "--predictions", "nan.npy"], 2, "NaN"),
    "unknown predictions": (
        ["audit", "csv:audited.csv", *S, "--predictions", "site"],
        2,
        "not classes",
    ),
    "no such checkpoint": (["audit", "csv:audited.csv", *S, "--checkpoint", "no"], 2, "run folder"),
    "two things to audit": (
        ["audit", "csv:audited.csv", *S, "--checkpoint", "no", *A],
        2,
        "expected only one of them",
    ),
    "no such part": (["audit", "csv:audited.csv", *S, *A, "--part", "test"], 2, "expected one of"),
    "too few to discover": (["audit", "csv:audited.csv", "--discover", *A], 2, "at least 100"),
    "unknown search": (["search", "digits", "--method", "raec"], 2, "'race'"),
    "bad search option": (["search", "digits", "--method", "heats(share=x)"], 2, "share"),
    "unknown search space": (["search", "digits", "--space", "nope"], 2, "unknown search space"),
    "space of another domain": (["search", "digits", "--space", "disc-axes"], 2, "vectors"),
    "bad budget": (["search", "digits", "--budget", "soon"], 2, "30m"),
    "budget and trials": (["search", "digits", "--budget", "1m", "--trials", "3"], 2, "one of"),
    "unknown engine": (["search", "digits", "--engine", "slurm"], 2, "--engine"),
    "address without ray": (["search", "digits", "--address", "x:1"], 2, "only ray"),
    "nothing to resume": (["search", "digits", "--resume", "--out", "gone"], 2, "--resume"),
    "bad tail": (["search", "digits", "--tail", "nope"], 2, "nope"),
    "patch without subgroups": (["patch", "digits"], 2, "--subgroup"),
    "patch by no translator": (
        ["patch", "digits-correlation", "--translator", "cyclegann"],
        2,
        "module:function",
    ),
    "patch by a missing edit": (
        ["patch", "digits-correlation", "--translator", "no_such:edit"],
        2,
        "no_such",
    ),
    "patch by no objective": (["patch", "digits-correlation", "--objective", "camle"], 2, "camel"),
    "patch from no checkpoint": (
        ["patch", "digits-correlation", "--checkpoint", "no.safetensors"],
        1,
        "no.safetensors",
    ),
    "missing text column": (["train", "csv:texts.csv", "--text", "opinoin"], 2, "opinion"),
    "empty texts": (["train", "csv:blank.csv", *T[1:]], 2, "--skip-bad"),
    "policy of images on texts": (["train", *T, "--policy", "flip-crop"], 2, "eda"),
    "compared on texts": (["compare", *T, *C[2:], "--policy", "cutmix"], 2, "for texts"),
    "shown on texts": (["preview", *T, "--policy", "randaugment"], 2, "for images"),
    "policy of texts on images": (["train", "digits", "--policy", "eda"], 2, "flip-crop"),
    "mixup shown on texts": (["preview", *T, "--policy", "mixup"], 2, "embeddings"),
    "online on texts": (["compare", *T, *C[2:], "--policy", "uncertainty"], 2, "texts-plain"),
    "model of images on texts": (["compare", *T, *C, "--model", "cnn"], 2, "text-cnn"),
    "space of images on texts": (["explain", *T, "--space", "randaugment"], 2, "on images"),
    "search of images on texts": (["search", *T, "--space", "randaugment"], 2, "texts"),
    "tail of images on texts": (["search", *T, "--tail", "flip"], 2, "for images"),
    "bad pattern": (["train", *T, "--protect", "("], 2, "--protect"),
    "pixels of texts": (["explain", *T, "--model", "pixels"], 2, "no pixels"),
    "diverging training": (
        ["train", "digits", "--policy", "none", "--lr", "1e12", "--epochs", "3", "--limit", "200"],
        1,
        "learning rate",
    ),
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_bad_input(case, place, capsys):
    words, status, fragment = CASES[case]
    before = {path for path in place.rglob("*") if path.is_file()}
    with pytest.raises(SystemExit) as stop:
        main(words)
    told = capsys.readouterr()

    assert stop.value.code == status
    assert fragment in told.err
    assert "Traceback" not in told.err
    assert told.out == ""
    if status == 2:
        assert {path for path in place.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "words", [["folder:good"], ["csv:good.csv"], ["folder:zero", "--skip-bad"]], ids=" ".join
)
def test_the_good_neighbours_work(words, place, capsys):
    main(["compare", *words, *C, "--model", "cnn:8", "--jobs", "1", "--json"])
    told = json.loads(capsys.readouterr().out)

    assert told["data"] == words[0]
    assert [row["policy"] for row in told["rows"]] == ["none"]
    assert 0 <= told["rows"][0]["accuracy"]["mean"] <= 1
    assert Path(told["report"]).is_file()


def test_one_is_not_many(place, capsys):
    main(["compare", "folder:good", *C, "--model", "cnn:4", "--jobs", "1"])
    assert "1 epoch, 1 policy x 1 seed" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    "words",
    [
        ["compare", *C, "--model", "cnn:4", "--jobs", "1"],
        ["train", "--policy", "none", "--epochs", "1", "--model", "cnn:4"],
        ["preview", "--policy", "crop"],
        ["audit", "--discover", "--epochs", "1", "--model", "cnn:4"],
    ],
    ids=lambda words: words[0],
)
def test_what_was_left_out_is_told(words, place, capsys):
    for number in range(600):
        picture(place / "zero" / "ab"[number % 2] / f"more{number}.png", 300 + number)
    main([words[0], "folder:zero", "--skip-bad", *words[1:]])
    told = " ".join(capsys.readouterr().err.split())
    assert told.count("1 example cannot be used and was left out (skip_bad): a/bad.png: zero") == 1


def test_errors_are_json_when_asked(place, capsys):
    with pytest.raises(SystemExit):
        main(["compare", "digitz", *C, "--json"])
    content = json.loads(capsys.readouterr().out)

    assert content["error"]["kind"] == "UsageError"
    assert "digits" in content["error"]["message"]


@pytest.mark.parametrize("words", [["compare", "digitz", *C], ["compare", "digits", "--frob"]])
def test_errors_are_told_once_where_both_go_to_one_stream(words):
    command = [sys.executable, "-c", "from automorph.cli import main; main()", *words, "--json"]
    one = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    two = subprocess.run(command, capture_output=True, text=True)

    assert one.stdout == two.stdout
    assert json.loads(one.stdout)["error"]["message"]
    assert "Error: " in two.stderr
