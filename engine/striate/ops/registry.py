"""The built-in layers by name. Plugins' layers are records of the same type and come in through the host.

A module of records is imported when the first of its layers is asked for: a network uses a dozen of all of them, and
importing the rest would take longer than checking it. Which module has a layer stands in `_index.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module

from striate.ops._index import INDEX
from striate.ops.record import OpRecord

MODULES = (
    "conv",
    "local_conv",
    "deform_conv",
    "table_conv",
    "partial_conv",
    "pool",
    "pool_kinds",
    "global_pool",
    "adaptive_pool",
    "random_pool",
    "unpool",
    "region_pool",
    "norm",
    "layer_norm",
    "group_norm",
    "adaptive_norm",
    "response_norm",
    "rectifier",
    "exponential",
    "activation",
    "softmax",
    "gumbel",
    "gating",
    "arithmetic",
    "elementary",
    "scalar",
    "dense",
    "dropconnect",
    "recurrent",
    "conv_lstm",
    "attention",
    "window_attention",
    "nonlocal_block",
    "graph_conv",
    "flatten",
    "reshape",
    "picking",
    "parting",
    "rearrange",
    "border",
    "resize",
    "shuffle",
    "sampling",
    "image_filter",
    "edge_preserving",
    "coordinates",
    "reduction",
    "running",
    "indexing",
    "choosing",
    "dropout",
    "concrete_dropout",
    "disturbance",
    "merge",
    "combine",
    "product",
    "comparing",
    "stored",
    "identity",
)
"""The modules with a table `RECORDS`, in the order of the documentation."""


class _Builtin(Mapping[str, OpRecord]):
    """The records by name; each module is imported once it is needed."""

    def __init__(self) -> None:
        self._records: dict[str, OpRecord] = {}

    def __getitem__(self, name: str) -> OpRecord:
        known = self._records.get(name)
        if known is None:
            self._records |= {record.name: record for record in records_of(INDEX[name])}
            known = self._records[name]
        return known

    def __contains__(self, name: object) -> bool:
        return name in INDEX

    def __iter__(self) -> Iterator[str]:
        return iter(INDEX)

    def __len__(self) -> int:
        return len(INDEX)


BUILTIN: Mapping[str, OpRecord] = _Builtin()
"""Every built-in layer by the name it has in `.cnn` files, in the order of the documentation."""


@dataclass(frozen=True, slots=True)
class Family:
    """Layers that belong together: the module that holds them, what it says of itself, the records."""

    title: str
    records: tuple[OpRecord, ...]


def records_of(module: str) -> tuple[OpRecord, ...]:
    """Return the records of one of `MODULES`."""
    return tuple(import_module(f"striate.ops.{module}").RECORDS)


def families() -> dict[str, Family]:
    """Return the families by the name of their module, in the order of the documentation; imports all of them."""
    return {name: _family(name) for name in MODULES}


def _family(module: str) -> Family:
    doc = import_module(f"striate.ops.{module}").__doc__ or module
    return Family(doc.strip().splitlines()[0].rstrip("."), records_of(module))
