"""Reads the imports of the three packages from their source, without running any of it.

The packages are found where Python finds them, so the same tests hold for a checkout and for an installed wheel.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGES = ("striate", "striate_dsl", "striate_plugins")


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module or name: where from, where it stands, and whether it runs when the module is loaded."""

    module: str
    name: str | None
    line: int
    at_load: bool


@dataclass(frozen=True, slots=True)
class Module:
    """A source file under the name by which it is imported."""

    name: str
    path: Path
    tree: ast.Module
    imports: tuple[Import, ...]


@cache
def all_modules() -> Mapping[str, Module]:
    """Return every module of the three packages by name."""
    found: dict[str, Module] = {}
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        assert spec is not None and spec.submodule_search_locations, f"{package} is not installed: run `make setup`"
        for folder in spec.submodule_search_locations:
            found.update(modules_below(Path(folder), package))
    return found


def modules_below(folder: Path, package: str) -> dict[str, Module]:
    """Return the modules of one package folder by name."""
    return {module.name: module for module in map_modules(folder, package)}


def map_modules(folder: Path, package: str) -> Iterator[Module]:
    """Yield the modules of one package folder, sorted by path."""
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        inner = parts[:-1] if parts[-1] == "__init__" else parts
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        yield Module(".".join((package, *inner)), path, tree, tuple(imports_of(tree)))


def imports_of(tree: ast.AST, at_load: bool = True) -> Iterator[Import]:
    """Yield the imports of a tree; what only a type checker sees is left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, None, node.lineno, at_load) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # Relative imports are banned by the linter, so `module` is always the whole name.
            yield from (Import(node.module or "", alias.name, node.lineno, at_load) for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            for statement in node.orelse:
                yield from imports_of(ast.Module([statement], []), at_load)
        else:
            runs_later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from imports_of(node, at_load and not runs_later)


def target_of(imported: Import, modules: Iterable[str]) -> str:
    """Return the module that an import loads: `from a import b` loads `a.b` where that is a module."""
    inner = f"{imported.module}.{imported.name}"
    return inner if inner in modules else imported.module


def top_of(imported: Import) -> str:
    """Return the top-level package of an import."""
    return imported.module.partition(".")[0]
