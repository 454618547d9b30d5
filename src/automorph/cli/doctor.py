"""``automorph doctor``: check what is installed and whether it is fast."""

from __future__ import annotations

import platform
from typing import Any

import click

from automorph.cli.import_probe import not_found, not_imported
from automorph.cli.options import console, json_option, print_json

_LIBRARIES = (
    "numpy", "torch", "torchvision", "timm", "accelerate", "datasets", "pillow", "scipy",
    "scikit-learn", "safetensors",
)  # fmt: skip
_EXTRAS = {
    "text": ("text networks", ("transformers",)),
    "ray": ("searches on a cluster and Ray Data", ("ray",)),
    "lightning": ("the Lightning callback", ("lightning",)),
    "kornia": ("policies as kornia modules", ("kornia",)),
    "albumentations": ("policies as albumentations pipelines", ("albumentations",)),
    "export": ("networks as ONNX files", ("onnx", "onnxscript", "onnxruntime")),
    "languages": ("words of Chinese, Japanese and Thai", ("budoux",)),
    "llm": ("rewrites by a language model", ("openai",)),
    "dicom": ("DICOM images", ("pydicom",)),
    "saliency": ("saliency in audits", ("captum",)),
    "opencv": ("translators of backgrounds and coloured marks", ("cv2",)),
    "track": ("logging to TensorBoard", ("tensorboard",)),
}


@click.command(short_help="Check the installation.")
@click.option("--deep", is_flag=True, help="Also import every library (up to a minute).")
@json_option
def doctor(deep: bool, as_json: bool) -> None:
    """Check the installation: what is installed, what is missing, how to install it."""
    facts = examine(deep=deep)
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
    if not deep:
        console().print("\nTo check that all imports work: automorph doctor --deep", style="dim")


def examine(*, deep: bool = False) -> dict[str, Any]:
    """Describe the installation as plain data; ``deep`` imports all libraries."""
    import os

    from automorph import native
    from automorph._version import __version__
    from automorph.data import list_sources
    from automorph.engine import engine_name

    broken = _broken(deep=deep)
    return {
        "automorph": __version__,
        "python": f"{platform.python_version()} on {platform.platform()}",
        "engine": engine_name() + (f" ({native.why_not()})" if native.why_not() else ""),
        "devices": ", ".join([f"CPU ({os.cpu_count()} cores)", *_accelerators()]),
        "libraries": {name: _state(_version(name), (name,), broken) for name in _LIBRARIES},
        "extras": {
            extra: f"missing; {_install(extra)}"
            if _missing(names)
            else _state("installed", names, broken)
            for extra, (_, names) in _EXTRAS.items()
        },
        "AUTOMORPH_DATA": os.environ.get("AUTOMORPH_DATA", "not set"),
        "data": {
            source.name: "found" if source.found else "not on disk"
            for source in list_sources()
            if source.found is not None
        },
        "missing": [*advice(native.why_not()), *_repairs(broken)],
    }


def _broken(*, deep: bool) -> dict[str, str]:
    """Return the installed libraries that cannot be imported, each with the reason."""
    wanted = [*_LIBRARIES, *(name for _, names in _EXTRAS.values() for name in names)]
    there = [name for name in wanted if _version(name) != "missing"]
    if deep:
        return not_imported(there)
    reasons = {name: not_found(name) for name in there}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def _state(there: str, names: tuple[str, ...], broken: dict[str, str]) -> str:
    """Return the state of a library, with the reason if it is installed but broken."""
    reasons = [broken[name] for name in names if name in broken]
    return f"{there}, but cannot be imported: {'; '.join(reasons)}" if reasons else there


def _repairs(broken: dict[str, str]) -> list[str]:
    return [
        f"{name} (cannot be imported: {reason}): pip install --force-reinstall {name}"
        for name, reason in broken.items()
    ]


def _accelerators() -> list[str]:
    """Return the names of the GPUs; empty if torch cannot be imported."""
    try:
        import torch
    except Exception:  # A broken installation may raise anything, and doctor must still report.
        return []
    return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]


def advice(why_not_native: str | None) -> list[str]:
    """Return the missing parts, one line each, with the command that installs them."""
    from automorph.text import find_wordnet

    lines = []
    if why_not_native:
        lines.append(
            f"the compiled engine ({why_not_native}): everything works, but slower; install a C++ "
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
            "albumentations (MIT licence): albumentationsx is installed instead, under another "
            "licence; pip uninstall albumentationsx, then " + _install("albumentations")
        )
    if find_wordnet() is None:
        lines.append(
            "WordNet, for synonyms in texts: apt install wordnet-base, or python -m "
            "nltk.downloader wordnet and unpack it, or set AUTOMORPH_WORDNET to its folder"
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
