"""What the functions behind records are given and return: for passes, back ends, exporters, importers and explainers.

Apart from `striate.plugin`, because it needs numpy, onnx or torch: only the modules that do such work import it. A
module that declares records imports `striate.plugin` alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from striate.formats.subject import Converted, RefusedError, Subject  # noqa: TID253 - imported when there is work
from striate.importing.plugin_reading import ImportedText  # noqa: TID253 - the same
from striate.onnx.trials import Trial  # noqa: TID253 - the same
from striate.passes.network import Network
from striate.version import __version__

if TYPE_CHECKING:
    from striate.lower.torch import Program
    from striate.lower.torch.attribution import AttributionRequest

__all__ = [
    "AttributionRequest",
    "Converted",
    "ImportedText",
    "Network",
    "RefusedError",
    "Subject",
    "Trial",
    "onnx_bytes",
    "torch_program",
]


def onnx_bytes(network: Network, opset: int = 17) -> bytes:
    """Return a network as the bytes of an ONNX file, its inputs and outputs under their names, the batch axis open.

    Args:
        network: the network; a `Subject` is one.
        opset: the operator set.

    Raises:
        DiagnosticError: E0601 or its kin, a layer cannot be written in this operator set.
        ValueError: the weights are larger than the 2 GiB that one message of protocol buffers can hold.
    """
    from striate.onnx.colophon import describe
    from striate.onnx.document import build_document
    from striate.onnx.opsets import check_opset

    graph = network.graph
    colophon = describe(graph, __version__, network.domain.sentences(), "weights in memory", "not verified")
    document = build_document(graph, network.lookup, network.arrays, check_opset(opset), colophon)
    content: bytes = document.SerializeToString()
    return content


def torch_program(network: Network) -> Program:
    """Return a network as a `torch.nn.Module` in evaluation mode: tensors by position, one tensor per input."""
    from striate.lower.torch import Program, load_arrays

    return load_arrays(Program(network.graph, network.lookup), network.arrays).eval()


def __getattr__(name: str) -> Any:
    if name == "AttributionRequest":  # needs torch, which most of this module does not
        from striate.lower.torch.attribution import AttributionRequest

        return AttributionRequest
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
