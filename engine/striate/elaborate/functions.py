"""The functions that expressions may call: `min max ceil floor round len abs log2`."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any


def _extreme(choose: Callable[..., Any], *values: Any) -> Any:
    """Return the smallest or largest value; of a range without going through it."""
    if len(values) == 1 and isinstance(values[0], range) and values[0]:
        return choose(values[0][0], values[0][-1])
    return choose(*values)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": partial(_extreme, min),
    "max": partial(_extreme, max),
    "ceil": math.ceil,
    "floor": math.floor,
    "round": round,
    "len": len,
    "abs": abs,
    "log2": math.log2,
}
FUNCTION_NAMES = tuple(FUNCTIONS)
"""The functions of expressions."""
