"""Puts the numbers of the weights into a document, or into a file beside it.

A document is written with its weights declared: name, type, size. Their numbers come last, one weight at a time, so
that a large network is in memory once. One ONNX file holds 2 GiB; what is larger has the numbers in a second file.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
from onnx import ModelProto, TensorProto, helper

from striate_dsl.diagnostics import Diagnostic, DiagnosticError

Array = np.ndarray[Any, Any]

LARGEST_FILE = 2**31 - 1
"""Bytes of the longest message that protocol buffers, and with them ONNX, can hold."""

SMALLEST_OUTSIDE = 1024
"""Bytes from which on a weight goes into the second file; runtimes read small ones to know sizes."""

PAGE, LINE = 4096, 64
"""Where a weight begins in the second file is a multiple of a page, so that runtimes can map it into memory; a small
one begins with a line of the processor's cache."""

_DESCRIPTION = 1024
"""Bytes that a node or a weight takes at most beside its numbers: its name, sizes and origin."""


@dataclass(frozen=True, slots=True)
class StoredWeights:
    """The numbers of the weights of a document.

    Attributes:
        arrays: numbers by name, in any type that turns into the document's.
        sources: the name in `arrays` of a tensor that is called otherwise there.
    """

    arrays: Mapping[str, Array]
    sources: Mapping[str, str] = field(default_factory=dict)

    def numbers(self, tensor: TensorProto) -> Array:
        """Return the numbers of a declared tensor in its type, in the byte order of files."""
        values = self.arrays[self.sources.get(tensor.name, tensor.name)]
        numbers = np.ascontiguousarray(values, dtype=helper.tensor_dtype_to_np_dtype(tensor.data_type))
        return numbers.byteswap() if sys.byteorder == "big" else numbers


def fill(document: ModelProto, weights: StoredWeights) -> None:
    """Put the numbers into the document."""
    for tensor in _declared(document):
        tensor.raw_data = weights.numbers(tensor).tobytes()


def without_weights(document: ModelProto) -> ModelProto:
    """Return a document that is not filled yet with its weights as inputs: all that there is to check, and small."""
    graph = document.graph
    made = ModelProto()
    for part in ("ir_version", "producer_name", "producer_version", "domain", "model_version", "doc_string"):
        if document.HasField(part):
            setattr(made, part, getattr(document, part))
    for part in ("opset_import", "functions", "metadata_props"):
        getattr(made, part).extend(getattr(document, part))
    made.graph.name = graph.name
    for part in ("node", "input", "output", "value_info", "metadata_props"):
        getattr(made.graph, part).extend(getattr(graph, part))
    declared = {tensor.name for tensor in _declared(document)}
    for tensor in graph.initializer:
        if tensor.name in declared:
            made.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
        else:
            made.graph.initializer.append(tensor)
    return made


def fill_beside(document: ModelProto, weights: StoredWeights, stream: BinaryIO) -> str:
    """Write the numbers into a stream and note in the document where each stands; small ones go into the document.

    Returns a digest of what was written. `name_data` says where the stream is.
    """
    digest = hashlib.sha256()
    place = 0
    for tensor in _declared(document):
        values = weights.numbers(tensor)
        if values.nbytes < SMALLEST_OUTSIDE:
            tensor.raw_data = values.tobytes()
            continue
        data = values.reshape(-1).view(np.uint8).data
        step = PAGE if values.nbytes >= 4 * PAGE else LINE
        for piece in (bytes(-place % step), data):
            stream.write(piece)
            digest.update(piece)
            place += len(piece)
        tensor.data_location = TensorProto.EXTERNAL
        for key, number in (("offset", place - values.nbytes), ("length", values.nbytes)):
            tensor.external_data.add(key=key, value=str(number))
    return digest.hexdigest()


def name_data(document: ModelProto, location: str) -> None:
    """Say which file beside the document's the numbers are in."""
    for tensor in document.graph.initializer:
        if tensor.data_location == TensorProto.EXTERNAL:
            tensor.external_data.add(key="location", value=location)


def data_files(document: ModelProto) -> set[str]:
    """Return the files that a document's numbers are in, as it names them."""
    entries = (entry for tensor in document.graph.initializer for entry in tensor.external_data)
    return {entry.value for entry in entries if entry.key == "location"}


def length(document: ModelProto) -> int:
    """Return how many bytes the file of a document takes at most with all numbers in it."""
    graph = document.graph
    numbers = sum(_bytes(tensor) for tensor in graph.initializer)
    inner = sum(len(each.node) for each in document.functions)
    return numbers + _DESCRIPTION * (len(graph.node) + inner + len(graph.initializer) + len(graph.value_info))


def check_length(document: ModelProto) -> None:
    """Refuse a document that is to be one file and is too long for that.

    Raises:
        DiagnosticError: E0604.
    """
    if length(document) <= LARGEST_FILE:
        return
    numbers = sum(_bytes(tensor) for tensor in document.graph.initializer)
    raise DiagnosticError(
        Diagnostic(
            "E0604",
            f"{document.graph.name} is too large for one ONNX file: its weights take {numbers:,} bytes",
            notes=(f"a file holds {LARGEST_FILE:,} bytes, the layers' names and sizes included",),
            help="leave --no-external-data out: the weights are then in a second file beside the first",
        )
    )


def _declared(document: ModelProto) -> Iterator[TensorProto]:
    """Yield the tensors that have no numbers yet."""
    for tensor in document.graph.initializer:
        if not tensor.HasField("raw_data") and _bytes(tensor) and not _has_fields(tensor):
            yield tensor


def _has_fields(tensor: TensorProto) -> bool:
    return bool(tensor.float_data or tensor.int32_data or tensor.int64_data or tensor.double_data)


def _bytes(tensor: TensorProto) -> int:
    entries = 1
    for size in tensor.dims:
        entries *= size
    return int(entries * np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type)).itemsize)
