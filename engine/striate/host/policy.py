"""Which plugins may be used: what the command line, the environment, the project and the user say about it.

The command line's `--no-plugins` and `--strict-plugins` set the environment's variables, so that processes that a
command starts are held to the same. A project says it in `striate.toml`:

    [plugins]
    allow = ["boxes"]            # these and striate's own, no others
    disable = ["faces"]
    files = ["./my_layers.py"]   # plugins that are files of the project; without the other two: plugins = [ … ]

`striate plugins disable NAME` writes the user's own list, in the folder of the user's settings.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.host.identity import FIRST_PARTY, qualifier

NONE, STRICT, SECONDS = "STRIATE_NO_PLUGINS", "STRIATE_STRICT_PLUGINS", "STRIATE_PLUGIN_SECONDS"
"""The environment's variables: names to leave out (or 1 for all), whether failures are errors, seconds to load one."""

EVERYTHING = ("1", "*", "all", "true", "yes")
PROJECT_FILE = "striate.toml"
DEFAULT_SECONDS = 30.0
LARGEST = 1024 * 1024
"""Bytes of a settings file; a larger one is not read."""


class SettingsError(ValueError):
    """A settings file that cannot be read or says what it may not; the message says where and what."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a plugin may not be used.

    Attributes:
        reason: as a sentence goes on with it: "is disabled".
        advice: the way back: a command, or what to change.
        state: what lists call that: disabled, or untrusted.
    """

    reason: str
    advice: str
    state: str = "disabled"

    def __str__(self) -> str:
        return f"{self.reason}: {self.advice}"


@dataclass(frozen=True, slots=True)
class Policy:
    """Which plugins may be used, and how.

    Attributes:
        refused: why a plugin is left out, for each that is left out by name, as names are written before a dot.
        nobody: why no plugin but striate's own may be used; None where others may.
        allowed: the only plugins that may be used beside striate's own and the project's files; None where all may.
        files: the project's own files that are plugins, as it writes them.
        root: the project's folder, to which they are relative; None where there is none.
        named: every plugin that some list names, with where the list is: one may be misspelt.
        strict: whether a plugin that fails is an error.
        seconds: how long the loading of one plugin may take.
    """

    refused: Mapping[str, Refusal] | None = None
    nobody: Refusal | None = None
    allowed: frozenset[str] | None = None
    strict: bool = False
    seconds: float = DEFAULT_SECONDS
    files: tuple[str, ...] = ()
    root: Path | None = None
    named: tuple[tuple[str, str], ...] = ()

    def refusal(self, plugin: str, *, is_listed: bool = False) -> Refusal | None:
        """Return why a plugin is not used, None where it may be; `is_listed`: it is a file that the project lists."""
        named = (self.refused or {}).get(qualifier(plugin))
        if named is not None or plugin == FIRST_PARTY:
            return named
        if self.nobody is not None:
            return self.nobody
        if self.allowed is not None and qualifier(plugin) not in self.allowed and not is_listed:
            return Refusal("is not in the project's list", f"add it to allow in {PROJECT_FILE}")
        return None


def current_policy(folder: Path | None = None) -> Policy:
    """Return the policy for commands that run in a folder, by default the current one.

    Raises:
        SettingsError: the project's or the user's settings cannot be read.
    """
    refused = {name: Refusal("is disabled", f"striate plugins enable {name}") for name in user_disabled()}
    named = dict.fromkeys((name, str(user_file())) for name in refused)
    allowed, files = None, ()
    path = project_file(folder or Path.cwd())
    if path is not None:
        section = _project_section(path)
        allowed, files = section.get("allow"), tuple(section.get("files", ()))
        by_project = Refusal(f"is disabled by {path}", "take it out of disable there")
        refused |= dict.fromkeys(section.get("disable", ()), by_project)
        named |= dict.fromkeys((name, str(path)) for name in (*section.get("disable", ()), *section.get("allow", ())))
    written = [part.strip() for part in os.environ.get(NONE, "").split(",") if part.strip()]
    everyone = any(part.lower() in EVERYTHING for part in written)
    left_out = Refusal(f"is left out ({NONE} or --no-plugins)", "run the command without that")
    single = [part for part in written if part.lower() not in EVERYTHING]
    refused |= dict.fromkeys(single, left_out)
    named |= dict.fromkeys((name, f"{NONE} or --no-plugins") for name in single)
    return Policy(
        {qualifier(name): refusal for name, refusal in refused.items()},
        Refusal(f"is left out, as all plugins are ({NONE} or --no-plugins)", left_out.advice) if everyone else None,
        None if allowed is None else frozenset(map(qualifier, allowed)),
        is_strict(),
        _seconds(),
        files,
        path.parent if path is not None else None,
        tuple(named),
    )


