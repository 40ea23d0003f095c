"""The sizes of a program's inputs as the language has them: the batch aside, symbols under letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from striate.dims import Dim, symbol
from striate.dims.constraints import AtLeast, Constraint
from striate.dims.domain import solve
from striate.importing.findings import UnsupportedError

_LETTERS = {2: "L", 3: "HW", 4: "DHW"}
"""What open sizes behind the channels are called, by the number of axes without the batch."""

_FARTHEST = 2**31
"""Bounds from here on are none: torch gives every size one."""


@dataclass(slots=True)
class Extents:
    """Turns sizes of torch into sizes of the language.

    Attributes:
        written: for each input the sizes that were asked for, whose letters are kept.
    """

    written: Sequence[Sequence[object]] = ()
    batch: Any = None
    names: dict[Any, str] = field(default_factory=dict)

    def of(self, shape: Sequence[Any], place: int) -> tuple[int | None, list[Dim]]:
        """Return the number of images (None where it is open) and the other sizes of an input.

        Raises:
            UnsupportedError: it has no batch axis, or a size that is computed of several others.
        """
        if not shape:
            raise UnsupportedError("it is one number, without a batch axis")
        first, *rest = map(_settled, shape)
        if not isinstance(first, int):
            self.batch = _expression(first) if self.batch is None else self.batch
            if _expression(first) != self.batch:
                raise UnsupportedError("its batch is not that of the other inputs")
        asked = self.written[place] if place < len(self.written) else ()
        sizes: list[Dim] = []
        for axis, size in enumerate(rest):
            letter = asked[axis] if axis < len(asked) else None
            if isinstance(letter, str) and isinstance(size, int):
                raise UnsupportedError(f"the module fixes the size {letter} at {size}")
            sizes.append(size if isinstance(size, int) else self._open(_expression(size), letter, axis, len(rest)))
        return (first if isinstance(first, int) else None), sizes

    def _open(self, expression: Any, letter: object, axis: int, rank: int) -> Dim:
        if expression == self.batch:
            raise UnsupportedError("one of its sizes is the number of images")
        if not expression.is_Symbol:
            return self._computed(expression)
        if expression not in self.names:
            usual = _LETTERS.get(rank, "")[axis - 1 :][:1] if axis else ""
            wish = letter if isinstance(letter, str) else usual
            taken = set(self.names.values())
            self.names[expression] = wish if wish and wish not in taken else f"S{len(taken) + 1}"
        return symbol(self.names[expression])

    def _computed(self, expression: Any) -> Dim:
        """Return a sum or product of symbols that have their letters."""
        if expression.is_Integer:
            return int(expression)
        if expression.is_Symbol and expression in self.names:
            return symbol(self.names[expression])
        if not (expression.is_Add or expression.is_Mul):
            raise UnsupportedError(f"its size {expression} is not followed")
        made, *others = (self._computed(part) for part in expression.args)
        for other in others:
            made = made + other if expression.is_Add else made * other
        return made

    def conditions(self, ranges: Mapping[Any, Any], known: Sequence[Constraint]) -> list[Constraint]:
        """Return what a program demands of its open sizes beside what is known, and beside the 2 it demands of each."""
        sizes = solve(known, self.names.values())
        found: list[Constraint] = []
        for expression, bounds in ranges.items():
            if expression not in self.names:
                continue
            size = symbol(self.names[expression])
            if bounds.lower > max(2, next(iter(sizes[self.names[expression]]), 1)):
                found.append(AtLeast(size, int(bounds.lower)))
            if bounds.upper < _FARTHEST:
                found.append(AtLeast(int(bounds.upper), size))
        return found


def _settled(size: Any) -> Any:
    """Return a size as a number where torch has found that it is one."""
    return int(size) if isinstance(size, int) or _expression(size).is_Integer else size


def _expression(size: Any) -> Any:
    return size.node.expr
