"""Functions of one entry as formulas use them: scale and shift, powers, roots, logarithms."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from striate.ops.arguments import Argument, Real
from striate.ops.decomposition import Decomposition
from striate.ops.domains import ABOVE_ZERO
from striate.ops.entrywise import onnx_nodes, onnx_operator, samples, unchanged
from striate.ops.record import Attributes, InputDomain, OpRecord, Sample, TorchCall
from striate.ops.work import KEEPS_INPUT, KEEPS_NOTHING, KEEPS_OUTPUT, Keeping, Work, per_entry

if TYPE_CHECKING:
    from torch import Tensor

_ARITHMETIC = "Higham, Accuracy and stability of numerical algorithms, 2002, chapter 2 (the operations of IEEE 754)"


def _torch_operation(name: str) -> Callable[[TorchCall], Tensor]:
    """Return a rule that applies the function of that name in `torch`."""

    def rule(call: TorchCall) -> Tensor:
        result: Tensor = getattr(call.torch, name)(call.inputs[0])
        return result

    return rule


def _linear_torch(call: TorchCall) -> Tensor:
    result: Tensor = call.inputs[0] * call.attributes["scale"] + call.attributes["shift"]
    return result


def _linear_onnx(write: Decomposition, value: str, attributes: Attributes) -> None:
    scale, shift = attributes["scale"], attributes["shift"]
    if scale == 1 and shift == 0:
        write.result("Identity", value)
    elif shift == 0:
        write.result("Mul", value, write.number(scale))
    else:
        scaled = value if scale == 1 else write("Mul", value, write.number(scale))
        write.result("Add", scaled, write.number(shift))


LINEAR = OpRecord(
    name="linear",
    work=Work(per_entry(2), KEEPS_NOTHING, scratch=per_entry(1)),
    summary="Straight line without weights: out = scale * in + shift; as it stands, the activation that does nothing.",
    arguments=(
        Argument("scale", Real(), "What every entry is multiplied by.", 1.0),
        Argument("shift", Real(), "What is added to it.", 0.0),
    ),
    shape=unchanged,
    torch=_linear_torch,
    onnx=onnx_nodes(_linear_onnx),
    samples=(
        *samples(),
        Sample({"scale": 2, "shift": -1}, ((6, 5, 7),)),
        Sample({"scale": 0.5}, ((10,),)),
        Sample({"shift": 3}, ((10,),)),
        Sample({"scale": "double"}, ((10,),), fails="scale must be a number"),
    ),
    reference="Goodfellow, Bengio and Courville, Deep learning, 2016, section 6.2.2.1 (linear units)",
)


def _square_onnx(write: Decomposition, value: str, attributes: Attributes) -> None:
    write.result("Mul", value, value)


def _function(
    name: str,
    summary: str,
    op_type: str,
    *,
    keeps: Keeping,
    onnx: Callable[..., None] | None = None,
    bends: bool = True,
    domain: InputDomain | None = None,
) -> OpRecord:
    """Return the record of a function that torch knows by the layer's name and that takes no arguments."""
    return OpRecord(
        name=name,
        work=Work(per_entry(1), keeps),
        summary=summary,
        role="activation" if bends else "other",
        shape=unchanged,
        torch=_torch_operation(name),
        onnx=onnx or onnx_operator(op_type),
        domain=domain,
        samples=samples(),
        reference=_ARITHMETIC,
    )


EXP = _function("exp", "Exponential function: out = e^in.", "Exp", keeps=KEEPS_OUTPUT)
LOG = _function(
    "log",
    "Natural logarithm, for positive entries: out = log(in).",
    "Log",
    keeps=KEEPS_INPUT,
    bends=False,
    domain=ABOVE_ZERO,
)
SQRT = _function(
    "sqrt", "Square root, for entries of at least 0: out = in ^ (1/2).", "Sqrt", keeps=KEEPS_OUTPUT, domain=ABOVE_ZERO
)
ABS = _function("abs", "Size without the sign: out = |in|.", "Abs", keeps=KEEPS_INPUT)
NEG = _function("neg", "The other sign: out = -in.", "Neg", keeps=KEEPS_NOTHING, bends=False)
SQUARE = _function("square", "Square: out = in * in.", "Mul", keeps=KEEPS_INPUT, onnx=onnx_nodes(_square_onnx))
RECIPROCAL = _function(
    "reciprocal",
    "Reciprocal, for entries that are not 0: out = 1 / in.",
    "Reciprocal",
    keeps=KEEPS_OUTPUT,
    bends=False,
    domain=ABOVE_ZERO,
)

RECORDS = (LINEAR, EXP, LOG, SQRT, ABS, NEG, SQUARE, RECIPROCAL)
