"""Pausing Python's cyclic garbage collector while many objects are made that all live on.

The collector looks through every object again and again as their number grows; on a file of 100,000 layers that is half
of the time, and there is nothing to find: trees and graphs hold no cycles.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_paused() -> Iterator[None]:
    """Keep the collector off inside the block, and leave it as it was found."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
