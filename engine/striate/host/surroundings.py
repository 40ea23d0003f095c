"""What a stranger's code may disturb while it is imported, and putting it back.

A plugin's import is to make functions and classes, and nothing else. What it changes of the process (streams, the
working folder, the environment, signals and the like) is put back in any case. If it replaces something of striate or
of Python's builtins, or leaves a thread behind that keeps the program from ending, it is refused: what it gives was
made to work with that.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

_GUARDED = frozenset({"striate", "striate_dsl", "striate_plugins", "click", "pluggy"})
"""Packages of which nothing may be replaced."""

_stray: list[threading.Thread] = []


class DisturbanceError(Exception):
    """An import has replaced what is not its own, or left a thread behind."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What an import has changed of the process, in words; it has been put back. Filled when the import is over."""

    words: list[str] = field(default_factory=list)


def stray_threads() -> list[threading.Thread]:
    """Return the threads that plugins' imports have left behind and that would keep the program from ending."""
    return [thread for thread in _stray if thread.is_alive() and not thread.daemon]


@contextlib.contextmanager
def kept_in_order() -> Iterator[Changes]:
    """Put back what the block changes of the process; give what that was.

    Prints to standard output go to standard error: what a command prints must stay what the command prints.

    Raises:
        DisturbanceError: the block has replaced something of striate or of the builtins, which has been put back, or it
            has left a thread behind.
    """
    changes = Changes()
    before = [(words, read, write, read()) for words, read, write in _states()]
    attributes = {module: dict(vars(module)) for module in _modules()}
    alone = threading.current_thread() is threading.main_thread()  # else others may start threads meanwhile
    threads = set(threading.enumerate())
    streams = sys.stdin, sys.stdout, sys.stderr
    sys.stdout = sys.stderr = _Shared(sys.stderr)
    try:
        yield changes
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
        for words, read, write, value in before:
            if _differs(read, value):
                changes.words.append(words)
                with contextlib.suppress(Exception):
                    write(value)
        replaced = [name for module, kept in attributes.items() for name in _restored(module, kept)]
        left = [item for item in threading.enumerate() if alone and item not in threads and not item.daemon]
        _stray.extend(left)
        if replaced and not isinstance(sys.exc_info()[1], KeyboardInterrupt):
            raise DisturbanceError(f"it replaces {replaced[0]}, which is not its own")
    if left:
        raise DisturbanceError(f"it leaves a thread running ({left[0].name}), which would keep commands from ending")


def _differs(read: Callable[[], Any], value: Any) -> bool:
    try:
        return bool(read() != value)
    except Exception:  # the working folder may be gone
        return True


State = tuple[str, Callable[[], Any], Callable[[Any], object]]


def _states() -> list[State]:
    """Return what there is one of in a process: what it is in words, how it is read, how it is set."""
    states: list[State] = [
        ("the working folder", os.getcwd, os.chdir),
        ("the environment", lambda: dict(os.environ), _set_environment),
        ("sys.path", lambda: list(sys.path), lambda value: sys.path.__setitem__(slice(None), value)),
        ("sys.argv", lambda: list(sys.argv), lambda value: sys.argv.__setitem__(slice(None), value)),
        ("the limit of recursion", sys.getrecursionlimit, sys.setrecursionlimit),
        ("sys.excepthook", lambda: sys.excepthook, lambda value: setattr(sys, "excepthook", value)),
    ]
    if threading.current_thread() is threading.main_thread():
        states += [_handler(number) for number in (signal.SIGINT, signal.SIGTERM)]
    return [state for state in states if _is_readable(state)]


def _is_readable(state: State) -> bool:
    try:
        state[1]()
    except OSError:  # the working folder has been deleted
        return False
    return True


def _handler(number: signal.Signals) -> State:
    def write(value: Any) -> None:
        signal.signal(number, value)

    return f"the handler of {number.name}", lambda: signal.getsignal(number), write


def _set_environment(value: dict[str, str]) -> None:
    for name in set(os.environ) - set(value):
        del os.environ[name]
    os.environ.update(value)


def _modules() -> list[ModuleType]:
    ours = [
        module
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in _GUARDED and isinstance(module, ModuleType)
    ]
    return [builtins, *ours]


def _restored(module: ModuleType, kept: dict[str, Any]) -> Iterator[str]:
    """Put back the functions and classes of a module that have been replaced or taken away; yield their names."""
    present = vars(module)
    for name, value in kept.items():
        if callable(value) and present.get(name) is not value and name != "_":
            present[name] = value
            yield f"{module.__name__}.{name}"


class _Shared(io.TextIOBase):
    """A stream that others may write to but not close."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(ValueError, OSError, AttributeError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(ValueError, OSError, AttributeError):
            self._stream.flush()

    def close(self) -> None:
        """Do nothing: it is everybody's."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
