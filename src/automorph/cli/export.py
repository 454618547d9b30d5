"""``automorph export``: a policy as code for another library, or a network as a file."""

from __future__ import annotations

from pathlib import Path

import click

from automorph.cli.option_values import size_of
from automorph.cli.options import console, json_option, print_json
from automorph.errors import UsageError

LIBRARIES = ("python", "torchvision", "albumentations", "kornia", "timm")


@click.command(short_help="Write a policy as code, or a network as a file.")
@click.argument("policy", metavar="POLICY|RUN")
@click.option(
    "--to", type=click.Choice(LIBRARIES),
    help="Library to export a policy to; python needs only NumPy and Pillow and produces identical "
    "pixels.",
)  # fmt: skip
@click.option("--onnx", "kind", flag_value="onnx", help="Write the network of RUN as an ONNX file.")
@click.option(
    "--torch-export", "kind", flag_value="torch-export",
    help="Write the network of RUN as a torch.export file.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(dir_okay=False), help="File to write.",
    show_default="standard output; of a network: model.onnx or model.pt2 in RUN",
)  # fmt: skip
@click.option("--size", metavar="PX|HxW", help="Size of your images; some libraries need it.")
@click.option("--strict", is_flag=True, help="Reject operations that are not exactly equivalent.")
@json_option
def export(
    policy: str,
    to: str | None,
    kind: str | None,
    out: str | None,
    size: str | None,
    strict: bool,
    as_json: bool,
) -> None:
    """Write POLICY, a name or a policy.json file, as code that runs without Automorph.

    A comment at the top of the code lists operations that are not pixel-identical.

    \b
    automorph export runs/compare-photos-1a2b3c4d/policy.json --to python --out augment.py
    automorph export 'flip-crop + randaugment(n=2,m=9)' --to torchvision
    automorph export rand-m9-inc1 --to timm

    With --onnx or --torch-export, write the trained network of RUN with its preprocessing: uint8
    images (n, height, width, channels) in, probabilities out (of every pixel, for masks).

    \b
    automorph export runs/photos --onnx --out photos.onnx
    """
    if (to is None) == (kind is None):
        raise UsageError(
            f"got {'both --to and a format of networks' if to else 'no format'}; expected --to "
            f"LIBRARY for a policy ({', '.join(LIBRARIES)}), or --onnx or --torch-export for the "
            "network of a run"
        )
    if to is not None:
        _export_policy(policy, to, out, size, strict, as_json)
        return
    if size is not None or strict:
        raise UsageError(
            f"got {'--size' if size is not None else '--strict'}, which is for policies; networks "
            "keep the size of their training: leave it out"
        )
    _export_network(policy, str(kind), out, as_json)


def _export_policy(
    policy: str, to: str, out: str | None, size: str | None, strict: bool, as_json: bool
) -> None:
    from automorph.files import atomic_write
    from automorph.interop import differences, export_policy, policy_to_export

    loaded = policy_to_export(policy)
    text = export_policy(loaded, to, size=size_of(size), strict=strict).rstrip("\n") + "\n"
    if out is not None:
        try:
            with atomic_write(Path(out)) as temporary:
                temporary.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(
                f"cannot write {out}: {error.strerror}; expected a path in a writable "
                "folder. Choose another one with --out"
            ) from None
    if as_json:
        print_json({"policy": loaded.name, "to": to, "file": out, "code": text,
                    "differences": differences(loaded, to)})  # fmt: skip
    elif out is None:
        click.echo(text, nl=False)
    else:
        console().print(f"Wrote {out}: {loaded.name} for {to}.")


def _export_network(run: str, kind: str, out: str | None, as_json: bool) -> None:
    from automorph.inference import export_model

    written = export_model(run, kind, out)  # type: ignore[arg-type]
    if as_json:
        print_json(
            {
                "run": run,
                "to": kind,
                "file": str(written.file),
                "input": ["n", *written.shape],
                "classes": list(written.classes),
                "difference": written.difference,
            }
        )
        return
    height, width, channels = written.shape
    k = len(written.classes)
    answer = {
        "values": f"values (n, {k})",
        "masks": f"probabilities of pixels (n, {k}, {height}, {width})",
    }.get(written.target, f"probabilities (n, {k})")
    say = console()
    say.print(f"Wrote {written.file}: the network of {run}.", markup=False, soft_wrap=True)
    say.print(
        f"It takes images uint8 (n, {height}, {width}, {channels}) and returns {answer}; "
        f"largest difference from Automorph on random images: {written.difference:.1g}.",
        markup=False, soft_wrap=True,
    )  # fmt: skip
