"""Every module says what it is for, has a telling name, and holds functions that can be read in one glance."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.architecture.layers import VAGUE_NAMES
from tests.architecture.sources import all_modules

LONGEST_FUNCTION = 60
"""Lines; most should have 5 to 25."""


def test_every_module_has_a_docstring():
    silent = [str(module.path) for module in all_modules().values() if not ast.get_docstring(module.tree)]
    assert not silent, "modules that do not say what they are for:\n" + "\n".join(silent)


def test_no_module_has_a_vague_name():
    parts = {name: set(name.split(".")) | {part.strip("_") for part in name.split(".")} for name in all_modules()}
    vague = [name for name, words in parts.items() if words & VAGUE_NAMES]
    assert not vague, f"names that could hold anything: {vague}"


def test_no_function_is_longer_than_a_glance():
    found = [
        f"{module.path}:{node.lineno}: {node.name} is {length} lines long"
        for module in all_modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    ]
    assert not found, "\n".join(found)


def test_every_package_is_marked_as_typed():
    roots = [module.path.parent for name, module in all_modules().items() if "." not in name]
    assert len(roots) == 3, "each of the three packages has an __init__.py"
    assert not [str(root) for root in roots if not Path(root, "py.typed").is_file()]
