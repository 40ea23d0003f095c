"""The texts that the server knows: those open in the editor, which win, and files on the disk, read when they changed.

Every version of a text is one `Source`, so that what was worked out for it can be kept for as long as it stays.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from striate.project.shelves import Built, Folder, Package, Shelf
from striate_dsl.parser import Allowance, ParseResult, parse
from striate_dsl.source import Source

MOST_KEPT = 300
"""Parsed texts that are kept; a file uses at most 200."""

MOST_FOLDERS = 2_000
"""Folders of a workspace that are looked into."""

Stamp = tuple[int, int, int]


@dataclass(eq=False, slots=True)
class Buffer:
    """A text that is open in the editor: its address there, its path or a stand-in for one, its version and text.

    Only one that `is_file` stands for what lies at its path, for those who use that.
    """

    uri: str
    path: Path
    version: int | None
    source: Source
    is_file: bool = True


@dataclass(eq=False, slots=True)
class Texts:
    """Open and read texts; the reader that `use` statements are followed with."""

    buffers: dict[str, Buffer] = field(default_factory=dict)
    _open: dict[str, Buffer] = field(default_factory=dict)
    _read: dict[str, tuple[Stamp | None, Source]] = field(default_factory=dict)
    _parsed: OrderedDict[Source, ParseResult] = field(default_factory=OrderedDict)
    _packages: dict[str, Package] = field(default_factory=dict)
    _built: set[str] = field(default_factory=set)

    def put(self, buffer: Buffer) -> None:
        """Take a text as the editor has it, new or changed."""
        self.buffers[buffer.uri] = buffer
        if buffer.is_file:
            self._open[str(buffer.path.resolve())] = buffer

    def drop(self, uri: str) -> None:
        """Forget a text that the editor has closed: its file counts again."""
        buffer = self.buffers.pop(uri, None)
        if buffer is not None and buffer.is_file:
            self._open.pop(str(buffer.path.resolve()), None)

    def read(self, shelf: Shelf, path: PurePosixPath) -> Source:
        """Return the text at a path; raises like `Shelf.read`."""
        identity = shelf.identity(path)
        buffer = self._open.get(identity)
        if buffer is not None and isinstance(shelf, Folder) and Path(identity).is_relative_to(shelf.root):
            return buffer.source
        stamp = _stamp(identity) if isinstance(shelf, Folder) else None
        known = self._read.get(identity)
        if known is not None and known[0] == stamp and (stamp is not None or isinstance(shelf, Package | Built)):
            return known[1]
        source = shelf.read(path)
        self._read[identity] = (stamp, source)
        if isinstance(shelf, Package):
            self._packages[source.name] = shelf
        if isinstance(shelf, Built):
            self._built.add(source.name)
        return source

    def parse(self, source: Source, allowance: Allowance | None = None) -> ParseResult:
        """Parse a text, or return what parsing it gave before."""
        known = self._parsed.get(source)
        if known is None:
            known = self._parsed[source] = parse(source, allowance)
            while len(self._parsed) > MOST_KEPT:
                self._parsed.popitem(last=False)
        return known

    def file_of(self, path: Path) -> Source | None:
        """Return the text of a file of the workspace, or None where there is none that can be read."""
        resolved = path.resolve()
        buffer = self._open.get(str(resolved))
        if buffer is not None:
            return buffer.source
        try:
            return self.read(Folder(resolved.parent, absolute=True), PurePosixPath(resolved.name))
        except Exception:  # an unreadable file of a folder is no concern of a search through it
            return None

    def uri_of(self, source: Source) -> str | None:
        """Return the address of a text in the editor, or None where it has none."""
        for buffer in self.buffers.values():
            if buffer.source is source or buffer.source.name == source.name:
                return buffer.uri
        path = self.path_of(source)
        if path is None:
            return None
        opened = self._open.get(str(path.resolve()))
        return path.as_uri() if opened is None else opened.uri

    def path_of(self, source: Source) -> Path | None:
        """Return where a text lies on the disk."""
        if source.name in self._packages:
            return _package_path(self._packages[source.name], source.name)
        path = Path(source.name)
        return path if path.is_absolute() else None

    def is_foreign(self, source: Source) -> bool:
        """Whether a text belongs to a plugin, so that it is not ours to change."""
        return source.name in self._packages or source.name in self._built

    def networks_below(self, root: Path, most: int) -> Iterator[Path]:
        """Yield the `.cnn` files in a folder and below it, at most so many; hidden folders are left out."""
        for count, path in enumerate(_walk(root)):
            if count >= most:
                return
            yield path


def _stamp(path: str) -> Stamp | None:
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _package_path(package: Package, name: str) -> Path | None:
    from importlib.resources import files  # noqa: PLC0415  # costs start-up time

    resource = name.removeprefix(package.package.replace(".", "/") + "/")
    found = files(package.package).joinpath(resource)
    return found if isinstance(found, Path) else None


def _walk(root: Path) -> Iterator[Path]:
    """Yield the networks of a folder and the folders in it, the nearest first: it may be a whole disk."""
    waiting = deque([root])
    for _ in range(MOST_FOLDERS):
        if not waiting:
            return
        folder = waiting.popleft()
        try:
            entries = sorted(folder.iterdir())
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir() and not entry.is_symlink():
                if not entry.name.startswith(".") and entry.name not in ("node_modules", "__pycache__"):
                    waiting.append(entry)
            elif entry.suffix == ".cnn":
                yield entry
