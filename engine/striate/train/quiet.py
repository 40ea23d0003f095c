"""Keeping the libraries below us silent: what they log and warn about is ours to say, in our words, or nobody's."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGERS = ("lightning", "lightning.pytorch", "lightning.fabric", "pytorch_lightning", "matplotlib", "torchmetrics")
_NOT_DETERMINISTIC = "does not have a deterministic implementation"


@contextmanager
def quiet_libraries() -> Iterator[list[str]]:
    """Silence log lines and warnings, and give a list that holds what the user should know when the block is over."""
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for name in _LOGGERS:
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            yield notes
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
            notes += _worth_telling([str(item.message) for item in caught])


def _worth_telling(messages: list[str]) -> list[str]:
    operations = sorted({message.split(" ")[0] for message in messages if _NOT_DETERMINISTIC in message})
    if not operations:
        return []
    return [f"not deterministic on this device, so that the last digits of a run may differ: {', '.join(operations)}"]
