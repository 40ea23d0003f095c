"""Where used files lie: in a project's folder or in a plugin's package, and never outside of it.

A path is relative to the root of its shelf. What it means in a `use` statement is decided in `paths.py`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol

from striate.host.records import FileRecord
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.limits import FILE_SIZE
from striate_dsl.names import nearest
from striate_dsl.reading import decode_source, read_source
from striate_dsl.source import Source

if TYPE_CHECKING:
    from striate.host.catalogue import HostCatalogue
    from striate.host.installed import Plugin

MARKERS = ("striate.toml", "pyproject.toml", ".git")
"""What the root folder of a project holds."""


class Shelf(Protocol):
    """A tree of files that may use each other."""

    def identity(self, path: PurePosixPath) -> str:
        """Return what tells the file at a path from all others, on whatever shelf."""

    def read(self, path: PurePosixPath) -> Source:
        """Return the text of the file at a path.

        Raises:
            DiagnosticError: it cannot be read, or lies outside of the shelf; the finding has no place yet.
        """

    def nearest(self, path: PurePosixPath) -> str | None:
        """Return the name of the file in the same folder that is most like one that does not exist, if one is."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A project's folder, `root` without symbolic links; names are shown absolute, or relative to the work folder."""

    root: Path
    absolute: bool = False

    def identity(self, path: PurePosixPath) -> str:
        return str(_real(self.root / path))

    def shown(self, path: PurePosixPath) -> str:
        """Return the name under which messages quote a file."""
        place = self.root / path
        return str(place) if self.absolute else os.path.relpath(place)

    def read(self, path: PurePosixPath) -> Source:
        place, name = _real(self.root / path), self.shown(path)
        if not place.is_relative_to(self.root):
            raise DiagnosticError(_leads_out(name))
        if not os.path.exists(place):  # noqa: PTH110  # Path.exists raises for names that are too long
            raise DiagnosticError(self._missing(path))
        try:
            return Source(name, read_source(place).text)
        except DiagnosticError as error:
            raise DiagnosticError(*(_named(item, str(place), name) for item in error.diagnostics)) from None

    def nearest(self, path: PurePosixPath) -> str | None:
        """Return the name of the file in the same folder that is most like one that does not exist, if one is."""
        return nearest(path.name, self._beside(path))

    def _beside(self, path: PurePosixPath) -> list[str]:
        folder = _real((self.root / path).parent)
        present = _networks(folder) if folder.is_relative_to(self.root) else []
        return [name for name in present if name != path.name]  # a link that leads nowhere

    def _missing(self, path: PurePosixPath) -> Diagnostic:
        present, near = self._beside(path), self.nearest(path)
        return Diagnostic(
            "E0131",
            f"there is no file {self.shown(path)}",
            notes=(f"in its folder there are {', '.join(present[:8])}",) if present else (),
            help=f"did you mean {near}?" if near else None,
        )


@dataclass(frozen=True, slots=True)
class Package:
    """The files that a plugin's package holds, wherever it is installed, in a zip archive for example."""

    package: str

    def identity(self, path: PurePosixPath) -> str:
        return f"<{self.package}>/{path}"

    def nearest(self, path: PurePosixPath) -> str | None:
        """Return None: a plugin announces its files itself."""
        return None

    def read(self, path: PurePosixPath) -> Source:
        from importlib.resources import files  # noqa: PLC0415  # costs start-up time

        name = f"{self.package.replace('.', '/')}/{path}"
        try:
            data = files(self.package).joinpath(str(path)).read_bytes()
            return Source(name, decode_source(name, data).text.replace("\r\n", "\n"))
        except (OSError, ImportError, TypeError) as error:
            message = f"the plugin's file {name} cannot be read: {error}"
            raise DiagnosticError(Diagnostic("E0703", message, help="install the plugin again")) from None


@dataclass(frozen=True, slots=True)
class Built:
    """The one file of a plugin whose text a function makes; it has no files beside it.

    Attributes:
        record: the file's record.
        owner: the plugin that provides it.
        plugin: what is known of that.
        seconds: how long the text may take to be made.
    """

    record: FileRecord
    owner: str
    plugin: Plugin | None
    seconds: float

    @property
    def path(self) -> PurePosixPath:
        """The path of the file on this shelf, e.g. `acme/nets.cnn` for `acme.nets`."""
        return PurePosixPath(self.record.name.replace(".", "/") + ".cnn")

    def identity(self, path: PurePosixPath) -> str:
        return f"<{self.owner}>/{path}"

    def nearest(self, path: PurePosixPath) -> str | None:
        """Return None: there is one file only."""
        return None

    def read(self, path: PurePosixPath) -> Source:
        from striate.host.limits import within  # noqa: PLC0415  # only where a plugin makes a text
        from striate.host.provided import Provided, shown  # noqa: PLC0415  # the same

        if path != self.path:
            message = f"{self.record.name} is made by a function, so there is no file {path} beside it"
            raise DiagnosticError(Diagnostic("E0703", message, help="tell the plugin's author: use it by its own name"))
        found = Provided(self.record, "file", self.record.name, self.owner, self.plugin)
        build = self.record.build
        assert build is not None, "only such files are on this shelf"
        with found.blamed():
            text = within(self.seconds, lambda: build(**self.record.settings))
        found.demand(isinstance(text, str), f"was made as {shown(text)} where the text of a .cnn file is due")
        size = len(text.encode("utf-8", errors="replace"))
        found.demand(size <= FILE_SIZE.value, f"was made with {size:,} bytes; {FILE_SIZE.value:,} are read")
        return Source(f"{self.owner}/{path}", text.replace("\r\n", "\n"))


def place_of(record: FileRecord, asked: str, catalogue: HostCatalogue) -> tuple[Shelf, PurePosixPath]:
    """Return where a plugin's file lies: in its package, or on a shelf of its own where a function makes it.

    Args:
        record: the file.
        asked: the name that it was found by, which may say whose it is.
        catalogue: where it was found.
    """
    if record.build is None:
        return Package(record.package), PurePosixPath(record.resource)
    owner = catalogue.owner(FileRecord, asked) or ""
    shelf = Built(record, owner, catalogue.plugins.plugin(owner), catalogue.plugins.seconds)
    return shelf, shelf.path


def project_of(name: str) -> tuple[Folder, PurePosixPath]:
    """Return the project that a main file belongs to, and the file's path in it.

    The root is the nearest folder above the file that holds one of `MARKERS`, else the file's own folder.
    """
    path = Path(name)
    folder = _real(path.parent)
    marked = (above for above in (folder, *folder.parents) if _is_root(above))
    root = next(marked, folder)
    return Folder(root, path.is_absolute()), PurePosixPath((folder / path.name).relative_to(root).as_posix())


def _is_root(folder: Path) -> bool:
    return any(os.path.exists(folder / marker) for marker in MARKERS)  # noqa: PTH110  # no error where one may not look


def _real(path: Path) -> Path:
    """Return a path without symbolic links; of links in a circle what there is of them."""
    return Path(os.path.realpath(path))


def _networks(folder: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(".cnn"))  # noqa: PTH208  # names only
    except OSError:
        return []


def _leads_out(name: str) -> Diagnostic:
    return Diagnostic(
        "E0326",
        f"{name} is a link to a place outside of the project",
        notes=("a file may only use files of its own project, so that checking it reads nothing else",),
        help="copy what it links to into the project",
    )


def _named(item: Diagnostic, place: str, name: str) -> Diagnostic:
    """Return a finding of the reader with the file's name as messages quote it."""
    advice = item.help.replace(place, name) if item.help else None
    return replace(item, message=item.message.replace(place, name), help=advice)
