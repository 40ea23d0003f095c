"""The height and width that a layer is asked for, as numbers (`size`) or as those of a named value (`like`)."""

from __future__ import annotations

from collections.abc import Sequence

from striate.dims import Dim
from striate.graph import format_shape
from striate.ops.decomposition import Decomposition
from striate.ops.problems import LayerError, Problem
from striate.ops.record import Attributes, TorchCall, Types
from striate.ops.targets import OnnxCall


def one_of_arguments(attributes: Attributes, names: Sequence[str]) -> str:
    """Return the one of several arguments that is given.

    Raises:
        LayerError: none of them is, or more than one.
    """
    given = [name for name in names if attributes[name] is not None]
    if len(given) == 1:
        return given[0]
    listed = ", ".join(names)
    raise LayerError(
        Problem(
            f"takes only one of {listed}" if given else f"takes one of {listed}, but none of them is given",
            code="E0211",
            argument=given[-1] if given else None,
            help=f"leave out all but one of {', '.join(given)}" if given else f"write for instance {names[-1]} = …",
        )
    )


def wanted_space(attributes: Attributes, inputs: Types) -> tuple[Dim, ...]:
    """Return the sizes asked for along the axes beside the channels.

    Raises:
        LayerError: the named value has another number of axes.
    """
    if attributes["like"] is None:
        return tuple(attributes["size"])
    other = inputs[attributes["like"]]
    if other.rank != inputs[0].rank:
        raise LayerError(
            Problem(
                f"the values differ in their number of axes: {format_shape(inputs[0])} and {format_shape(other)}",
                code="E0203",
                argument="like",
                help="name a value that has height and width like the one that flows in",
            )
        )
    return other.shape[1:]


def torch_wanted(call: TorchCall) -> list[int]:
    """Return the sizes asked for, for the tensors at hand."""
    like = call.attributes["like"]
    return list(call.attributes["size"] if like is None else call.inputs[like].shape[2:])


def onnx_wanted(write: Decomposition, call: OnnxCall) -> str:
    """Write the sizes asked for as a list that is known when the model runs."""
    like = call.attributes["like"]
    if like is None:
        return write.sizes(call.attributes["size"])
    return write.space_of(call.inputs[like], call.input_types[like].rank)
