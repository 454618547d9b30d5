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
    "text": ("transformers", "nltk"),
    "ray": ("ray",),
    "kornia": ("kornia",),
    "albumentations": ("albumentations",),
    "track": ("tensorboard",),
}


@click.command(short_help="Check the installation.")
@json_option
def doctor(as_json: bool) -> None:
    """Check the installation: versions, engine, devices, data."""
    facts = examine()
    if as_json:
        print_json(facts)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None, pad_edge=False)
    for name, fact in facts.items():
        text = "\n".join(f"{k}: {v}" for k, v in fact.items()) if isinstance(fact, dict) else fact
        table.add_row(f"[bold]{name}[/bold]", str(text))
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
            extra: "installed"
            if all(_version(name) != "missing" for name in names)
            else f"missing; pip install 'automorph[{extra}]'"
            for extra, names in _EXTRAS.items()
        },
        "AUTOMORPH_DATA": os.environ.get("AUTOMORPH_DATA", "not set"),
        "data": {
            source.name: "found" if source.found else "not on disk"
            for source in list_sources()
            if source.found is not None
        },
    }


def _version(name: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"
