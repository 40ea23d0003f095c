"""Imports go in the directions of the table in layers.py, and heavy packages stay in their rooms."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import sys
from collections.abc import Iterator

import pytest

from tests.architecture.layers import HOMES, PLUGIN_FACADE, ROOMS, is_below, room_of
from tests.architecture.sources import PACKAGES, Import, Module, all_modules, target_of, top_of


def place(module: Module, imported: Import) -> str:
    """Say which import of which file is meant."""
    name = f"{imported.module}.{imported.name}" if imported.name else imported.module
    return f"{module.path}:{imported.line}: {module.name} imports {name}"


def modules_of(room: str) -> list[Module]:
    return [module for module in all_modules().values() if room_of(module.name) == room]


def wrong_directions(room: str) -> Iterator[str]:
    allowed = ROOMS[room] | {room}
    for module in modules_of(room):
        for imported in module.imports:
            if top_of(imported) in PACKAGES:
                target = room_of(target_of(imported, all_modules()))
                if target not in allowed:
                    yield f"{place(module, imported)}: {room} may not import {target}"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_below_it(room):
    found = list(wrong_directions(room))
    assert not found, "\n".join(found)


def test_a_wrong_direction_is_found(monkeypatch):
    monkeypatch.setitem(ROOMS, "elaborate", ROOMS["elaborate"] - {"ops"})
    assert any("elaborate may not import ops" in line for line in wrong_directions("elaborate"))


def test_the_table_leaves_no_way_round_in_a_circle():
    pairs = {(room, other) for room, others in ROOMS.items() for other in others}
    both = {frozenset(pair) for pair in pairs if pair[::-1] in pairs}
    assert both == {frozenset({"dims", "graph"})}, "only dims and graph may name each other"
    assert all(set(others) <= ROOMS.keys() for others in ROOMS.values())


def test_every_folder_has_a_row():
    folders = {name.split(".")[1] for name, module in all_modules().items() if is_in_folder(name, module)}
    assert folders <= ROOMS.keys(), f"rooms without a row in layers.py: {sorted(folders - ROOMS.keys())}"


def is_in_folder(name: str, module: Module) -> bool:
    """Whether a module of `striate` lies in (or is) one of its folders."""
    depth = name.count(".") + (module.path.name == "__init__.py")
    return name.startswith("striate.") and depth >= 2


@pytest.mark.parametrize("package", HOMES)
def test_a_package_is_imported_only_in_its_home(package):
    found = [
        f"{place(module, imported)}: {package} belongs in {', '.join(HOMES[package])}"
        for module in all_modules().values()
        for imported in module.imports
        if top_of(imported) == package and not is_below(module.name, HOMES[package])
    ]
    assert not found, "\n".join(found)


def test_plugins_import_public_names_only():
    found = [
        place(module, imported)
        for module in modules_of("plugins")
        for imported in module.imports
        if top_of(imported) == "striate" and not is_public(imported)
    ]
    assert not found, "not a public name of striate or striate.plugin:\n" + "\n".join(found)


def is_public(imported: Import) -> bool:
    """Whether an import takes a name that one of the facades lists, or a facade itself."""
    if imported.name is None or f"{imported.module}.{imported.name}" in PLUGIN_FACADE:
        return f"{imported.module}.{imported.name}" in PLUGIN_FACADE or imported.module in PLUGIN_FACADE
    return imported.module in PLUGIN_FACADE and imported.name in importlib.import_module(imported.module).__all__


@pytest.mark.parametrize(
    ("imported", "public"),
    [
        (Import("striate", None, 1, True), True),
        (Import("striate", "plugin", 1, True), True),
        (Import("striate.plugin", "OpRecord", 1, True), True),
        (Import("striate.plugin", "annotations", 1, True), False),
        (Import("striate.ops.record", "OpRecord", 1, True), False),
        (Import("striate.ops", None, 1, True), False),
    ],
)
def test_public_names_are_told_from_private_ones(imported, public):
    assert is_public(imported) is public


def test_third_party_imports_are_declared():
    """A package that only the development tools bring along would be missing at a user's."""
    required = importlib.metadata.requires("striate") or []
    declared = {
        re.split(r"[^\w.-]", line)[0].lower().replace("_", "-")
        for line in required
        if not re.search(r"""extra == ['"]dev['"]""", line)
    }
    known_as = importlib.metadata.packages_distributions()
    found = [
        place(module, imported)
        for module in all_modules().values()
        for imported in module.imports
        if (top := top_of(imported)) not in sys.stdlib_module_names
        and top not in PACKAGES
        and declared.isdisjoint(name.lower().replace("_", "-") for name in known_as.get(top, [top]))
    ]
    assert not found, "imports of packages that pyproject.toml does not name:\n" + "\n".join(found)
