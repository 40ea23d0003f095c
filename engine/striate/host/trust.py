"""Which files of projects the user has read and trusts: nothing of a project's plugin runs before.

Trust is in a place and a content: `trusted.toml` in the folder of the user's settings has the path of every trusted
file, links followed, with the hash of what it held. On a machine that only runs one project's own code, such as one
for continuous integration, `STRIATE_TRUST_PLUGINS` says what else is trusted: `1` for whatever the project lists, or
hashes.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from striate.host.policy import EVERYTHING, Refusal, SettingsError, read_settings, user_folder, write_settings
from striate.host.project_files import TRUSTED, ProjectFile

TRUST = "STRIATE_TRUST_PLUGINS"
"""The environment's variable: 1 for all files that the project lists, or hashes with commas between them."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def trust_file() -> Path:
    """Return the file with what the user trusts."""
    return user_folder() / TRUSTED


def distrust(file: ProjectFile) -> Refusal | None:
    """Return why a file may not run, None where it is trusted.

    Raises:
        SettingsError: the list of what is trusted cannot be read.
    """
    if _by_environment(file):
        return None
    known = trusted_files().get(str(file.path))
    if known == file.digest:
        return None
    command = f"striate plugins trust {shlex.quote(os.path.relpath(file.path))}"
    if known is None:
        return Refusal("is not trusted", f"read it, then: {command}", "untrusted")
    return Refusal("has changed since you trusted it", f"read it again, then: {command}", "untrusted")


def _by_environment(file: ProjectFile) -> bool:
    """Whether the environment says that a file is trusted."""
    written = [part.strip().lower() for part in os.environ.get(TRUST, "").split(",") if part.strip()]
    if not written or written == ["0"]:
        return False
    if any(part in EVERYTHING for part in written):
        return True
    for part in written:
        if _DIGEST.fullmatch(part) is None:
            raise SettingsError(f"{TRUST} is 1, or hashes such as {file.version}…, in full, not {part!r}")
    return file.digest in written


def trusted_files() -> Mapping[str, str]:
    """Return the hashes of the trusted files by their paths.

    Raises:
        SettingsError: the list cannot be read.
    """
    path = trust_file()
    if not path.is_file():
        return {}
    files = read_settings(path).get("files", {})
    if not isinstance(files, dict) or not all(isinstance(text, str) for text in files.values()):
        raise SettingsError(f"{path}: files is a table of hashes by path")
    return files


def set_trusted_files(files: Mapping[str, str]) -> Path:
    """Write the list of what is trusted, whole or not at all; return its file.

    Raises:
        SettingsError: it cannot be written.
    """
    lines = [f"{_quoted(path)} = {_quoted(digest)}\n" for path, digest in sorted(files.items())]
    text = f"# Written by striate plugins trust and distrust.\n[files]\n{''.join(lines)}"
    return write_settings(trust_file(), text)


def _quoted(text: str) -> str:
    """Return a text as a basic string of TOML."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise SettingsError(f"{text!r} is no path that can be written down: rename the file or folder") from None
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\u{ord(found[0]):04x}", plain) + '"'
