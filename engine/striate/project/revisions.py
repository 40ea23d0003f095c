"""Files of a git revision, read as they are in git's store: nothing of the repository runs, nothing is checked out.

`git cat-file` gives the bytes of a file without filters, converters, hooks or pagers; fetching what a partial clone
lacks is switched off, since where it fetches from is the repository's to say.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from striate.project.shelves import MARKERS
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.names import nearest
from striate_dsl.reading import decode_source
from striate_dsl.source import Source

_QUIET = {"GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
_SAFE = ("--no-pager", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never")
_FILE_MODES = ("100644", "100755")


@dataclass(frozen=True, slots=True)
class Revision:
    """The files of one revision: a shelf whose paths begin at `root`, a folder within the repository at `top`."""

    top: Path
    name: str
    tree: str
    root: PurePosixPath

    def identity(self, path: PurePosixPath) -> str:
        """Return what tells a file from all others."""
        return f"{self.tree}:{self.root / path}"

    def read(self, path: PurePosixPath) -> Source:
        """Return the text of a file.

        Raises:
            DiagnosticError: E0335, it is not there or no file; E0134 to E0136, it is no text.
        """
        place = self.root / path
        shown = f"{self.name}:{place}"
        entry = _git(self.top, "ls-tree", "-z", self.tree, "--", str(place)).rstrip(b"\0").decode(errors="replace")
        mode, _, rest = entry.partition(" ")
        kind, _, rest = rest.partition(" ")
        if not entry:
            raise DiagnosticError(self._missing(place))
        if kind != "blob" or mode not in _FILE_MODES:
            what = "a link, which is not followed in a revision" if mode == "120000" else "no file"
            raise DiagnosticError(Diagnostic("E0335", f"{shown} is {what}"))
        return decode_source(shown, _git(self.top, "cat-file", "blob", rest.partition("\t")[0]))

    def project(self, path: PurePosixPath) -> tuple[Revision, PurePosixPath]:
        """Return the project that a file belongs to in this revision, and its path there."""
        folders = [path.parent, *path.parent.parents] if path.parent.parts else [PurePosixPath()]
        root = next((folder for folder in folders if self._is_root(folder)), PurePosixPath())
        return replace(self, root=root), path.relative_to(root)

    def _is_root(self, folder: PurePosixPath) -> bool:
        names = self._names(folder)
        return any(marker in names for marker in MARKERS)

    def _names(self, folder: PurePosixPath) -> list[str]:
        spot = f"{self.tree}:{folder}" if folder.parts else self.tree
        try:
            listed = _git(self.top, "ls-tree", "-z", "--name-only", spot)
        except DiagnosticError:
            return []
        return [name.decode(errors="replace") for name in listed.split(b"\0") if name]

    def nearest(self, path: PurePosixPath) -> str | None:
        """Return the name of the file in the same folder that is most like one that does not exist, if one is."""
        return nearest(path.name, self._networks((self.root / path).parent))

    def _networks(self, folder: PurePosixPath) -> list[str]:
        return [name for name in self._names(folder) if name.endswith(".cnn")]

    def _missing(self, place: PurePosixPath) -> Diagnostic:
        present = self._networks(place.parent)
        near = nearest(place.name, present)
        return Diagnostic(
            "E0335",
            f"there is no file {place} in {self.name}",
            notes=(f"in its folder there are {', '.join(present[:8])}",) if present else (),
            help=f"did you mean {self.name}:{place.parent / near}?"
            if near
            else "paths in a revision begin at the top of the repository; ./ begins at this folder",
        )


def open_revision(name: str, folder: Path) -> Revision:
    """Return a revision of the repository that a folder belongs to.

    Raises:
        DiagnosticError: E0333, git is missing or the folder is in no repository; E0334, there is no such revision.
    """
    top = Path(os.fsdecode(_git(folder, "rev-parse", "--show-toplevel").rstrip(b"\n")))
    if not name or name.startswith("-"):
        raise DiagnosticError(_unknown(name))
    try:
        tree = _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{tree}}")
    except DiagnosticError:
        raise DiagnosticError(_unknown(name)) from None
    return Revision(top, name, tree.decode().strip(), PurePosixPath())


def path_in_repository(revision: Revision, path: Path) -> PurePosixPath:
    """Return the path of a file of the work tree as revisions know it.

    Raises:
        DiagnosticError: E0335, the file lies outside of the repository.
    """
    place = Path(os.path.realpath(path.parent)) / path.name
    top = Path(os.path.realpath(revision.top))
    if not place.is_relative_to(top):
        raise DiagnosticError(Diagnostic("E0335", f"{path} is not in the repository {revision.top}"))
    return PurePosixPath(place.relative_to(top).as_posix())


def _git(folder: Path, *arguments: str) -> bytes:
    """Run a git command that only reads.

    Raises:
        DiagnosticError: E0333, it cannot be run, or fails.
    """
    command = ("git", *_SAFE, "-C", str(folder), *arguments)
    try:
        done = subprocess.run(command, capture_output=True, check=False, env={**os.environ, **_QUIET})
    except (OSError, ValueError) as error:
        message = "git is not installed, and revisions are read through it"
        found = message if isinstance(error, FileNotFoundError) else f"git cannot be run: {error}"
        raise DiagnosticError(Diagnostic("E0333", found, help="compare two files instead")) from None
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.decode(errors="replace").strip().splitlines()
    reason = said[0].removeprefix("fatal: ") if said else f"git {arguments[0]} failed"
    raise DiagnosticError(Diagnostic("E0333", f"git cannot read {folder}: {reason}"))


def _unknown(name: str) -> Diagnostic:
    return Diagnostic("E0334", f"there is no revision {name!r}", help="`git log` and `git branch` list what there is")
