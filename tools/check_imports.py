"""Check how files import each other: no circles, other packages only by their ``__init__``.

`lint-imports` checks the direction between packages; this checks what it cannot see:

- no circles between files, including imports for type checkers only;
- ``from automorph.PACKAGE.module import name`` only inside PACKAGE; all other code writes
  ``from automorph.PACKAGE import name``, so that a package can move its files freely;
- no module has the name of a function that its package exports: importing the module would replace
  the function.

Run it with ``python tools/check_imports.py``; it prints every fault and exits with 1 if there is
one.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"
SIDE_DOORS = {
    # Torch kernels and transformers: their packages stay importable without them.
    "automorph.engine.torch": "imports torch",
    "automorph.operations.device": "imports torch",
    "automorph.models.from_transformers": "imports torch, for texts only",
}


OUTERMOST = {"automorph", "automorph.cli"}  # no code imports names from the command line


def main() -> int:
    """Print every fault and return the exit status."""
    files = {module_of(path): path for path in sorted(SOURCE.rglob("*.py"))}
    trees = {name: ast.parse(path.read_text("utf-8")) for name, path in files.items()}
    graph = {name: set(imports(tree, name, files)) for name, tree in trees.items()}
    faults = [
        f"circle: {' and '.join(sorted(circle))} import each other" for circle in circles(graph)
    ]
    for name, targets in graph.items():
        for target in sorted(targets):
            if is_reach(name, target) and target not in SIDE_DOORS:
                package = ".".join(target.split(".")[:2])
                faults.append(f"{name} reaches into {target}; import from {package} instead")
    for name, tree in trees.items():
        if files[name].name == "__init__.py" and name not in OUTERMOST:
            taken = exported(tree) & {m.removeprefix(f"{name}.") for m in files if m != name}
            faults += [f"{name} exports {one!r}, the name of its own module" for one in taken]
    print("\n".join(sorted(faults)) or f"{len(files)} files: no circle, no private import")
    return bool(faults)


def module_of(path: Path) -> str:
    """The dotted name of a file."""
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


def imports(tree: ast.Module, name: str, files: dict[str, Path]) -> Iterator[str]:
    """The modules of automorph that a file imports anywhere, except itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("automorph"):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                target = inner if inner in files else node.module or ""
                if target != name:
                    yield target
        elif isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name in files and a.name != name)


def exported(tree: ast.Module) -> set[str]:
    """The names that a package imports from its own files."""
    return {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("automorph.")
        for alias in node.names
    }


def is_reach(name: str, target: str) -> bool:
    """Whether a file bypasses the ``__init__`` of another package."""
    parts = target.split(".")
    return len(parts) > 2 and name.split(".")[1:2] != parts[1:2]


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Sets of files that all reach each other (Tarjan's strongly connected components)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    result: list[set[str]] = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for target in graph.get(node, ()):
            if target not in order:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], order[target])
        if low[node] == order[node]:
            found: set[str] = set()
            while node not in found:
                found.add(stack.pop())
            if len(found) > 1:
                result.append(found)

    sys.setrecursionlimit(10_000)
    for node in graph:
        if node not in order:
            visit(node)
    return result


if __name__ == "__main__":
    sys.exit(main())
