"""What runtimes that cannot be tried here say they take: tables of operators and of limits, each with its source.

A table holds what its source says at the version that it names, and no more: a runtime of another version may take less
or more. ONNX Runtime and OpenVINO are in no table, because they are asked themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from onnx import ModelProto, NodeProto, helper

Known = Mapping[str, int]
"""The number of axes of every value of a file that has a size in it, the batch included."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a runtime demands of an operator: in words, and whether a node is beyond it, given ranks and constants."""

    words: str
    is_broken: Callable[[NodeProto, Known, frozenset[str]], bool]


@dataclass(frozen=True, slots=True)
class Runtime:
    """A runtime as it describes itself.

    Attributes:
        title: its name and the version that the source speaks of.
        source: where it says so.
        opsets: the lowest and highest operator set.
        operators: the operators that it takes.
        limits: what it demands of some of them.
        otherwise: what becomes of layers that it does not take.
    """

    title: str
    source: str
    opsets: tuple[int, int]
    operators: frozenset[str]
    limits: Mapping[str, tuple[Limit, ...]]
    otherwise: str


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A node that a runtime does not take: the layer that wrote it, its operator, and why."""

    layer: str
    op_type: str
    reason: str


def not_taken(document: ModelProto, runtime: Runtime) -> list[NotTaken]:
    """Return the nodes of a file of ours that a runtime says it does not take; of a layer each reason once."""
    network = document.graph
    sized = (*network.input, *network.value_info, *network.output)
    ranks = {item.name: len(item.type.tensor_type.shape.dim) for item in sized}
    constants = frozenset(item.name for item in network.initializer)
    found: dict[NotTaken, None] = {}
    for node in network.node:
        layer = node.name.partition("/")[0]
        if node.op_type not in runtime.operators:
            found[NotTaken(layer, node.op_type, "is not among its operators")] = None
        for limit in runtime.limits.get(node.op_type, ()):
            if limit.is_broken(node, ranks, constants):
                found[NotTaken(layer, node.op_type, limit.words)] = None
    return list(found)


def _attribute(node: NodeProto, name: str, default: object) -> object:
    return next((helper.get_attribute_value(item) for item in node.attribute if item.name == name), default)


def _rank_outside(ranks: Sequence[int]) -> Callable[[NodeProto, Known, frozenset[str]], bool]:
    def is_broken(node: NodeProto, known: Known, constants: frozenset[str]) -> bool:
        rank = known.get(node.input[0])
        return rank is not None and rank not in ranks

    return is_broken


def _is_dilated(node: NodeProto, known: Known, constants: frozenset[str]) -> bool:
    dilations = _attribute(node, "dilations", ())
    return isinstance(dilations, list) and any(step != 1 for step in dilations)


def _gives_places(node: NodeProto, known: Known, constants: frozenset[str]) -> bool:
    return len(node.output) > 1 and bool(node.output[1])


def _is_cubic(node: NodeProto, known: Known, constants: frozenset[str]) -> bool:
    return _attribute(node, "mode", b"nearest") == b"cubic"


def _smooths(node: NodeProto, known: Known, constants: frozenset[str]) -> bool:
    return bool(_attribute(node, "antialias", 0))


def _is_computed(place: int) -> Callable[[NodeProto, Known, frozenset[str]], bool]:
    def is_broken(node: NodeProto, known: Known, constants: frozenset[str]) -> bool:
        return len(node.input) > place and bool(node.input[place]) and node.input[place] not in constants

    return is_broken


_FLAT_OR_SOLID = Limit("pools images and volumes only", _rank_outside((4, 5)))
_IMAGES = Limit("takes images only", _rank_outside((4,)))
_NO_DILATION = Limit("takes no dilations", _is_dilated)
_AXES = Limit("must have its axes as a constant", _is_computed(1))
_REDUCTIONS = ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare")

_TENSORRT_OPERATORS = """
Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization Cast CastLike Ceil
Celu Clip Concat Constant ConstantOfShape Conv ConvTranspose Cos Cosh CumSum DeformConv DepthToSpace
DequantizeLinear Div Dropout Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor Gather GatherElements
GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample
GroupNormalization GRU HardSigmoid HardSwish Hardmax Identity If InstanceNormalization IsInf IsNaN
LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax Loop LRN LSTM LpNormalization LpPool MatMul Max
MaxPool Mean MeanVarianceNormalization Min Mish Mod Mul Neg NonMaxSuppression NonZero Not OneHot Or Pad Pow
PRelu QuantizeLinear Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean
ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize ReverseSequence RNN RoiAlign Round Scan
ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign
SpaceToDepth Split Sqrt Squeeze Sub Sum Tan Tanh ThresholdedRelu Tile TopK Transpose Trilu Unsqueeze Where Xor
"""

TENSORRT = Runtime(
    "TensorRT 10.1",
    "github.com/onnx/onnx-tensorrt, docs/operators.md at 96e7811",
    (9, 20),
    frozenset(_TENSORRT_OPERATORS.split()),
    {
        "AveragePool": (_FLAT_OR_SOLID, _NO_DILATION),
        "MaxPool": (_FLAT_OR_SOLID, _NO_DILATION, Limit("gives no places of the largest entries", _gives_places)),
        "LpPool": (_NO_DILATION,),
        "Resize": (Limit("has no cubic mode", _is_cubic), Limit("does not smooth (antialias)", _smooths)),
        "GridSample": (_IMAGES,),
        "CumSum": (_AXES,),
        "Squeeze": (_AXES,),
        "Unsqueeze": (_AXES,),
        "Slice": (Limit("must have its axes as a constant", _is_computed(3)),),
        "Pad": (Limit("must have its axes as a constant", _is_computed(3)),),
        **{f"Reduce{name}": (_AXES,) for name in _REDUCTIONS},
    },
    "it builds no engine of them without a plugin of its own kind",
)
"""What NVIDIA's ONNX parser says of itself."""

