"""The built-in layers by name. Plugins' layers are records of the same type and come in through the host."""

from __future__ import annotations

from collections.abc import Mapping

from striate.ops import activation, conv, dense, dropout, flatten, identity, merge, norm, pool
from striate.ops.record import OpRecord

_FAMILIES = (conv, pool, norm, activation, dense, flatten, dropout, merge, identity)

BUILTIN: Mapping[str, OpRecord] = {record.name: record for family in _FAMILIES for record in family.RECORDS}
"""Every built-in layer by the name it has in `.cnn` files, in the order of the documentation."""
