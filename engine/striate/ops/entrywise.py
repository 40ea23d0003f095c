"""What layers share that keep the size of a value: shape rule, samples of every rank, rules by a function's name.

A layer of this kind is one function of one number, applied to every entry, or of the entries along one axis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from striate.ops.decomposition import Decomposition
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, Sample, TorchCall, Types
from striate.ops.sizes import same_type
from striate.ops.targets import OnnxCall, OnnxSink

if TYPE_CHECKING:
    from torch import Tensor

TorchRule = Callable[[TorchCall], "Tensor"]
OnnxRule = Callable[[OnnxCall, OnnxSink], None]

EVERY_RANK: tuple[tuple[int, ...], ...] = ((6, 5, 7), (10,), (4, 9), (3, 4, 2, 5))
"""An image, a flat value, a sequence and a volume."""


def unchanged(attributes: Attributes, inputs: Types, check: Check) -> Types:
    """Shape rule: the output has the size of the (first) input."""
    return same_type(inputs)


def ordered(attributes: Attributes, low: str, high: str) -> None:
    """Demand that one attribute is not above another.

    Raises:
        LayerError: it is.
    """
    if attributes[low] > attributes[high]:
        raise LayerError(
            Problem(
                f"{low} = {attributes[low]:g} is above {high} = {attributes[high]:g}",
                code="E0211",
                argument=low,
                help=f"exchange the two numbers, or write {high} if it was left out",
            )
        )


def samples(arguments: Mapping[str, Any] | None = None) -> tuple[Sample, ...]:
    """Return one sample for every rank."""
    return tuple(Sample(arguments or {}, (shape,)) for shape in EVERY_RANK)


def torch_function(name: str, **attributes: str) -> TorchRule:
    """Return a rule that calls a function of `torch.nn.functional`; keywords say which attribute torch calls so."""

    def rule(call: TorchCall) -> Tensor:
        given = {keyword: call.attributes[attribute] for keyword, attribute in attributes.items()}
        result: Tensor = getattr(call.torch.nn.functional, name)(call.inputs[0], **given)
        return result

    return rule


def onnx_operator(op_type: str, **attributes: str) -> OnnxRule:
    """Return a rule that writes one node; keywords say which attribute ONNX calls so."""

    def rule(call: OnnxCall, sink: OnnxSink) -> None:
        given = {keyword: call.attributes[attribute] for keyword, attribute in attributes.items()}
        sink.node(op_type, call.inputs, call.outputs, **given)

    return rule


def onnx_nodes(write: Callable[[Decomposition, str, Attributes], None]) -> OnnxRule:
    """Return a rule made from a function that writes nodes, given the input's name and the attributes."""

    def rule(call: OnnxCall, sink: OnnxSink) -> None:
        write(Decomposition(call, sink), call.inputs[0], call.attributes)

    return rule
