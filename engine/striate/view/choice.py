"""Which columns a summary shows: those that are asked for, checked, and otherwise those that go with its conditions."""

from __future__ import annotations

from striate.view.columns import COLUMNS
from striate.view.conditions import Conditions
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.names import nearest


def check_column(name: str, given: Conditions) -> None:
    """Check that there is a column and that it has something to say.

    Raises:
        DiagnosticError: there is none of that name, or it needs a device or training.
    """
    column = COLUMNS.get(name)
    if column is None:
        near = nearest(name, COLUMNS)
        help_text = f"did you mean {near}?" if near else f"there are {', '.join(COLUMNS)}"
        raise DiagnosticError(Diagnostic("E0230", f"there is no column {name}", help=help_text))
    missing = {"--device": given.device is None, "--training": given.optimizer is None}
    if missing.get(column.needs, False):
        example = "--device h100" if column.needs == "--device" else "--training adam"
        raise DiagnosticError(Diagnostic("E0230", f"the column {name} needs {column.needs}", help=f"add {example}"))


def table_columns(given: Conditions, sort: str) -> tuple[str, ...]:
    """Return the columns of a table for which none were chosen; nothing for the usual table, which fits any width."""
    chosen: tuple[str, ...] = ()
    if given.device is not None:
        chosen = ("layer", "output", "flops", "moved", "intensity", "time", "bound")
    elif given.optimizer is not None:
        chosen = ("layer", "output", "parameters", "macs", "memory", "kept")
    elif sort:
        chosen = ("layer", "output", "parameters", "macs", "memory", "field")
    return (*chosen, sort) if sort and sort not in chosen else chosen


def listed_columns(given: Conditions) -> tuple[str, ...]:
    """Return the columns of a list for which none were chosen: all that have something to say, but inputs and line."""
    missing = {"--device" if given.device is None else "", "--training" if given.optimizer is None else ""} - {""}
    return tuple(name for name, column in COLUMNS.items() if column.needs not in missing and name not in _LONG)


_LONG = ("inputs", "line")
