"""Functions that run a network, as plugins give them: from arrays by input name to arrays by output name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

Arrays: TypeAlias = Mapping[str, np.ndarray[Any, np.dtype[Any]]]
Runner: TypeAlias = Callable[[Arrays], Arrays]


def checked_runner(run: Runner, outputs: tuple[str, ...]) -> Runner:
    """Return a runner that raises ValueError where a stranger's does not give an array for every output."""

    def checked(inputs: Arrays) -> Arrays:
        given = run(inputs)
        if not isinstance(given, Mapping):
            raise ValueError(f"it gave {type(given).__name__} where arrays by name are due")
        missing = [name for name in outputs if not isinstance(given.get(name), np.ndarray)]
        if missing:
            raise ValueError(f"it gave no array for the output {missing[0]}")
        return given

    return checked
