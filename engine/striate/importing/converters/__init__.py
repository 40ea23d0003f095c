"""What each operator of ONNX becomes: one table, filled by one module per family."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from striate.importing.call import Call
from striate.importing.converters import (
    entrywise,
    grids,
    merging,
    normalising,
    picking,
    pooling,
    products,
    reducing,
    resizing,
    shaping,
    windows,
)
from striate.importing.network import Value

Converter = Callable[[Call], Value | list[Value]]
"""Adds the layers of a node and returns what it makes; raises `UnsupportedError` where the language has no layer."""

FAMILIES = (windows, pooling, normalising, products, entrywise, merging, shaping, picking, resizing, grids, reducing)

CONVERTERS: Mapping[str, Converter] = {name: rule for family in FAMILIES for name, rule in family.CONVERTERS.items()}
"""The converters by operator."""
