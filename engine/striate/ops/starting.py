"""Named values that recurrent layers start from: the state, and the cell of an LSTM, instead of zeros."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from striate.dims import Dim, format_dim
from striate.graph import TensorType, format_shape
from striate.ops.arguments import Argument, Optional
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, Types
from striate.ops.shape_arguments import NamedValue


def start_argument(name: str, what: str) -> Argument:
    """Return the argument that names a value to start from."""
    return Argument(
        name, Optional(NamedValue()), f"A named value that is {what} before the first step, or zeros.", None
    )


def started_from(attributes: Attributes, name: str) -> int | None:
    """Return the place among the inputs of the value that a state starts from."""
    place: int | None = attributes.get(name)
    return place


def check_start(attributes: Attributes, inputs: Types, name: str, *legal: Sequence[Dim], check: Check) -> None:
    """Demand that a value to start from, if there is one, has one of some sizes.

    Raises:
        LayerError: it has another number of axes than all of them.
    """
    place = started_from(attributes, name)
    if place is None:
        return
    given = inputs[place]
    fitting = [sizes for sizes in legal if len(sizes) == given.rank]
    problem = partial(_unlike, name, given, legal)
    if not fitting:
        raise LayerError(problem())
    for size, wanted in zip(given.shape, fitting[0], strict=True):
        check.equal(size, wanted, problem)


def _unlike(name: str, given: TensorType, legal: Sequence[Sequence[Dim]]) -> Problem:
    wanted = " or ".join(" x ".join(map(format_dim, sizes)) for sizes in legal)
    return Problem(
        f"starts from a {name} of {wanted}, but {name} is {format_shape(given)}",
        code="E0203",
        argument=name,
        help=f"bring it to {wanted}, or leave {name} out to start from zeros",
    )
