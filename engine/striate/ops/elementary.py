"""Elementary functions of one entry: angles and their hyperbolic kin, powers, rounding, sign, the error function."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from striate.ops.arguments import Argument, Real
from striate.ops.decomposition import Decomposition
from striate.ops.domains import ABOVE_ONE, ABOVE_ZERO, WITHIN_ONE
from striate.ops.entrywise import onnx_nodes, onnx_operator, samples, unchanged
from striate.ops.record import Attributes, InputDomain, OpRecord, Sample, TorchCall
from striate.ops.work import KEEPS_NOTHING, ONE_PER_ENTRY, USUAL, Work

if TYPE_CHECKING:
    from torch import Tensor

_FUNCTIONS = "Olver et al., NIST handbook of mathematical functions, 2010, chapters 4 and 7"
_ROUNDING = "IEEE 754-2019, section 5.9 (rounding to integral values), and ONNX's operator of that name"


_ROUNDED = Work(ONE_PER_ENTRY, KEEPS_NOTHING)
"""The gradient is zero everywhere, so nothing is kept for it."""


def _torch(name: str) -> Callable[[TorchCall], Tensor]:
    """Return a rule that applies the function of that name in `torch`."""

    def rule(call: TorchCall) -> Tensor:
        result: Tensor = getattr(call.torch, name)(call.inputs[0])
        return result

    return rule


def _function(
    name: str, summary: str, reference: str = _FUNCTIONS, work: Work = USUAL, domain: InputDomain | None = None
) -> OpRecord:
    """Return the record of a function that torch and ONNX know by the layer's name."""
    return OpRecord(
        name=name,
        work=work,
        summary=summary,
        shape=unchanged,
        torch=_torch(name),
        onnx=onnx_operator(name.capitalize()),
        domain=domain,
        samples=samples(),
        reference=reference,
    )


SIN = _function("sin", "Sine of an angle in radians: out = sin(in).")
COS = _function("cos", "Cosine of an angle in radians: out = cos(in).")
TAN = _function("tan", "Tangent of an angle in radians: out = sin(in) / cos(in).")
ASIN = _function(
    "asin", "Angle of a sine, for entries from -1 to 1: out from -pi/2 to pi/2 with sin(out) = in.", domain=WITHIN_ONE
)
ACOS = _function(
    "acos", "Angle of a cosine, for entries from -1 to 1: out from 0 to pi with cos(out) = in.", domain=WITHIN_ONE
)
ATAN = _function("atan", "Angle of a tangent: out from -pi/2 to pi/2 with tan(out) = in.")
SINH = _function("sinh", "Hyperbolic sine: out = (e^in - e^-in) / 2.")
COSH = _function("cosh", "Hyperbolic cosine: out = (e^in + e^-in) / 2.")
ASINH = _function("asinh", "Inverse of the hyperbolic sine: out = log(in + sqrt(in^2 + 1)).")
ACOSH = _function(
    "acosh",
    "Inverse of the hyperbolic cosine, for entries of at least 1: out = log(in + sqrt(in^2 - 1)).",
    domain=ABOVE_ONE,
)
ATANH = _function(
    "atanh",
    "Inverse of the hyperbolic tangent, for entries between -1 and 1: out = log((1 + in) / (1 - in)) / 2.",
    domain=WITHIN_ONE,
)
ERF = _function("erf", "Error function: out = 2 / sqrt(pi) * the integral of e^-t^2 from 0 to in.")
CEIL = _function("ceil", "Smallest whole number that is not below the entry.", _ROUNDING, _ROUNDED)
FLOOR = _function("floor", "Largest whole number that is not above the entry.", _ROUNDING, _ROUNDED)
ROUND = _function("round", "Nearest whole number; a half goes to the even one.", _ROUNDING, _ROUNDED)
SIGN = _function("sign", "Sign of an entry: 1 above 0, -1 below 0, 0 at 0.", _ROUNDING, _ROUNDED)


def _power_torch(call: TorchCall) -> Tensor:
    result: Tensor = call.torch.pow(call.inputs[0], call.attributes["exponent"])
    return result


def _power_onnx(write: Decomposition, value: str, attributes: Attributes) -> None:
    write.result("Pow", value, write.number(attributes["exponent"]))


POWER = OpRecord(
    name="power",
    summary="Power with a fixed exponent: out = in ^ exponent; entries below 0 need an exponent that is whole.",
    arguments=(Argument("exponent", Real(), "The exponent."),),
    shape=unchanged,
    torch=_power_torch,
    onnx=onnx_nodes(_power_onnx),
    domain=ABOVE_ZERO,
    samples=(
        *samples({"exponent": 3}),
        Sample({"exponent": 1.5}, ((6, 5, 7),)),
        Sample({"exponent": -0.5}, ((10,),)),
        Sample({"exponent": "two"}, ((10,),), fails="exponent must be a number"),
    ),
    reference=_FUNCTIONS,
)

RECORDS = (SIN, COS, TAN, ASIN, ACOS, ATAN, SINH, COSH, ASINH, ACOSH, ATANH, ERF, CEIL, FLOOR, ROUND, SIGN, POWER)
