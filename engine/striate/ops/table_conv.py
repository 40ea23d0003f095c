"""Convolution by a connection table, which says which input maps each output map sees (LeNet-5's layer C3).

Weights exist for connected pairs only. What torch and ONNX convolve with is a dense kernel into which they are laid.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Final

from striate.dims import Dim
from striate.graph import Initializer
from striate.ops.arguments import (
    Argument,
    ArgumentError,
    Choice,
    Flag,
    OneOf,
    Padding,
    PerAxis,
    as_whole,
    quote_value,
)
from striate.ops.decomposition import Decomposition
from striate.ops.geometry import (
    grid_size,
    receptive_window,
    settle_windows,
    window_formula,
    window_output,
)
from striate.ops.initializers import INITIALIZERS
from striate.ops.padding import FILL, check_filled, kept_filled, onnx_filled_padding, padded
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types, WeightSpec
from striate.ops.sizes import entries, known_channels, pixels, typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import Kept, Work

if TYPE_CHECKING:
    from torch import Tensor

Table = tuple[tuple[int, ...], ...]
"""The input maps of each output map, counted from 0."""

TABLES: Final[dict[str, Table]] = {
    # LeCun et al., 1998, table I, column by column: six times three maps, nine times four, all of them once.
    "lenet_c3": (
        *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
        *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
        *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
        (0, 1, 2, 3, 4, 5),
    ),
}
"""The tables that have a name."""


@dataclass(frozen=True, slots=True)
class ConnectionTable:
    """The name of a table, or a list with the list of input maps of each output map; settled as tuples."""

    @property
    def choices(self) -> tuple[str, ...]:
        """Names that mean themselves, whatever else is called so where the argument stands."""
        return tuple(TABLES)

    def describe(self) -> str:
        return f"{', '.join(TABLES)}, or a list with a list of different input maps, from 0, for each output map"

    def convert(self, value: Any) -> Table:
        name = value.name if isinstance(value, Choice) else value
        if isinstance(name, str) and name in TABLES:
            return TABLES[name]
        if not isinstance(value, (tuple, list)) or not value:
            raise self._rejected(value)
        return tuple(self._maps(row, value) for row in value)

    def _maps(self, row: Any, value: Any) -> tuple[int, ...]:
        if not isinstance(row, (tuple, list, range)):
            raise self._rejected(value)
        maps = [whole for item in row if (whole := as_whole(item)) is not None and whole >= 0]
        if not maps or len(maps) < len(row) or len(set(maps)) < len(maps):
            raise self._rejected(value)
        return tuple(maps)

    def _rejected(self, value: Any) -> ArgumentError:
        return ArgumentError(f"must be {self.describe()}, not {quote_value(value)}")


def _pairs(attributes: Attributes) -> list[tuple[int, int]]:
    """Return output and input map of every connection, in the order of the weights."""
    return [(made, seen) for made, row in enumerate(attributes["table"]) for seen in row]


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    sizes, channels = grid_size(inputs), known_channels(inputs)
    number, last = max((max(row), number) for number, row in enumerate(attributes["table"]))[::-1]
    if last >= channels:
        raise LayerError(
            Problem(
                f"the table's output map {number} sees input map {last}, but there are {channels} input channels",
                code="E0205",
                argument="table",
                notes=("maps are counted from 0",),
                help=f"give the convolution before it {last + 1} channels, or leave the maps from {channels} on out",
            )
        )
    made = window_output(attributes, sizes, check)
    check_filled(attributes, sizes, check)
    return typed(len(attributes["table"]), *made)


def _weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    pairs, made = len(_pairs(attributes)), len(attributes["table"])
    taps = prod(attributes["kernel"])
    # Of a map on average: how many maps it sees, and by how many it is seen.
    fans = {"fan_in": pairs * taps / made, "fan_out": pairs * taps / known_channels(inputs)}
    kernel = WeightSpec("weight", (pairs, *attributes["kernel"]), Initializer(attributes["init"], fans))
    return (kernel, WeightSpec("bias", (made,), Initializer("zeros"))) if attributes["bias"] else (kernel,)


def _macs(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    each = len(_pairs(attributes)) * prod(attributes["kernel"])
    return pixels(outputs[0]) * each


def _operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return entries(outputs[0]) if attributes["bias"] else 0


def _keeps(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return kept_filled(attributes, inputs)


def _torch(call: TorchCall) -> Tensor:
    attributes, weight, values = call.attributes, call.weights["weight"], call.inputs[0]
    made, seen = (call.torch.tensor(maps, device=weight.device) for maps in zip(*_pairs(attributes), strict=True))
    dense = weight.new_zeros(len(attributes["table"]), values.shape[1], *attributes["kernel"])
    dense.index_put_((made, seen), weight)
    values, padding = padded(call, values)
    result: Tensor = getattr(call.torch.nn.functional, f"conv{len(padding)}d")(
        values, dense, call.weights.get("bias"), attributes["stride"], padding, attributes["dilation"]
    )
    return result


def _onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, attributes = Decomposition(call, sink), call.attributes
    channels, kernel = known_channels(tuple(call.input_types)), attributes["kernel"]
    none = write("ConstantOfShape", write.sizes([len(attributes["table"]), channels, *kernel]))
    places = sink.constant(f"{call.name}/pairs", [list(pair) for pair in _pairs(attributes)], "int64")
    dense = write("ScatterND", none, places, call.weights["weight"])
    values, padding = onnx_filled_padding(call, sink, write)
    bias = [call.weights["bias"]] if attributes["bias"] else []
    settings = {"kernel_shape": kernel, "strides": attributes["stride"], "dilations": attributes["dilation"]}
    write.result("Conv", values, dense, *bias, **settings, **padding)


TABLE_CONV = OpRecord(
    name="table_conv",
    work=Work(_operations, _keeps),
    role="weights",
    summary="Convolution in which each output map sees the input maps that a table lists for it: out_j = bias_j + the "
    "sum over the listed i of weight_ij * in_i. Pairs that are not listed have no weights; an input map that no list "
    "names is not seen.",
    arguments=(
        Argument(
            "table",
            ConnectionTable(),
            "The input maps of each output map, counted from 0, e.g. [[0, 1], [1, 2], [0, 2]]; or lenet_c3, the table "
            "of LeNet-5's layer C3, from 6 maps to 16.",
        ),
        Argument("kernel", PerAxis(), "Size of the kernel: one number, or one per axis, e.g. (height, width)."),
        Argument("stride", PerAxis(), "Step between two windows.", 1),
        Argument("pad", Padding(), "Rows and columns added around the image; fill says what they hold.", 0),
        Argument("dilation", PerAxis(), "Distance between two kernel entries.", 1),
        Argument("bias", Flag(), "Whether a bias is added per output map.", True),
        Argument("init", OneOf(tuple(INITIALIZERS)), "How the kernels start.", Choice("he_normal")),
        FILL,
    ),
    settle=settle_windows,
    shape=_shape,
    weights=_weights,
    macs=_macs,
    window=receptive_window,
    formula=window_formula,
    torch=_torch,
    onnx=_onnx,
    samples=(
        Sample({"table": Choice("lenet_c3"), "kernel": 5}, ((6, 14, 13),)),
        Sample({"table": [[0, 1], [1, 2], [0, 2], [0, 1, 2]], "kernel": 3, "stride": 2, "pad": 1}, ((3, 9, 8),)),
        Sample({"table": [[0], [1, 0]], "kernel": (3, 2), "dilation": 2, "bias": False}, ((2, 8, 7),)),
        Sample({"table": [[1], [0, 1]], "kernel": 3, "pad": "same", "stride": 2, "init": "lecun_normal"}, ((2, 8, 7),)),
        Sample({"table": [[0, 1], [1]], "kernel": 3, "pad": (1, 0)}, ((2, 9),)),
        Sample({"table": [[0, 1], [1]], "kernel": 2, "pad": "half"}, ((2, 4, 3, 5),)),
        Sample({"table": [[0, 1], [1]], "kernel": 3, "pad": 1, "fill": "reflect"}, ((2, 4, 5),)),
        Sample({"table": [[0, 1], [1]], "kernel": 3, "pad": "same", "stride": 2, "fill": "circular"}, ((2, 6, 5),)),
        Sample({"table": [[0, 1], [1]], "kernel": 3, "pad": (2, 1), "fill": "replicate"}, ((2, 6),)),
        Sample({"table": [[0, 1], [1]], "kernel": 2, "pad": 1, "fill": 0.5}, ((2, 3, 4, 2),)),
        Sample(
            {"table": [[0], [1]], "kernel": 3, "pad": 5, "fill": "circular"},
            ((2, 4, 9),),
            fails="too wide for the height 4",
        ),
        Sample({"table": Choice("lenet_c3"), "kernel": 5}, ((4, 14, 14),), fails="sees input map 5, but there are 4"),
        Sample({"table": [[0, 0]], "kernel": 3}, ((2, 6, 5),), fails="a list of different input maps"),
        Sample({"table": [[0], [1]], "kernel": 7}, ((2, 6, 9),), fails="larger than the height 6"),
        Sample({"table": [[0], [1]], "kernel": 3}, ((2,),), fails="needs an image"),
    ),
    reference="LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition, 1998, "
    "section II.B and table I",
)

RECORDS = (TABLE_CONV,)
