"""Loadings that ended the whole program: noticed by the next command, which then leaves that plugin out.

Nothing can catch code that crashes the process or ends it at once. So a note is left before a plugin is loaded, and
taken away when its loading has come to an end, whatever end. A note of a process that is gone means that the loading
took the process with it; the plugin is set aside until it changes or `striate plugins doctor` finds it fine.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.machinery import PathFinder
from pathlib import Path

from striate.host.installed import Plugin, is_own
from striate.host.policy import user_folder

_LONG_AGO = 3600.0
"""Seconds after which the process of a note is taken to be gone, where there is no asking."""


@contextmanager
def noted(plugin: Plugin) -> Iterator[None]:
    """Leave a note that a plugin is being loaded, and take it away when that is over; without a place for it, none."""
    if is_own(plugin):
        yield
        return
    note = _folder() / f"{_key(plugin)}-{os.getpid()}"
    with suppress(OSError):
        note.parent.mkdir(parents=True, exist_ok=True)
        note.touch()
    try:
        yield
    finally:
        with suppress(OSError):
            note.unlink()


def ended_the_program(plugin: Plugin) -> bool:
    """Whether loading the plugin, as it is now, has ended a program before."""
    return not is_own(plugin) and any(_is_gone(note) for note in _notes(plugin))


def forgive(plugin: Plugin) -> None:
    """Take away what was noted of a plugin: it has been found fine."""
    for note in _notes(plugin):
        with suppress(OSError):
            note.unlink()


def _folder() -> Path:
    return user_folder() / "loading"


def _notes(plugin: Plugin) -> list[Path]:
    try:
        return list(_folder().glob(f"{_key(plugin)}-*"))
    except OSError:
        return []


def _key(plugin: Plugin) -> str:
    """Return what tells a plugin in one state from others and from itself when its code has changed."""
    state = [plugin.name, plugin.entry.value, plugin.distribution or "", plugin.version, *_code(plugin)]
    return hashlib.sha256("\0".join(state).encode(errors="surrogateescape")).hexdigest()[:32]


def _code(plugin: Plugin) -> list[str]:
    """Return where a plugin's code lies and when it was changed, found without importing it."""
    if plugin.file is not None:
        return [plugin.file.digest]
    with suppress(Exception):  # whatever finders of strangers do
        spec = PathFinder.find_spec(plugin.entry.value.partition(":")[0].strip().partition(".")[0])
        if spec is not None and spec.origin is not None:
            return [spec.origin, str(Path(spec.origin).stat().st_mtime_ns)]
    return []


def _is_gone(note: Path) -> bool:
    """Whether the process that left a note is no more."""
    number = note.name.rpartition("-")[2]
    if not number.isdigit() or int(number) == os.getpid():
        return False
    if sys.platform == "win32":  # signal 0 is no question there
        with suppress(OSError):
            return time.time() - note.stat().st_mtime > _LONG_AGO
        return False
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:
        return False
    return False
