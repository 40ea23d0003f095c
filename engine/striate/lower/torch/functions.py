"""Which functions of torch a layer calls: its rule is run on sizes without values, and its calls are noted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode, resolve_name

from striate.graph import TensorType, format_shape
from striate.ops.record import OpRecord, TorchCall, WeightSpec

_PRIVATE = re.compile(r"(^|\.)_")
_PROPERTY = re.compile(r"\.(__get__|shape|dtype|device|ndim|size|dim)$")


class _Noted(TorchFunctionMode):
    """Notes the public name of every function that is called, once, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[str, None] = {}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        name = resolve_name(func)
        if name and not _PRIVATE.search(name) and not _PROPERTY.search(name):
            self.names.setdefault(name)
        return func(*args, **(kwargs or {}))


def torch_functions(
    record: OpRecord, attributes: Mapping[str, Any], inputs: Sequence[TensorType], weights: Sequence[WeightSpec]
) -> tuple[str, ...]:
    """Return the functions that a layer calls on inputs of these known sizes, e.g. `torch.nn.functional.conv2d`.

    Evaluation and training are both run. Operators (`a + b`) and questions about sizes are left out.
    """
    noted = _Noted()
    for training in (False, True):
        values = [torch.empty((2, *_known(item)), device="meta") for item in inputs]
        entries = {weight.role: torch.empty(weight.shape, device="meta") for weight in weights}
        with noted:
            record.torch(TorchCall(torch, attributes, values, entries, training))
    return tuple(noted.names)


def _known(item: TensorType) -> list[int]:
    sizes = [size for size in item.shape if isinstance(size, int)]
    if len(sizes) != item.rank:
        raise ValueError(f"the functions of a layer are asked for on known sizes, not on {format_shape(item)}")
    return sizes
