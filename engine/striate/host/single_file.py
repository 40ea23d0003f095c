"""Running a project's trusted file: from the bytes that were trusted, and without the files beside it.

A plugin of one file can import what is installed, but no other file of the project: those may change without anybody
being asked. Whatever it imports later, when its functions run, is held to that as well.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from striate.host.project_files import ProjectFile
from striate.host.records import Factory, FileRecord

_OURS = frozenset({"striate", "striate_dsl", "striate_plugins"})
"""Packages that a plugin may always import, even where striate itself is what the project is."""

_INSTALLED = frozenset({"site-packages", "dist-packages"})
"""Folders of installed packages, which may lie inside a project, in a virtual environment."""

_running: dict[str, ProjectFile] = {}
"""The files that run, by the names of their modules."""


def run_file(file: ProjectFile) -> ModuleType:
    """Run a trusted file and return its module; raises whatever it raises."""
    module = ModuleType(file.module)
    module.__file__ = str(file.path)
    module.__spec__ = ModuleSpec(file.module, None, origin=str(file.path))
    _running[file.module] = file
    if not any(isinstance(finder, _Neighbours) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Neighbours())
    sys.modules[file.module] = module
    exec(compile(file.content, str(file.path), "exec", dont_inherit=True), vars(module))  # it is trusted
    return module


def running_file(module: str) -> ProjectFile | None:
    """Return the file of a project that runs as a module, None where it is another module."""
    return _running.get(module)


def relocated(record: Any, file: ProjectFile) -> Any:
    """Return a record whose factories that name the file's own module (`my_layers:make`) name the one that runs."""
    if not is_dataclass(record) or isinstance(record, type):
        return record
    changes = {}
    for item in fields(record):
        value = getattr(record, item.name)
        if isinstance(value, Factory) and value.target.startswith(f"{file.path.stem}:"):
            changes[item.name] = Factory(f"{file.module}:{value.target.partition(':')[2]}")
    return replace(record, **changes) if changes else record


def lying_files(records: Mapping[str, FileRecord]) -> str | None:
    """Return what is wrong with the files that a plugin of one file brings: they cannot lie in a package of its own."""
    lying = [name for name, record in records.items() if record.build is None]
    if not lying:
        return None
    return f"{lying[0]}: a plugin of one file brings no .cnn files: use those of the project by their paths"


class _Neighbours(MetaPathFinder):
    """Refuses imports of a project's other files by its plugins; everything else goes its ordinary way."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        file = _importing(sys._getframe(1))  # the only way to know who imports
        if file is None or fullname.partition(".")[0] in _OURS:
            return None
        spec = PathFinder.find_spec(fullname, path)
        places = [spec.origin, *(spec.submodule_search_locations or ())] if spec is not None else []
        for place in places:
            if place and _is_neighbour(Path(os.path.realpath(place)), file):
                raise ImportError(
                    f"{fullname} is {place}, another file of the project, and only {file.written} is trusted: "
                    "a plugin of one file imports what is installed; make a package of several files "
                    "(striate plugins new)"
                )
        return None


def _importing(frame: FrameType | None) -> ProjectFile | None:
    """Return the file whose code imports, None where it is somebody else's."""
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if frame.f_code.co_filename.startswith("<frozen importlib") or name.partition(".")[0] == "importlib":
            frame = frame.f_back
            continue
        return _running.get(name)
    return None


def _is_neighbour(place: Path, file: ProjectFile) -> bool:
    return place.is_relative_to(file.root) and not _INSTALLED & set(place.relative_to(file.root).parts)
