"""The sizes of the objects that a head is to find, as its statement says them: `head segmentation(…, objects = 96)`.

A head whose block has a parameter of that name (anchors of a detector) takes it like any other argument; every other
head takes `objects` beside its own arguments. What is said goes into the graph's `Task`, where lints read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate.elaborate.expressions import type_name
from striate.elaborate.faults import fault
from striate.elaborate.values import Given, ValueRef
from striate.graph import Extent, Objects, Origin
from striate.ops.arguments import Choice, as_whole
from striate_dsl.source import Span

_FORM = "a number of pixels, a pair (height, width), or a list of such"


def read_objects(value: Any, flowing: Sequence[str], span: Span) -> Objects:
    """Return what a head says about its objects.

    Args:
        value: the evaluated argument: a size, a list of sizes, or a list with such a list per value that flows in.
        flowing: the names of the values that flow into the head.
        span: the place of the argument.

    Raises:
        Fault: E0347, it is none of these.
    """
    if isinstance(value, list) and any(isinstance(item, list) for item in value):
        if len(value) != len(flowing):
            raise fault(
                "E0347",
                f"objects has {len(value)} lists, and {len(flowing)} values flow into the head",
                span,
                help="write one list of sizes per value, or one list for all of them",
            )
        levels = tuple(tuple(_extent(size, span) for size in _listed(item)) for item in value)
        return Objects(tuple(zip(((name,) for name in flowing), levels, strict=True)), Origin(span))
    extents = tuple(_extent(item, span) for item in _listed(value))
    return Objects(((tuple(flowing), extents),), Origin(span))


def flowing_values(given: Sequence[Given], current: ValueRef) -> tuple[str, ...]:
    """Return the names of the values that a head is given, or of the one that flows in where it is given none."""
    named = [item.value.name for item in given if isinstance(item.value, ValueRef)]
    return tuple(dict.fromkeys(named or [current.name]))


def is_stated(value: Any) -> bool:
    """Whether a value says something about objects; `none` does not."""
    return not (value is None or (isinstance(value, Choice) and value.name == "none"))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _extent(value: Any, span: Span) -> Extent:
    sides = list(value) if isinstance(value, tuple) else [value, value]
    whole = [as_whole(side) for side in sides]
    if len(whole) != 2 or any(side is None or side < 1 for side in whole):
        shown = value if isinstance(value, (int, float)) else type_name(value)
        raise fault("E0347", f"objects must be {_FORM}, not {shown}", span, help="for example objects = 96")
    return Extent(*(side for side in whole if side is not None))
