"""The documentation builds strictly, is complete, and has examples that run."""

from __future__ import annotations

import pkgutil
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import automorph
from automorph.operations import CATALOGUE, TEXT_OPERATIONS, list_spaces
from automorph.policies import NAMED
from automorph.policies.builtin_text import NAMED_TEXTS

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(
    path for path in DOCS.rglob("*.md") if not {"_generated", "_build"} & set(path.parts)
)
# What a browser would load from other machines: scripts, styles, pictures, fonts (not links).
OUTSIDE = re.compile(
    r"""(?:<(?:script|link|img|iframe|source)[^>]*(?:src|href)=["']|url\(["']?|@import ["'])"""
    r"""((?:https?:)?//[^"')]+)"""
)


@pytest.fixture(scope="module")
def reference():
    sys.path.insert(0, str(DOCS / "_ext"))
    try:
        import generated_reference

        yield generated_reference
    finally:
        sys.path.remove(str(DOCS / "_ext"))


def sections(page: str) -> dict[str, str]:
    """The text below each heading of the second level."""
    parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_operation_has_a_section(reference):
    found = sections(reference.operations_page())
    for operation in (*CATALOGUE, *TEXT_OPERATIONS.values()):
        text = found[operation.name]
        assert operation.about in text
        if operation.domain == "image":
            assert f"pictures/{operation.name.lower()}.png" in text
        else:
            assert "| before | The film" in text
            assert any(mark in text for mark in ("<ins>", "<del>", "WordNet, which"))
        declared = ("Range", "Unit", "Identity", "Stronger")
        facts = ("Magnitude",) if operation.magnitude_free else declared
        for fact in (*facts, "Label risk", "Spaces"):
            assert f"- **{fact}**: " in text, (operation.name, fact)
    assert all(f"`{name}`" in found["Search spaces"] for name in list_spaces())


def test_the_table_of_fidelity_is_the_declaration(reference):
    from automorph.interop import FIDELITY

    page = reference.peers_page()
    lines = {line.split("]")[0][3:]: line for line in page.splitlines() if line.startswith("| [")}
    assert set(lines) == {operation.name for operation in CATALOGUE}
    marks = {"equal": "**equal**", "close": "close", "alike": "alike", "none": "–"}
    for name, line in lines.items():
        cells = [cell.strip() for cell in line.split("|")[2:-1]]
        for library, cell in zip(FIDELITY, cells, strict=True):
            entry = FIDELITY[library][name]
            assert cell.startswith(marks[entry.level]), (name, library)
            assert not entry.note or f"**{name}**: {entry.words}" in page


def test_the_tables_of_what_is_read_are_the_readers(reference):
    from automorph.interop import albumentations_reader, kornia_reader, torchvision_reader
    from automorph.interop.nearest import NEAR

    page = reference.peers_page()
    for reader in (albumentations_reader, kornia_reader, torchvision_reader):
        for kind in {*reader.READERS, *reader.SKIPPED, *NEAR[reader.NAME]} - {"Drawn", "Identity"}:
            assert f"`{kind}`" in page
    assert "| `RandomRotation` | `expand=False`, `center=None` |" in page


def test_every_unit_is_explained(reference):
    assert {operation.unit for operation in CATALOGUE} - {""} <= set(reference.UNITS)


def test_every_policy_has_a_section(reference):
    found = sections(reference.policies_page())
    assert list(found) == list(NAMED)
    for name, text in found.items():
        assert ("| before |" if name in NAMED_TEXTS else f"pictures/policy-{name}.png") in text
        assert "<details>" in text


def test_every_other_name_has_a_row(reference):
    from automorph.cli.listing import registries

    found = sections(reference.names_page())
    for kind in ("models", "data", "metrics", "methods", "objectives", "translators"):
        for registry in registries(kind):
            text = found[f"{registry.kind.capitalize()}s"]
            for name, entry in registry.items():
                row = next(line for line in text.splitlines() if line.startswith(f"| `{name}` |"))
                assert reference.cell(entry.about) in row
    assert "| `jtt` | `epochs=0`, `weight=20` |" in found["Objectives"]


def test_every_verb_and_option_is_in_the_command_line_reference(reference):
    from automorph.cli import app

    found = sections(reference.cli_page(app))
    assert list(found) == list(app.commands)
    for name, command in app.commands.items():
        for parameter in command.params:
            if parameter.param_type_name == "option" and not parameter.hidden:
                assert any(f"{word} " in found[name] or f"{word}`" in found[name]
                           for word in parameter.opts)  # fmt: skip
        assert not re.search(r"\[(default|x>|required)", found[name])


