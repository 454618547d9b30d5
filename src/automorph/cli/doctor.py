"""``automorph doctor``: is everything there, and is it fast?"""

from __future__ import annotations

import platform
from typing import Any

import click

from automorph.cli.options import json_option, print_json

_LIBRARIES = (
    "numpy", "torch", "torchvision", "timm", "accelerate", "datasets", "pillow", "scipy",
    "scikit-learn", "opencv-python-headless", "safetensors",
)  # fmt: skip
_EXTRAS = {
    "text": ("networks for texts", ("transformers",)),
    "ray": ("searches on a cluster, Ray Data", ("ray",)),
    "lightning": ("the Lightning callback", ("lightning",)),
    "kornia": ("policies as kornia modules", ("kornia",)),
    "albumentations": ("policies as albumentations pipelines", ("albumentations",)),
    "saliency": ("saliency in audits", ("captum",)),
    "track": ("logging to TensorBoard", ("tensorboard",)),
}


@click.command(short_help="Check the installation.")
@json_option
def doctor(as_json: bool) -> None:
    """Check the installation: what is there, what is missing, and how to get it."""
    facts = examine()
    if as_json:
        print_json(facts)
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(show_header=False, box=None, pad_edge=False)
    for name, fact in facts.items():
        text = "\n".join(f"{k}: {v}" for k, v in fact.items()) if isinstance(fact, dict) else fact
        if isinstance(fact, list):
            text = "\n".join(fact) or "nothing"
        table.add_row(f"[bold]{name}[/bold]", escape(str(text)))
    Console(highlight=False).print(table)


def examine() -> dict[str, Any]:
    """What is installed and how it will run, as plain data."""
    import os

    import torch

    from automorph import __version__, native
    from automorph.data import list_sources
    from automorph.engine import engine_name

    cuda = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {
        "automorph": __version__,
        "python": f"{platform.python_version()} on {platform.platform()}",
        "engine": engine_name() + (f" ({native.why_not()})" if native.why_not() else ""),
        "devices": ", ".join([f"CPU ({os.cpu_count()} cores)", *cuda]),
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "extras": {
            extra: f"missing; {_install(extra)}" if _missing(names) else "installed"
            for extra, (_, names) in _EXTRAS.items()
        },
        "AUTOMORPH_DATA": os.environ.get("AUTOMORPH_DATA", "not set"),
        "data": {
            source.name: "found" if source.found else "not on disk"
            for source in list_sources()
            if source.found is not None
        },
        "missing": advice(native.why_not()),
    }


def advice(why_not_native: str | None) -> list[str]:
    """What is not there, one line each, with the way to get it."""
    from automorph.texts.wordnet import find_wordnet

    lines = []
    if why_not_native:
        lines.append(
            f"the compiled engine ({why_not_native}): everything works, slower; install a C++ "
            "compiler, then pip install --force-reinstall --no-binary automorph automorph"
        )
    lines += [f"{name}: pip install {name}" for name in _LIBRARIES if _version(name) == "missing"]
    lines += [
        f"{about} (extra {extra}): {_install(extra)}"
        for extra, (about, names) in _EXTRAS.items()
        if _missing(names)
    ]
    if _version("albumentationsx") != "missing":
        lines.append(
            "albumentations under the MIT licence: albumentationsx is installed in its place, "
            "under another one; pip uninstall albumentationsx, then " + _install("albumentations")
        )
    if find_wordnet() is None:
        lines.append(
            "WordNet, for synonyms in texts: apt install wordnet-base, or python -m "
            "nltk.downloader wordnet (unpacked), or set AUTOMORPH_WORDNET"
        )
    return lines


def _install(extra: str) -> str:
    return f"pip install 'automorph[{extra}]'"


def _missing(names: tuple[str, ...]) -> bool:
    return any(_version(name) == "missing" for name in names)


def _version(name: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"
