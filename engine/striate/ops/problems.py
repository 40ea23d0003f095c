"""What a shape rule says when a layer cannot work, and the checker through which it says so.

Rules state conditions on sizes that may be symbolic. A condition that is broken is a `LayerError`; one that holds for
some input sizes only is collected, and the collection is the model's domain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from striate.dims import Dim
from striate.dims.constraints import AtLeast, Constraint, Divisible, Equal


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a layer cannot work.

    Attributes:
        message: one sentence without the layer's name and place, which the caller adds.
        code: the stable code of the finding.
        argument: the argument to point at; the layer's name where it is None.
        position: the merged value to point at, counted from 0.
        notes: the formula with its numbers, and whatever else explains the message.
        help: what to write instead, where it can be computed.
        other: the merged value that it does not fit to.
        axis: the axis along which merged values differ, counted from 0 (channels).
        repair: arguments that would repair the call, as text by argument name.
        alternatives: other such repairs, the next best first.
        before: layers that would repair it if they stood before it, e.g. "flatten".
    """

    message: str
    code: str = "E0201"
    argument: str | None = None
    position: int | None = None
    notes: tuple[str, ...] = ()
    help: str | None = None
    other: int = 0
    axis: int | None = None
    repair: tuple[tuple[str, str], ...] = ()
    alternatives: tuple[tuple[tuple[str, str], ...], ...] = ()
    before: str = ""


class LayerError(Exception):
    """A layer call that cannot work."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


@dataclass(slots=True)
class Check:
    """Decides conditions on sizes and collects those that depend on the input size.

    The `problem` of a condition is a function, so that a sentence is only built where it is needed; it goes into the
    collected constraint as its reason.
    """

    open: list[Constraint] = field(default_factory=list)

    def at_least(self, value: Dim, bound: int, problem: Callable[[], Problem]) -> None:
        """Demand `value >= bound`."""
        if isinstance(value, int):
            if value < bound:
                raise LayerError(problem())
        else:
            self._decide(AtLeast(value, bound, reason=problem), problem)

    def equal(self, left: Dim, right: Dim, problem: Callable[[], Problem]) -> None:
        """Demand `left == right`."""
        if left == right:
            return
        self._decide(Equal(left, right, reason=problem), problem)

    def divisible(self, value: Dim, by: int, problem: Callable[[], Problem]) -> None:
        """Demand that `value` is a multiple of `by`."""
        if isinstance(value, int):
            if value % by:
                raise LayerError(problem())
        else:
            self._decide(Divisible(value, by, reason=problem), problem)

    def _decide(self, constraint: Constraint, problem: Callable[[], Problem]) -> None:
        settled = constraint.decide()
        if settled is False:
            raise LayerError(problem())
        if settled is None:
            self.open.append(constraint)
