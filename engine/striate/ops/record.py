"""What one layer is: the record from which everything about it is derived.

A record states a layer's arguments, its shape rule, weights, costs and receptive field, how torch and ONNX compute it,
and samples that the tests run. Built-in layers and plugins' layers are records of this same type. Declaring a record
imports neither torch nor onnx: its torch rule receives the torch module, its ONNX rule receives a sink to write to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from striate.dims import Dim
from striate.graph import Initializer, TensorType
from striate.ops.arguments import Argument, Kind, Optional
from striate.ops.problems import Check
from striate.ops.shape_arguments import NamedValue
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import USUAL, Work

if TYPE_CHECKING:
    from torch import Tensor

Attributes = Mapping[str, Any]
Types = tuple[TensorType, ...]


@dataclass(frozen=True, slots=True)
class WeightSpec:
    """A weight that a layer needs: its role in the layer (`weight`, `bias`, …), size and start."""

    role: str
    shape: tuple[int, ...]
    initializer: Initializer
    trainable: bool = True


@dataclass(frozen=True, slots=True)
class Window:
    """What one output pixel sees of the input, per axis: `extent` pixels, moving by `stride`, starting at `-padding`.

    `extent` is the dilated kernel, `dilation * (kernel - 1) + 1`. A transposed convolution has a fractional stride.
    A sequence has one axis, an image two, a volume three.

    `spacing` is the distance from one tap to the next where they leave pixels out: the dilation of a convolution, and
    that over the stride of a transposed one, where taps between two pixels see nothing. Empty, every pixel is seen.
    """

    extent: tuple[float, ...]
    stride: tuple[float, ...]
    padding: tuple[float, ...]
    spacing: tuple[float, ...] = ()

    def along(self, axis: int) -> tuple[float, float, float]:
        """Return extent, stride and padding along an axis, counted from 0 (the height of an image)."""
        if not self.extent:
            return 1, 1, 0
        return self.extent[axis], self.stride[axis], self.padding[axis]

    def spacing_along(self, axis: int) -> float | None:
        """Return the distance between two taps along an axis; None where every pixel is seen."""
        return self.spacing[axis] if self.spacing else None


Role = Literal["weights", "activation", "probabilities", "normalisation", "regularisation", "other"]
"""What a layer is for, as far as lints ask."""

POINTWISE = Window((), (), ())
"""The window of a layer that looks at one pixel only, whatever the number of axes."""


@dataclass(frozen=True, slots=True)
class TorchCall:
    """One evaluation of a layer in torch: the torch module, the settled attributes, tensors and weights by role.

    Tensors have the batch axis in front: `N x C x H x W` or `N x F`.
    """

    torch: Any
    attributes: Attributes
    inputs: Sequence[Tensor]
    weights: Mapping[str, Tensor]
    training: bool


@dataclass(frozen=True, slots=True)
class PenaltyCall:
    """One evaluation of a layer's penalty: the torch module, settled attributes, weights by role, input sizes."""

    torch: Any
    attributes: Attributes
    weights: Mapping[str, Tensor]
    inputs: Types


@dataclass(frozen=True, slots=True)
class InputDomain:
    """For which inputs a layer is defined, where random numbers are none: positive ones, places, regions.

    Attributes:
        fit: from the torch module, settled attributes and random inputs (batch axis in front) to inputs for which the
            layer is defined.
        places: the arguments whose values number places (indices, regions): no gradient flows into them.
    """

    fit: Callable[[Any, Attributes, list[Tensor]], list[Tensor]]
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """A configuration for the tests and the documentation: arguments as in a `.cnn` file, and input sizes.

    `fails` holds a part of the message where the configuration must be refused. `parameters` and `macs` are the numbers
    worked out by hand, which the tests hold against the record's rules.
    """

    arguments: Mapping[str, Any]
    inputs: tuple[tuple[int, ...], ...]
    fails: str | None = None
    parameters: int | None = None
    macs: int | None = None


