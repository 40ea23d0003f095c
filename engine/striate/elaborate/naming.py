"""What a dotted name must not be: `skip.channels` is a size where `skip` is a value."""

from __future__ import annotations

from typing import Any

from striate.elaborate.expressions import SIZES
from striate.elaborate.faults import fault
from striate.elaborate.scope import Scope
from striate.elaborate.values import ValueRef
from striate_dsl.diagnostics import Label
from striate_dsl.syntax import Identifier


def demand_no_size(scope: Scope, name: Identifier, value: Any) -> None:
    """Refuse a name that reads as the size of a value, and a value whose size would read as another name.

    Raises:
        Fault: E0331, one text would mean two things.
    """
    base, dot, size = name.text.rpartition(".")
    if dot and size in SIZES:
        owner = scope.names.get(base)
        if owner is not None and isinstance(owner.value, ValueRef):
            raise fault(
                "E0331",
                f"{name.text} is the {_word(size)} of {base}",
                name.span,
                labels=(Label(owner.span, f"{base} is a value"),),
                help="choose another last part of the name",
            )
    if not isinstance(value, ValueRef):
        return
    for each in SIZES:
        taken = scope.names.get(f"{name.text}.{each}")
        if taken is not None:
            raise fault(
                "E0331",
                f"{name.text}.{each} is a name here, so {name.text} cannot be a value: that would be its {_word(each)}",
                name.span,
                labels=(Label(taken.span, "named here"),),
                help="choose another name",
            )


def _word(size: str) -> str:
    return {"channels": "number of channels", "features": "number of features", "rank": "number of axes"}.get(
        size, size
    )
