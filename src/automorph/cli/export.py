"""``automorph export``: write a policy as code for another library."""

from __future__ import annotations

from pathlib import Path

import click

from automorph.cli.option_values import size_of
from automorph.cli.options import console, json_option, print_json

LIBRARIES = ("python", "torchvision", "albumentations", "kornia", "timm")


@click.command(short_help="Write a policy as code for another library.")
@click.argument("policy")
@click.option(
    "--to", type=click.Choice(LIBRARIES), required=True,
    help="Library to export to; python needs only NumPy and Pillow and produces identical pixels.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(dir_okay=False), help="File to write.", show_default="standard output"
)
@click.option("--size", metavar="PX|HxW", help="Size of your images; some libraries need it.")
@click.option("--strict", is_flag=True, help="Reject operations that are not exactly equivalent.")
@json_option
def export(
    policy: str, to: str, out: str | None, size: str | None, strict: bool, as_json: bool
) -> None:
    """Write POLICY, a name or a policy.json file, as code that runs without Automorph.

    A comment at the top of the code lists operations that are not pixel-identical.

    \b
    automorph export runs/compare-photos-1a2b3c4d/policy.json --to python --out augment.py
    automorph export 'flip-crop + randaugment(n=2,m=9)' --to torchvision
    automorph export rand-m9-inc1 --to timm
    """
    from automorph.errors import UsageError
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
