"""One convolution by oneDNN with a kernel packed once, and with it what is attached: a sum, an activation."""

from __future__ import annotations

import torch
from torch import Tensor

from striate.graph import Node
from striate.lower.prepacked.attached import Attached
from striate.ops.padding import is_symmetric

Values = dict[str, Tensor]


class Convolution:
    """A call of a convolution and of what is attached to it; it makes the value `output` of others.

    Args:
        node: the convolution.
        kernel: its kernel, channels last.
        bias: its bias, if it has one.
        extra: what is computed in the same call.
        output: the name of the value that comes out.
        overwrite: whether the sum is written over the value that is added, which nobody reads afterwards.
    """

    def __init__(
        self, node: Node, kernel: Tensor, bias: Tensor | None, extra: Attached, output: str, *, overwrite: bool
    ) -> None:
        attributes = node.attributes
        self._source, self._added, self._output = node.inputs[0], extra.added, output
        self._kernel, self._bias, self._overwrite = kernel, bias, overwrite
        self._unary = (extra.unary.name, list(extra.unary.numbers), extra.unary.way or "")
        self._behind_sum = None if extra.unary.name == "none" else extra.unary.name
        self._window = (
            list(attributes["pad"][::2]),
            list(attributes["stride"]),
            list(attributes["dilation"]),
            int(attributes["groups"]),
        )
        self._size: torch.Size | None = None
        self._packed = kernel

    def __call__(self, values: Values) -> None:
        """Compute the output from the values of the network, and put it among them."""
        images = values[self._source]
        operators, packed = torch.ops.mkldnn, self._packed_for(images)
        if self._added is None:
            result = operators._convolution_pointwise(images, packed, self._bias, *self._window, *self._unary)
        elif self._overwrite and values[self._added].is_contiguous(memory_format=torch.channels_last):
            result = operators._convolution_pointwise_.binary(
                values[self._added], images, packed, self._bias, *self._window, "add", 1.0, self._behind_sum, [], None
            )
        else:
            result = operators._convolution_pointwise.binary(
                images, values[self._added], packed, self._bias, *self._window, "add", 1.0, self._behind_sum, [], None
            )
        values[self._output] = result

    def _packed_for(self, images: Tensor) -> Tensor:
        """Return the kernel as oneDNN wants it for images of this size; it is packed anew when another size comes."""
        if images.shape != self._size:
            size = list(images.shape)
            self._packed = torch.ops.mkldnn._reorder_convolution_weight(self._kernel, *self._window, size)
            self._size = images.shape
        return self._packed


def is_packable(node: Node) -> bool:
    """Whether a layer is a convolution over images as oneDNN knows it: zeros around, as many before as behind."""
    if node.op != "conv" or len(node.attributes["kernel"]) != 2:
        return False
    pads = node.attributes["pad"]
    return (
        not isinstance(pads, str)
        and (node.attributes["fill"] == "zeros" or not any(pads))
        and is_symmetric(pads)
        and node.attributes.get("weight", "plain") == "plain"
    )