def is_strict() -> bool:
    """Whether a plugin that fails is an error: `--strict-plugins`, or its variable set to 1 or the like."""
    return os.environ.get(STRICT, "").lower() in EVERYTHING


def _seconds() -> float:
    written = os.environ.get(SECONDS)
    if not written:
        return DEFAULT_SECONDS
    try:
        seconds = float(written)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise SettingsError(f"{SECONDS} is a number of seconds above 0, not {written!r}")
    return seconds


def project_file(folder: Path) -> Path | None:
    """Return the project's settings file: in a folder or the nearest one above that has one."""
    folder = Path(os.path.realpath(folder))
    for above in (folder, *folder.parents):
        if (above / PROJECT_FILE).is_file():
            return above / PROJECT_FILE
    return None


def _project_section(path: Path) -> Mapping[str, Any]:
    section = read_settings(path).get("plugins", {})
    if isinstance(section, list):
        section = {"files": section}
    if not isinstance(section, dict):
        raise SettingsError(f'{path}: plugins is a table, [plugins], or a list of files, ["./my_layers.py"]')
    for key, value in section.items():
        if key not in _KEYS:
            raise SettingsError(f"{path}: there is no key {key} in [plugins]: {', '.join(_KEYS)}")
        if not _is_names(value):
            raise SettingsError(f"{path}: plugins.{key} is a list of {_KEYS[key]}")
    return section


_KEYS = {"allow": "names of plugins", "disable": "names of plugins", "files": "paths of Python files"}
"""What a project says of plugins, and what each list holds."""


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)


def read_settings(path: Path) -> Mapping[str, Any]:
    """Return what a settings file says.

    Raises:
        SettingsError: it cannot be read.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise SettingsError(f"{path} is larger than {LARGEST:,} bytes")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None


# ---------------------------------------------------------------------------------------------- the user's list


def user_folder() -> Path:
    """Return the folder of the user's settings: `STRIATE_CONFIG`, or where the system keeps such folders."""
    own = os.environ.get("STRIATE_CONFIG")
    if own:
        return Path(own)
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming") / "striate"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "striate"


def user_file() -> Path:
    """Return the file with the user's list of disabled plugins."""
    return user_folder() / "plugins.toml"


def user_disabled() -> tuple[str, ...]:
    """Return the plugins that the user has disabled.

    Raises:
        SettingsError: the list cannot be read.
    """
    path = user_file()
    if not path.is_file():
        return ()
    names = read_settings(path).get("disabled", [])
    if not _is_names(names):
        raise SettingsError(f"{path}: disabled is a list of names of plugins")
    return tuple(names)


def set_user_disabled(names: Iterable[str]) -> Path:
    """Write the user's list of disabled plugins, whole or not at all; return its file.

    Raises:
        SettingsError: it cannot be written.
    """
    listed = ", ".join(json.dumps(name) for name in sorted(set(names)))
    text = f"# Written by striate plugins disable and enable.\ndisabled = [{listed}]\n"
    return write_settings(user_file(), text)


def write_settings(path: Path, text: str) -> Path:
    """Write a settings file, whole or not at all; return it.

    Raises:
        SettingsError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as aside:
            aside.write(text)
            aside.flush()
            os.fsync(aside.fileno())
        Path(aside.name).replace(path)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error}") from None
    return path
