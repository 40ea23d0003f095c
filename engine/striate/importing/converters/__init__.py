"""What each operator of ONNX becomes: one table, filled by one module per family."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from striate.importing.call import Call
from striate.importing.converters import (
    borders,
    entrywise,
    grids,
    indexing,
    merging,
    normalising,
    picking,
    pooling,
    products,
    reducing,
    regions,
    resizing,
    shaping,
    windows,
)
from striate.importing.network import PLANES, Value

Converter = Callable[[Call], Value | list[Value]]
"""Adds the layers of a node and returns what it makes; raises `UnsupportedError` where the language has no layer."""

FAMILIES = (
    windows,
    pooling,
    normalising,
    products,
    entrywise,
    merging,
    shaping,
    picking,
    indexing,
    borders,
    resizing,
    grids,
    reducing,
    regions,
)

CONVERTERS: Mapping[str, Converter] = {name: rule for family in FAMILIES for name, rule in family.CONVERTERS.items()}
"""The converters by operator."""

FORMS: Mapping[str, frozenset[str]] = {"MaxUnpool": frozenset({PLANES})}
"""The forms of values, other than ONNX's own, that the converter of an operator knows of."""