def all_results(result: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Return what a torch rule gives as a tuple, one tensor per output of the layer."""
    return result if isinstance(result, tuple) else (result,)


def _no_weights(attributes: Attributes, inputs: Types) -> tuple[WeightSpec, ...]:
    return ()


def _no_macs(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    return 0


def _as_given(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    return attributes


def across_channels(attributes: Attributes, inputs: Types) -> Window | Literal["all"]:
    """Return the window of a layer that reads all channels of a pixel: one pixel, or everything of a flat value."""
    return "all" if inputs[0].rank == 1 else POINTWISE


def no_formula(attributes: Attributes, inputs: Types, axis: int) -> str:
    """Return nothing: the output size of the layer needs no formula."""
    return ""


def _pointwise(attributes: Attributes, inputs: Types) -> Window:
    return POINTWISE


@dataclass(frozen=True)
class OpRecord:
    """One layer.

    Attributes:
        name: the identifier used in `.cnn` files.
        summary: one sentence: what the layer computes, with the formula where there is one.
        shape: the shape rule `(attributes, input types, check) -> output types`; sizes leave the batch axis out. It
            states what must hold through `check`, which knows whether a condition is settled, broken or open.
        torch: the computation in torch, for any batch, in training and evaluation: a tensor, or a tuple of them where
            the shape rule gives several types.
        onnx: writes the computation as ONNX nodes.
        arguments: what may be written between the brackets, in the order of the positional form.
        settle: turns arguments as converted (`pad = half`) into the attributes that the graph keeps, given the inputs.
        weights: the weights, given attributes and input types (whose channels are known by then).
        macs: multiply-adds of convolutions and dense products for one image; 0 for every other layer.
        window: what one output pixel sees, or "all" where it sees the whole input (dense, global pooling).
        formula: the output size along an axis (0 is the height) with the numbers of the call filled in, e.g.
            `floor((56 + 2*1 - 3)/2) + 1`, for messages; empty where the size does not change.
        merge: True where the layer merges several values (`add`, `concat`, `mul`).
        inference: "same" where evaluation passes the input through unchanged (dropout, identity).
        role: "weights" where it is a product with trained weights (dense), "activation" for a function of one entry
            that bends or bounds what it gives (relu), "probabilities" for shares and chances (softmax),
            "normalisation", "regularisation" for what disturbs values in training (dropout).
        removes_offset: whether a number that is added to all of a channel before the layer makes no difference.
        keeps_order: whether the output has the entries of the input in their order, channel by channel (flatten), so
            that torch copies nothing where memory holds them so.
        work: its arithmetic beside the multiply-adds, what backward keeps of it, and whose memory its output lies in.
        penalty: a term that training adds to the loss, a function of the weights alone; None for most layers.
        domain: for which inputs the layer is defined, where that is not any numbers; tests and the conformance kit ask.
        samples: configurations that the tests run and the documentation shows.
        reference: where the formula is from.
    """

    name: str
    summary: str
    shape: Callable[[Attributes, Types, Check], Types]
    torch: Callable[[TorchCall], Tensor | tuple[Tensor, ...]]
    onnx: Callable[[OnnxCall, OnnxSink], None]
    arguments: tuple[Argument, ...] = ()
    settle: Callable[[dict[str, Any], Types], dict[str, Any]] = _as_given
    weights: Callable[[Attributes, Types], tuple[WeightSpec, ...]] = _no_weights
    macs: Callable[[Attributes, Types, Types], Dim] = _no_macs
    window: Callable[[Attributes, Types], Window | Literal["all"]] = _pointwise
    formula: Callable[[Attributes, Types, int], str] = no_formula
    merge: bool = False
    inference: Literal["computed", "same"] = "computed"
    role: Role = "other"
    removes_offset: bool = False
    keeps_order: bool = False
    work: Work = USUAL
    penalty: Callable[[PenaltyCall], Tensor] | None = None
    domain: InputDomain | None = None
    samples: tuple[Sample, ...] = field(default=(), repr=False)
    reference: str = ""

    @cached_property
    def argument_names(self) -> tuple[str, ...]:
        """The names of the arguments in the order of the positional form."""
        return tuple(argument.name for argument in self.arguments)

    @cached_property
    def required_names(self) -> tuple[str, ...]:
        """The names of the arguments that must be written."""
        return tuple(argument.name for argument in self.arguments if argument.required)

    @cached_property
    def choices(self) -> dict[str, tuple[str, ...]]:
        """The names that an argument's kind gives a meaning of its own, for the arguments that have such names."""
        own = {item.name: getattr(_without_none(item.kind), "choices", ()) for item in self.arguments}
        return {name: names for name, names in own.items() if names}

    @cached_property
    def value_arguments(self) -> tuple[Argument, ...]:
        """The arguments that take a named value of the network, which becomes a further input."""
        return tuple(item for item in self.arguments if isinstance(_without_none(item.kind), NamedValue))

    @cached_property
    def signature(self) -> str:
        """The call as documented, e.g. `conv(channels, kernel, stride = 1, …)`."""
        return f"{self.name}({', '.join(argument.signature for argument in self.arguments)})"


def _without_none(kind: Kind) -> Kind:
    return kind.kind if isinstance(kind, Optional) else kind
