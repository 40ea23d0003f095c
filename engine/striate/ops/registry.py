"""The built-in layers by name. Plugins' layers are records of the same type and come in through the host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

from striate.ops import (
    activation,
    adaptive_norm,
    arithmetic,
    border,
    combine,
    comparing,
    concrete_dropout,
    conv,
    dense,
    disturbance,
    dropconnect,
    dropout,
    elementary,
    exponential,
    flatten,
    gating,
    group_norm,
    identity,
    layer_norm,
    merge,
    norm,
    parting,
    picking,
    pool,
    product,
    rearrange,
    rectifier,
    reduction,
    reshape,
    resize,
    response_norm,
    running,
    sampling,
    scalar,
    shuffle,
    softmax,
    stored,
)
from striate.ops.record import OpRecord

_FAMILIES = (
    conv,
    pool,
    norm,
    layer_norm,
    group_norm,
    adaptive_norm,
    response_norm,
    rectifier,
    exponential,
    activation,
    softmax,
    gating,
    arithmetic,
    elementary,
    scalar,
    dense,
    dropconnect,
    flatten,
    reshape,
    picking,
    parting,
    rearrange,
    border,
    resize,
    shuffle,
    sampling,
    reduction,
    running,
    dropout,
    concrete_dropout,
    disturbance,
    merge,
    combine,
    product,
    comparing,
    stored,
    identity,
)

BUILTIN: Mapping[str, OpRecord] = {record.name: record for family in _FAMILIES for record in family.RECORDS}
"""Every built-in layer by the name it has in `.cnn` files, in the order of the documentation."""


@dataclass(frozen=True, slots=True)
class Family:
    """Layers that belong together: the module that holds them, what it says of itself, the records."""

    title: str
    records: tuple[OpRecord, ...]


def _family(module: ModuleType) -> Family:
    first = (module.__doc__ or module.__name__).strip().splitlines()[0]
    return Family(first.rstrip("."), tuple(module.RECORDS))


FAMILIES: Mapping[str, Family] = {module.__name__.rpartition(".")[2]: _family(module) for module in _FAMILIES}
"""The families by the name of their module, in the order of the documentation."""
