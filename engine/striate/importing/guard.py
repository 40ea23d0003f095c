"""Stops a reader of strangers' files that runs what is in them without having said that it may.

A reader of a plugin that does not declare `runs_code` promises that no file can make it run code. The usual way to
break that promise unawares is `pickle` (also by way of `torch.load` or `numpy.load`), which imports and calls what the
file names; starting a shell is the other. Python reports both before they happen, and here they are refused. This is a
rail, no sandbox: a plugin is code that the user has installed, and is trusted as such.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_REFUSED = {
    "pickle.find_class": "unpickles: pickle imports and calls whatever a file names",
    "os.system": "starts a shell",
    "os.exec": "starts another program",
}
"""Python's audit events that reading data gives no cause for, and what they mean."""

_state = threading.local()
_lock = threading.Lock()
_installed: list[bool] = []


class RunsCodeError(Exception):
    """A reader was about to run code from a file; the message says how."""


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _REFUSED and getattr(_state, "guarded", False):
        raise RunsCodeError(f"it {_REFUSED[event]}")


@contextmanager
def nothing_runs() -> Iterator[None]:
    """Refuse, in this thread and block, what would run code that a file holds.

    Raises:
        RunsCodeError: the block was about to.
    """
    with _lock:
        if not _installed:  # an audit hook cannot be taken back, so there is one for the process
            sys.addaudithook(_watch)
            _installed.append(True)
    before = getattr(_state, "guarded", False)
    _state.guarded = True
    try:
        yield
    finally:
        _state.guarded = before