_COREML_OPERATORS = """
Add ArgMax AveragePool Cast Clip Concat Conv ConvTranspose Cos DepthToSpace Ceil Div Elu Erf Exp GatherND Gemm
Gelu GlobalAveragePool GlobalMaxPool GridSample GroupNormalization HardSigmoid Identity InstanceNormalization
LayerNormalization LeakyRelu MatMul MaxPool Max Mul Pow PRelu Range Reciprocal ReduceSum ReduceMean ReduceMax
Relu Reshape Resize Round Shape Sin Slice Softplus Split Sub Sigmoid Softmax Sqrt Squeeze Tanh Tile Transpose
Unsqueeze
"""

COREML = Runtime(
    "ONNX Runtime's Core ML provider (ML program)",
    "github.com/microsoft/onnxruntime, tools/ci_build/github/apple/coreml_supported_mlprogram_ops.md at 04f568d",
    (7, 25),
    frozenset(_COREML_OPERATORS.split()),
    {
        "AveragePool": (_IMAGES,),
        "MaxPool": (_IMAGES,),
        "GlobalAveragePool": (_IMAGES,),
        "GlobalMaxPool": (_IMAGES,),
        "GridSample": (_IMAGES,),
        "Conv": (
            Limit("takes sequences and images only", _rank_outside((3, 4))),
            Limit("must have its bias as a constant", _is_computed(2)),
        ),
        "ConvTranspose": (
            Limit("must have its kernel as a constant", _is_computed(1)),
            Limit("takes no output_padding", lambda node, known, constants: _pads_its_output(node)),
        ),
        "Gemm": (Limit("must have its second matrix as a constant", _is_computed(1)),),
        "Slice": (
            Limit("must have its first places as a constant", _is_computed(1)),
            Limit("must have its last places as a constant", _is_computed(2)),
        ),
        "Split": (Limit("must have its parts as a constant", _is_computed(1)),),
    },
    "the processor computes them, and each change between the two costs time",
)
"""What ONNX Runtime says of the part that hands networks to Core ML."""

RUNTIMES: Mapping[str, Runtime] = {"tensorrt": TENSORRT, "coreml": COREML}


def _pads_its_output(node: NodeProto) -> bool:
    added = _attribute(node, "output_padding", ())
    return isinstance(added, list) and any(added)
