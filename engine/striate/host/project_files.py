"""Plugins that are one Python file of a project: `plugins = ["./my_layers.py"]` in `striate.toml`.

Such a file is only read here, never run. What is read is what is hashed, shown to be trusted, and later compiled: the
bytes are taken once, and no `.pyc` beside them is ever looked at. What the file provides may be said in it, in the
form of PEP 723 ("inline script metadata", the table `tool.striate`), so that names are known without running it:

    # /// script
    # [tool.striate.provides]
    # layers = ["swirl"]
    # ///
"""

from __future__ import annotations

import hashlib
import keyword
import os
import re
import stat
import tokenize
import tomllib
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from io import BytesIO
from pathlib import Path, PurePosixPath, PureWindowsPath

from striate.host.installed import GROUP, Plugin
from striate.host.manifest import Manifest, is_name, manifest_of
from striate.host.policy import SettingsError, current_policy, project_file, user_file, user_folder

TRUSTED = "trusted.toml"
"""The list of what the user trusts, in the folder of the user's settings."""

LARGEST = 1024 * 1024
"""Bytes of such a file; a larger one is not read."""

_BLOCK = re.compile(r"^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$", re.MULTILINE)
"""A block of metadata in comments, as PEP 723 defines it."""

_SHORT = 12
"""Hexadecimal digits of a digest that stand for a version."""


class ProjectFileError(ValueError):
    """A file that cannot be a plugin; the message goes on behind its path: "leads out of the project"."""


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A Python file that a project lists among its plugins, as it was when it was read.

    Attributes:
        path: where it really lies, links followed.
        written: its path as the project writes it.
        root: the project's folder.
        content: what it holds.
    """

    path: Path
    written: str
    root: Path
    content: bytes

    @property
    def digest(self) -> str:
        """The hash of its content, e.g. `sha256:5891b5b5…`."""
        return f"sha256:{hashlib.sha256(self.content).hexdigest()}"

    @property
    def version(self) -> str:
        """What stands for a version of it: the beginning of its hash."""
        return self.digest[: len("sha256:") + _SHORT]

    @property
    def module(self) -> str:
        """The name of its module: of its own, so that it takes no other module's place, and new with every change."""
        place = hashlib.sha256(os.fsencode(self.path) + self.content).hexdigest()
        return f"striate_project_{self.path.stem}_{place[:_SHORT]}"

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return self.content.count(b"\n") + (not self.content.endswith(b"\n"))


def project_plugin(written: str, root: Path) -> Plugin:
    """Return the plugin that a file of a project is; with an ailment where it cannot be one."""
    try:
        file = read_project_file(written, root)
    except ProjectFileError as error:
        return Plugin(EntryPoint(written, written, GROUP), ailment=f"{written} {error}", written=written)
    entry = EntryPoint(file.path.stem, file.module, GROUP)
    try:
        manifest = _manifest(file.content.decode("utf-8"))
    except ValueError as error:
        ailment = f"{written}: {error}"
        return Plugin(entry, version=file.version, ailment=ailment, file=file, written=written)
    return Plugin(entry, version=file.version, manifest=manifest, file=file, written=written)


def read_project_file(written: str, root: Path) -> ProjectFile:
    """Read a file that a project lists.

    Args:
        written: its path as the project writes it.
        root: the project's folder, without symbolic links.

    Raises:
        ProjectFileError: it cannot be a plugin.
    """
    _check_path(written)
    path = Path(os.path.realpath(root / written))
    if not path.is_relative_to(root):
        raise ProjectFileError("leads out of the project: a project's plugins are files of its own")
    if not is_name(path.stem) or keyword.iskeyword(path.stem):
        raise ProjectFileError(f"cannot be a plugin: {path.stem!a} is no name (a to z, digits and _, no digit first)")
    content = _content(path)
    _check_text(content)
    return ProjectFile(path, written, root, content)


def _check_path(written: str) -> None:
    if PurePosixPath(written).is_absolute() or PureWindowsPath(written).drive or "\\" in written:
        raise ProjectFileError("is not relative to striate.toml, written with /")
    if not written.isprintable() or PurePosixPath(written).suffix != ".py":
        raise ProjectFileError("is no Python file: a plugin's name ends in .py")


def _content(path: Path) -> bytes:
    """Return the bytes of a regular file: a pipe or a device would never end."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise ProjectFileError("is no regular file")
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise ProjectFileError(f"cannot be read: {error.strerror or error}") from None
    if len(content) > LARGEST:
        raise ProjectFileError(f"is larger than {LARGEST:,} bytes")
    return content


def _check_text(content: bytes) -> None:
    """Refuse what does not look like what it is: another encoding, or characters that change how lines are shown."""
    try:
        encoding, _ = tokenize.detect_encoding(BytesIO(content).readline)
        text = content.decode("utf-8")
    except (SyntaxError, UnicodeDecodeError):
        raise ProjectFileError("is no UTF-8 text") from None
    if encoding not in ("utf-8", "utf-8-sig"):
        raise ProjectFileError(f"is written in {encoding}: write it in UTF-8, so that everybody reads the same")
    for number, line in _lines(text):
        hidden = next((character for character in line if _is_hidden(character)), None)
        if hidden is not None:
            raise ProjectFileError(
                f"has the invisible character U+{ord(hidden):04X} in line {number}, "
                "which can make code look like other code: remove it"
            )


def _lines(text: str) -> Iterator[tuple[int, str]]:
    return enumerate(text.removeprefix("\ufeff").split("\n"), 1)


def _is_hidden(character: str) -> bool:
    """Whether a character cannot be seen: controls but tab, form feed and line ends; Unicode's format characters."""
    return unicodedata.category(character) in ("Cc", "Cf") and character not in "\t\f\r"


def _manifest(text: str) -> Manifest | None:
    """Return what a file says of itself in its comments; None where it says nothing.

    Raises:
        ValueError: it says it wrongly.
    """
    blocks = [match for match in _BLOCK.finditer(text.replace("\r\n", "\n")) if match["type"] == "script"]
    if len(blocks) > 1:
        raise ValueError("two blocks # /// script")
    if not blocks:
        return None
    lines = blocks[0]["content"].splitlines(keepends=True)
    try:
        said = tomllib.loads("".join(line[2:] if line.startswith("# ") else line[1:] for line in lines))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"its block # /// script: {error}") from None
    tool = said.get("tool")
    own = tool.get("striate") if isinstance(tool, dict) else None
    if own is None:
        return None
    if not isinstance(own, dict):
        raise ValueError("tool.striate is a table")
    return manifest_of(own)


Stamp = tuple[tuple[str, int, int], ...]
"""Files with the times of their last change and their sizes."""


def stamp_of(folder: Path | None) -> Stamp:
    """Return what tells whether settings, what is trusted, or the project's files that are plugins have changed."""
    paths = [user_file(), user_folder() / TRUSTED]
    settings = project_file(folder or Path.cwd())
    if settings is not None:
        paths.append(settings)
        with suppress(SettingsError):
            paths += [settings.parent / written for written in current_policy(folder).files]
    return tuple(found for path in paths if (found := _stat(path)) is not None)


def _stat(path: Path) -> tuple[str, int, int] | None:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return str(path), found.st_mtime_ns, found.st_size
