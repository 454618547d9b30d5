"""Extracts of a module's source code: the definitions of some names and their dependencies."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Collection, Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_IMPORTS = (ast.Import, ast.ImportFrom)


def excerpt(
    module: str, names: Iterable[str], *, without: Collection[str] = ()
) -> tuple[list[str], str]:
    r"""Return the imports and definitions that some names need, in order.

    The module is read, not imported, so its own imports need not be installed.

    >>> excerpt("automorph.interop.call_ast", ["WIDTH"])
    ([], '\nWIDTH = 96\n')
    """
    text = _text(module)
    tree = _tree(module)
    kept, used = _needed(tree, names, without)
    imports = [_import(node, used) for node in kept if isinstance(node, _IMPORTS)]
    body = [(node, _segment(text, node)) for node in kept if not isinstance(node, _IMPORTS)]
    return imports, _together(body)


def plain_excerpt(module: str, names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the same without annotations, with dependencies from Automorph's other modules.

    Imports and definitions are lists in order; several results may share entries.

    >>> plain_excerpt("automorph.operations.photometric", ["invert_table"])[1][0]
    '_LEVELS = np.arange(256)'
    """
    tree = _without_annotations(module)
    kept, used = _needed(tree, names)
    imports: list[str] = []
    body: list[str] = []
    for node in kept:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("automorph."):
            others = [alias.name for alias in node.names if (alias.asname or alias.name) in used]
            for lines, found in zip((imports, body), plain_excerpt(str(node.module), others),
                                    strict=True):  # fmt: skip
                lines += found
        elif isinstance(node, _IMPORTS):
            imports.append(_import(node, used))
        else:
            body.append(ast.unparse(node))
    return imports, body


def function_name(operation: str) -> str:
    """Return the name of the function that implements an operation in exported files.

    >>> function_name("AutoContrast"), function_name("ShearX")
    ('auto_contrast', 'shear_x')
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()


def definitions(module: str) -> set[str]:
    """Return the names that a module defines at its top level."""
    body = _tree(module).body
    return {name for node in body if not isinstance(node, _IMPORTS) for name in _defined(node)}


def _needed(
    tree: ast.Module, names: Iterable[str], without: Collection[str] = ()
) -> tuple[list[ast.stmt], set[str]]:
    """Return the statements that define some names and their dependencies, and the names used."""
    homes = {name: node for node in tree.body for name in _defined(node) if name not in without}
    needed: set[ast.stmt] = set()
    waiting = list(names)
    while waiting:
        node = homes.get(waiting.pop())
        if node is not None and node not in needed:
            needed.add(node)
            waiting += [part.id for part in ast.walk(node) if isinstance(part, ast.Name)]
    kept = [node for node in tree.body if node in needed]
    used = {part.id for node in kept for part in ast.walk(node) if isinstance(part, ast.Name)}
    return kept, used


@cache
def _without_annotations(module: str) -> ast.Module:
    tree = ast.parse(_text(module))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
    return tree


@cache
def _text(module: str) -> str:
    found = find_spec(module)
    assert found is not None, module
    assert found.origin is not None, module
    return Path(found.origin).read_text(encoding="utf-8")


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(_text(module))


def merged_imports(lines: Iterable[str]) -> str:
    """Merge import lines, without repetition: the standard library, then all others."""
    distinct = list(dict.fromkeys(line for line in lines if line and "__future__" not in line))
    own = [line for line in distinct if line.split()[1].split(".")[0] in sys.stdlib_module_names]
    others = [line for line in distinct if line not in own]
    blocks = ["\n".join(sorted(block)) + "\n" for block in (own, others) if block]
    return "\n".join(blocks)


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [part.id for target in node.targets for part in ast.walk(target)
                if isinstance(part, ast.Name)]  # fmt: skip
    if isinstance(node, _IMPORTS):
        return [alias.asname or alias.name.split(".")[0] for alias in node.names]
    return []


def _import(node: ast.Import | ast.ImportFrom, used: set[str]) -> str:
    names = [alias for alias in node.names if (alias.asname or alias.name.split(".")[0]) in used]
    if isinstance(node, ast.Import):
        return ast.unparse(ast.Import(names))
    return ast.unparse(ast.ImportFrom(node.module, names, 0))


def _segment(text: str, node: ast.stmt) -> str:
    lines = text.splitlines()
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    assert node.end_lineno is not None
    body = lines[first - 1 : node.end_lineno]
    # A docstring after a constant belongs to it.
    below = lines[node.end_lineno] if node.end_lineno < len(lines) else ""
    return "\n".join([*body, below] if below.startswith('"""') else body)


def _together(parts: list[tuple[ast.stmt, str]]) -> str:
    out, after_block = "", False
    for number, (node, text) in enumerate(parts):
        block = isinstance(node, (ast.FunctionDef, ast.ClassDef))
        out += ("\n\n" if block or after_block else "\n" * (number == 0)) + text + "\n"
        after_block = block
    return re.sub(r" +# type: ignore\[[\w, -]+\]| +# (noqa: \w+|fmt: skip)", "", out)
