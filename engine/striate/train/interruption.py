"""Ctrl-C and the system's wish to stop: noted when they come, obeyed where the run can be saved."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class TrainingInterruptedError(Exception):
    """A run was stopped from outside; its state is saved.

    Attributes:
        signal: what stopped it.
        epoch: how many epochs are finished.
    """

    def __init__(self, stopped_by: signal.Signals, epoch: int) -> None:
        self.signal, self.epoch = stopped_by, epoch
        super().__init__(f"stopped by {stopped_by.name} after {epoch} epochs")

    @property
    def exit_code(self) -> int:
        """The exit code that shells expect, 130 for Ctrl-C."""
        return 128 + self.signal


class StopRequest:
    """Whether a signal has asked the run to stop."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None


@contextmanager
def stopping_politely(tell: Callable[[str], None]) -> Iterator[StopRequest]:
    """Note SIGINT and SIGTERM instead of dying of them; a second one ends the program at once.

    Signals are the main thread's business; elsewhere nothing changes.

    Args:
        tell: shows the user that the wish was heard.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, frame: FrameType | None) -> None:
        if request.signal is not None:
            raise KeyboardInterrupt
        request.signal = signal.Signals(number)
        tell("stopping after this step; once more to stop at once")

    try:
        for number in before:
            signal.signal(number, note)
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
