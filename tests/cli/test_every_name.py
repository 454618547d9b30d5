"""Every name of every registry: found, refused with a close match, listed and completed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete

from automorph.cli import app, main
from automorph.cli.listing import KINDS, REGISTRIES, registries
from automorph.metrics import list_metrics

OPTIONS = {
    "spaces": [("explain", "digits", "--space")],
    "policies": [("train", "digits", "--policy")],
    "models": [("compare", "digits", "--model")],
    "data": [("compare",)],
    "metrics": [("compare", "digits", "--metric")],
    "methods": [("search", "digits", "--method"), ("train", "digits", "--policy")],
    "objectives": [("patch", "digits", "--objective")],
    "translators": [("patch", "digits", "--translator")],
}
"""Where the names of each registry are typed."""
EVERY = [
    pytest.param(kind, number, name, id=f"{kind}-{name}")
    for kind in REGISTRIES
    for number, registry in enumerate(registries(kind))
    for name in registry
]


@pytest.mark.parametrize(("kind", "number", "name"), EVERY)
def test_a_name_is_found_in_any_spelling_and_a_misspelling_is_told(kind, number, name):
    registry = registries(kind)[number]
    entry = registry[name]
    assert registry.find(entry.stem) is entry
    assert registry.find(entry.stem.upper().replace("-", "_")) is entry
    assert entry.about

    wrong = entry.stem[:2] + "~" + entry.stem[2:]
    with pytest.raises(registry.error) as caught:
        registry.find(wrong)
    message = str(caught.value)
    assert f"unknown {registry.kind} {wrong!r}. Did you mean {name!r}? Expected one of" in message
    assert f"automorph list {kind}" in message
    assert all(other in message for other in registry)


@pytest.mark.parametrize(("kind", "number", "name"), EVERY)
def test_a_name_is_completed(kind, number, name):
    entry = registries(kind)[number][name]
    shell = ShellComplete(app, {}, "automorph", "_AUTOMORPH_COMPLETE")
    words = list(OPTIONS[kind][number])
    completed = [item.value for item in shell.get_completions(words, entry.completion[:-1])]
    assert entry.completion in completed


@pytest.mark.parametrize("kind", KINDS)
def test_every_name_is_listed(kind, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    main(["list", kind, "--json"])
    listed = [next(iter(row.values())) for row in json.loads(capsys.readouterr().out)[kind]]
    if kind == "metrics":  # Those of every target: before, of classes only.
        assert listed == list(list_metrics())
        assert {"mean-iou", "mae", "hamming-loss"} <= set(listed)
    elif kind in REGISTRIES:
        names = [name for registry in registries(kind) for name in registry]
        assert [name for name in listed if name != "compare"] == names
    assert len(listed) == len(set(listed))

    main(["list", kind])
    shown = capsys.readouterr().out
    assert all(name in shown for name in listed)


def test_names_are_listed_and_completed_without_torch():
    program = (
        "import sys\n"
        "from automorph.cli.listing import REGISTRIES, registries\n"
        "for kind in REGISTRIES:\n"
        "    assert all(registry.about() for registry in registries(kind))\n"
        "print([heavy for heavy in ('torch', 'scipy', 'datasets') if heavy in sys.modules])\n"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert shown.stdout.strip() == "[]", shown.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["search", "digits", "--method", "autoagument"], "Did you mean 'autoaugment'?"),
        (["search", "digits", "--space", "randaugmnt"], "Did you mean 'randaugment'?"),
        (["patch", "digits", "--objective", "camle"], "Did you mean 'camel'?"),
        (["patch", "digits", "--objective", "gdro(d=1)"], "Expected c=1.0, eta=0.01"),
        (["patch", "digits", "--translator", "cylegan"], "Did you mean 'cyclegan'?"),
        (["train", "digits", "--model", "resnet81"], "Did you mean 'resnet18'?"),
    ],
    ids=" ".join,
)
def test_a_wrong_name_costs_no_torch(words, message):
    program = (
        "import sys\n"
        "from automorph.cli import main\n"
        "try:\n"
        "    main(sys.argv[1:])\n"
        "finally:\n"
        "    print('torch' in sys.modules)\n"
    )
    shown = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True)
    assert shown.returncode == 2
    assert message in shown.stderr
    assert shown.stdout.strip() == "False"