def test_every_module_and_public_name_is_in_the_api_reference(reference):
    found = sections(reference.api_page())
    names = [one.name for one in pkgutil.iter_modules(automorph.__path__) if one.name[0] != "_"]
    assert sorted(found) == sorted(f"automorph.{name}" for name in names)
    for name in set(names) - {"cli"}:
        text = found[f"automorph.{name}"]
        assert f".. automodule:: automorph.{name}" in text
        public = getattr(import_module(f"automorph.{name}"), "__all__", ())
        assert set(public) <= set(re.findall(r"\w+", text)), name


def test_a_module_that_the_api_reference_leaves_out_is_an_error(reference, monkeypatch):
    monkeypatch.setattr(reference, "PACKAGES", reference.PACKAGES[1:])
    with pytest.raises(ValueError, match="missing from the import contract"):
        reference.api_page()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_formulas_can_be_converted(page, reference):
    from mathml import mathml

    prose = re.sub(r"^```.*?^```$|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    for block, inline in re.findall(r"\$\$(.+?)\$\$|(?<![\\$])\$([^$\n]+)\$", prose, re.DOTALL):
        assert mathml(block or inline, block=bool(block)).startswith("<math ")


def test_a_formula_that_cannot_be_converted_is_an_error(reference):
    from mathml import mathml

    with pytest.raises(ValueError, match=r"the formula \\unknown\{x\}"):
        mathml(r"\unknown{x}")


@pytest.mark.parametrize("operation", CATALOGUE, ids=lambda operation: operation.name)
def test_strips_show_the_operation(reference, operation):
    import strips

    strip = strips.operation_strip(operation)
    values = strips.shown_values(operation)
    assert strip.shape == (len(values) or 2, strips.SIDE, strips.SIDE, 3)
    originals = {image.tobytes() for image in (*strips.photos(), *strips.digits())}
    for value, image in zip(values, strip, strict=False):
        same = image.tobytes() in originals
        assert same == (value == operation.identity), (operation.name, value)
    if not values and operation.name != "Identity":
        assert (strip[0] != strip[1]).any()


def examples(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


# A warning of Lightning itself, with this version of torch.
@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if examples(page)],
    ids=lambda page: str(page.relative_to(DOCS)),
)
def test_examples_run(page, tmp_path, monkeypatch):
    """Run the Python examples of a page in order."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "example"}
    for number, code in enumerate(examples(page), 1):
        exec(compile(code, f"{page.name}, example {number}", "exec"), names)


def test_pages_have_one_sentence_a_line():
    """Semantic newlines: no sentence ends inside a line of prose (lists and tables aside)."""
    for page in PAGES:
        text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
        for line in text.splitlines():
            assert len(line) <= 400, (page.name, line)
            prose = re.match(r"[A-Z]", line)
            assert not (prose and re.search(r"[a-z)`]\. [A-Z]", line)), (page.name, line)


def test_links_between_pages_exist():
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#:]+\.md)", page.read_text()):
            if "_generated" not in link:
                assert (page.parent / link).exists(), (page.name, link)


def test_numbers_are_not_invented():
    """Accuracies appear in generated tables and reports, never in prose."""
    for page in PAGES:
        prose = re.sub(r"<!-- table .*?<!-- end -->", "", page.read_text(), flags=re.DOTALL)
        assert not re.search(r"\d\d\.\d ?%", prose), page.name


@pytest.mark.slow
def test_the_documentation_builds_strictly(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", str(DOCS), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    page = (tmp_path / "reference" / "_generated" / "operations.html").read_text()
    for operation in CATALOGUE:
        assert f'id="{operation.name.lower()}"' in page
        assert (tmp_path / "_images" / f"{operation.name.lower()}.png").stat().st_size > 1000
    assert (tmp_path / "policy.schema.json").exists()
    assert (tmp_path / "space.schema.json").exists()
    assert (tmp_path / "config.schema.json").exists()
    for file in tmp_path.rglob("*"):
        if file.suffix in {".html", ".css"}:
            outside = OUTSIDE.findall(file.read_text(encoding="utf-8"))
            assert not outside, (file.name, outside)


def test_strips_are_written_as_pictures(reference, tmp_path):
    import strips
    from PIL import Image

    sheet = np.full((2, 3, 4, 5, 3), 9, np.uint8)
    strips.write_sheet(sheet, tmp_path / "new" / "sheet.png")
    with Image.open(tmp_path / "new" / "sheet.png") as image:
        assert image.size == (3 * 5 + 2 * strips.GAP, 2 * 4 + strips.GAP)
        assert image.getpixel((0, 0)) == (9, 9, 9, 255)
        assert image.getpixel((5, 0))[3] == 0
