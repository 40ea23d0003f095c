"""Other arguments worth trying for a call that makes an axis the wrong size, the likeliest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from striate.graph import Node
from striate.ops.record import OpRecord

MOST_PADDING = 16
MOST_STRIDE = 4
MOST_OTHER_KERNEL = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """Another value for one argument; of two that help, the one of lower `rank` is proposed first."""

    argument: str
    value: int | bool
    rank: tuple[int, int, int]


_BY_ROWS = {"pad": 0, "ceil": 1, "output_padding": 2, "kernel": 3, "stride": 4}
_BY_STRIDES = {"stride": 0, "output_padding": 1, "pad": 2, "ceil": 3, "kernel": 4}


def window_candidates(record: OpRecord, node: Node, *, strides_differ: bool) -> list[Candidate]:
    """Return other paddings, strides, kernels and roundings for a sliding window, by how likely they are meant.

    Padding of half the kernel keeps sizes and is what people mean most often; after that, the smaller change is the
    likelier one. Where branches differ by a stride, padding is a poor excuse for it and comes later.
    """
    order = _BY_STRIDES if strides_differ else _BY_ROWS
    known = {item.name for item in record.arguments}
    found = [
        Candidate(name, value, (order[name], 0 if usual else 1, distance))
        for name, value, usual, distance in _values(node.attributes)
        if name in known
    ]
    return sorted(found, key=lambda each: each.rank)


def _values(attributes: Any) -> Iterator[tuple[str, int | bool, bool, int]]:
    """Yield argument, value, whether it is the usual one, and how far it is from the present one."""
    kernel, stride, pad = (attributes.get(name) for name in ("kernel", "stride", "pad"))
    if not isinstance(kernel, tuple) or not isinstance(stride, tuple) or len(set(kernel)) > 1 or len(set(stride)) > 1:
        return
    dilation = attributes.get("dilation", (1,))[0]
    extent = dilation * (kernel[0] - 1) + 1
    now = pad[0] if isinstance(pad, tuple) and len(set(pad)) == 1 else None
    for value in range(min(extent, MOST_PADDING + 1)):
        if value != now:
            yield "pad", value, 2 * value == extent - 1, abs(value - (now or 0))
    for value in range(1, MOST_STRIDE + 1):
        if value != stride[0]:
            yield "stride", value, False, abs(value - stride[0])
    # A window smaller than its step leaves pixels that nobody sees, and one of a single pixel is another kind of layer.
    for value in range(
        max(stride[0], min(kernel[0], 2), kernel[0] - MOST_OTHER_KERNEL), kernel[0] + MOST_OTHER_KERNEL + 1
    ):
        if value != kernel[0]:
            yield "kernel", value, value % 2 == 1, abs(value - kernel[0])
    if isinstance(attributes.get("ceil"), bool):
        yield "ceil", not attributes["ceil"], False, 0
    extra = attributes.get("output_padding")
    if isinstance(extra, tuple):
        for value in range(min(stride[0], MOST_PADDING + 1)):
            if value != extra[0]:
                yield "output_padding", value, False, value
