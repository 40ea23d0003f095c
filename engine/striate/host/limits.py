"""Running a stranger's code within a time limit.

On Unix and in the main thread an alarm interrupts whatever the code does in Python. Elsewhere it runs on a thread of
its own, which is left behind when the time is up: nothing can stop a thread from outside.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

Result = TypeVar("Result")


class TooSlowError(Exception):
    """The code did not come to an end in time."""


class _Interruption(BaseException):
    """Raised inside the code: not an `Exception`, which the code may catch."""


def within(seconds: float, call: Callable[[], Result]) -> Result:
    """Return what a call returns.

    Raises:
        TooSlowError: it took longer than `seconds`.
        BaseException: whatever the call raises.
    """
    if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
        return _with_alarm(seconds, call)
    return _on_a_thread(seconds, call)


def _with_alarm(seconds: float, call: Callable[[], Result]) -> Result:
    def interrupt(number: int, frame: FrameType | None) -> None:
        raise _Interruption

    before = signal.signal(signal.SIGALRM, interrupt)
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return call()
    except _Interruption:
        raise TooSlowError(f"did not end within {seconds:g} seconds") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, left)
        signal.signal(signal.SIGALRM, before)


def _on_a_thread(seconds: float, call: Callable[[], Result]) -> Result:
    outcome: list[tuple[Any, BaseException | None]] = []

    def run() -> None:
        try:
            outcome.append((call(), None))
        except BaseException as error:  # raised again by whoever waits
            outcome.append((None, error))

    thread = threading.Thread(target=run, daemon=True, name="striate-plugin")
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise TooSlowError(f"did not end within {seconds:g} seconds")
    result, error = outcome[0]
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]  # what the call returned
