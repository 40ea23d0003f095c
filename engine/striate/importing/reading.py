"""Reading an ONNX file of a stranger: what it claims is held against its bytes before anything is allocated for it.

Numbers of tensors are read where they are needed; the data of large files may lie in files beside it, in the same
folder or below, and nowhere else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, numpy_helper

from striate.importing.findings import UnsupportedError, broken, shown, unreadable
from striate.runtime.file_kinds import foreign_kind
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

Array = np.ndarray[Any, np.dtype[Any]]

LARGEST_FILE = 2**31 - 1
"""Bytes of the longest message that protocol buffers can hold."""

MOST_DATA = 16 * 1024**3
"""Bytes that all weights of a network take together."""

WIDTHS: Mapping[int, int] = {
    TensorProto.FLOAT: 4,
    TensorProto.DOUBLE: 8,
    TensorProto.FLOAT16: 2,
    TensorProto.BFLOAT16: 2,
    TensorProto.INT8: 1,
    TensorProto.INT16: 2,
    TensorProto.INT32: 4,
    TensorProto.INT64: 8,
    TensorProto.UINT8: 1,
    TensorProto.UINT16: 2,
    TensorProto.UINT32: 4,
    TensorProto.UINT64: 8,
    TensorProto.BOOL: 1,
}
"""Bytes of an entry, for the types of numbers that are read."""

FLOATS = frozenset({TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16})

_FIELDS: Mapping[int, str] = {
    TensorProto.FLOAT: "float_data",
    TensorProto.DOUBLE: "double_data",
    TensorProto.INT64: "int64_data",
    TensorProto.UINT32: "uint64_data",
    TensorProto.UINT64: "uint64_data",
}
"""Where a tensor without raw bytes keeps its numbers; `int32_data` for every other type."""


def read_model(path: Path) -> ModelProto:
    """Return the model in a file, without the data that lies outside of it.

    Raises:
        DiagnosticError: E0610, there is no such file, it is too large or no ONNX file; E0611, it holds no network.
    """
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise unreadable(path, "it is a folder" if path.is_dir() else "it is no regular file")
        if size > LARGEST_FILE:
            raise unreadable(path, f"it has {size:,} bytes, and an ONNX file has {LARGEST_FILE:,} at most")
        content = path.read_bytes()
    except OSError as error:
        raise unreadable(path, (error.strerror or str(error)).lower()) from None
    return parse_model(content, path)


def parse_model(content: bytes, path: Path) -> ModelProto:
    """Return the model in the bytes of a file; raises like `read_model`."""
    if not content:
        raise unreadable(path, "it is empty")
    try:
        model: ModelProto = ModelProto.FromString(content)
    except Exception:  # of protocol buffers, whose package is a matter of onnx's
        kind = foreign_kind(content[:64], "")
        what = f"it is {kind}" if kind and kind != "a binary file of another format" else "it is damaged or cut short"
        raise unreadable(path, what, "pass a model that was written as ONNX") from None
    if not model.HasField("graph") or not model.opset_import:
        kind = foreign_kind(content[:64], "")
        if kind and "ONNX" not in kind and not model.ir_version:
            raise unreadable(path, f"it is {kind}", "pass a model that was written as ONNX")
        raise broken("it holds no network" if not model.HasField("graph") else "it names no operator set")
    return model


def demand_text(model: ModelProto) -> None:
    """Refuse names that are no text: protocol buffers hand out bytes where a file does not hold UTF-8.

    Raises:
        DiagnosticError: E0611, there is one.
    """
    for text in _texts(model):
        if not isinstance(text, str):
            raise broken(f"a name in it is no text: {shown(repr(text))}", "names are UTF-8")


def _texts(model: ModelProto) -> Iterator[object]:
    graph = model.graph
    yield from (model.producer_name, model.producer_version, graph.name)
    for function in model.functions:
        yield from (function.domain, function.name, function.overload, *function.input, *function.output)
    for node in (*graph.node, *(each for function in model.functions for each in function.node)):
        yield from (node.name, node.op_type, node.domain, node.overload, *node.input, *node.output)
        for attribute in node.attribute:
            yield attribute.name
            yield from _tensor_texts(attribute.t)
    for tensor in graph.initializer:
        yield from _tensor_texts(tensor)
    for sparse in graph.sparse_initializer:
        yield from _tensor_texts(sparse.values)
    for item in (*graph.input, *graph.output):
        yield item.name
        yield from (axis.dim_param for axis in item.type.tensor_type.shape.dim)
    yield from (item.domain for item in model.opset_import)


def _tensor_texts(tensor: TensorProto) -> Iterator[object]:
    yield tensor.name
    for entry in tensor.external_data:
        yield from (entry.key, entry.value)


def opset_of(model: ModelProto) -> int:
    """Return the version of ONNX's own operators that a model uses.

    Raises:
        DiagnosticError: E0611, it names none, or one that does not exist (yet).
    """
    versions = [item.version for item in model.opset_import if item.domain in ("", "ai.onnx")]
    if not versions:
        raise broken("it names no version of ONNX's own operators")
    newest = onnx.defs.onnx_opset_version()
    if not 1 <= versions[0] <= newest:
        raise broken(
            f"it says that it uses opset {versions[0]}", f"the installed onnx package knows opset 1 to {newest}"
        )
    return int(versions[0])


@dataclass(slots=True)
class TensorReader:
    """Reads the numbers of tensors; counts their bytes against the limit.

    Attributes:
        folder: where data outside of the file may lie; None where there is no file.
    """

    folder: Path | None
    _taken: int = 0
    _sizes: dict[Path, int] = field(default_factory=dict)

    def array(self, tensor: TensorProto) -> Array:
        """Return a tensor's numbers.

        Raises:
            UnsupportedError: they are of a type that is not read.
            DiagnosticError: E0611, its sizes and its data contradict each other; E0613, its data lies where it must
                not, or is not there.
        """
        name = shown(tensor.name) or "without a name"
        width = WIDTHS.get(tensor.data_type)
        if width is None:
            raise UnsupportedError(f"tensor {name} is of the type {kind_name(tensor.data_type)}")
        if any(size < 0 for size in tensor.dims):
            raise broken(f"tensor {name} has the size {shown(str(list(tensor.dims)))}")
        entries = prod(tensor.dims)
        self._count(name, entries * width)
        if tensor.data_location == TensorProto.EXTERNAL:
            return self._external(tensor, name, entries * width)
        if tensor.HasField("raw_data"):
            found, wanted, unit = len(tensor.raw_data), entries * width, "bytes"
        else:
            found, wanted, unit = len(getattr(tensor, _FIELDS.get(tensor.data_type, "int32_data"))), entries, "numbers"
        if found != wanted:
            raise broken(f"tensor {name} of the size {list(tensor.dims)} holds {found:,} {unit}, not {wanted:,}")
        return numpy_helper.to_array(tensor)

    def _count(self, name: str, size: int) -> None:
        self._taken += size
        if self._taken > MOST_DATA:
            raise broken(f"with tensor {name}, its numbers would take more than {MOST_DATA:,} bytes")

    def _external(self, tensor: TensorProto, name: str, wanted: int) -> Array:
        entries = {item.key: item.value for item in tensor.external_data}
        path = self._beside(name, entries.get("location", ""))
        offset, length = _whole(name, entries, "offset", 0), _whole(name, entries, "length", wanted)
        size = self._sizes.setdefault(path, path.stat().st_size)
        if length != wanted:
            raise broken(f"tensor {name} of the size {list(tensor.dims)} has {length:,} bytes, not {wanted:,}")
        if offset + wanted > size:
            raise broken(
                f"the data of tensor {name} ends at byte {offset + wanted:,} of {path.name}, which has {size:,} bytes",
                "the file beside the model is cut short, or belongs to another model",
            )
        filled = TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims)
        with path.open("rb") as stream:
            stream.seek(offset)
            filled.raw_data = stream.read(wanted)
        if len(filled.raw_data) != wanted:
            raise broken(f"the data of tensor {name} is cut short")
        return numpy_helper.to_array(filled)

    def _beside(self, name: str, location: str) -> Path:
        """Return the file that holds a tensor's data; links are followed before it is asked where it lies."""
        if self.folder is None or not location or "\0" in location:
            raise _misplaced(
                name, location, "there is no folder that it could lie in" if location else "no file is named"
            )
        root = Path(os.path.realpath(self.folder))
        path = Path(os.path.realpath(root / location))
        if Path(location).is_absolute() or not path.is_relative_to(root):
            raise _misplaced(name, location, "that is outside of the model's folder")
        if not path.is_file():
            raise _misplaced(name, location, "there is no such file")
        return path


def _whole(name: str, entries: Mapping[str, str], key: str, default: int) -> int:
    written = entries.get(key, str(default))
    if not (written.isascii() and written.isdigit() and len(written) < 20):
        raise broken(f"the {key} of the data of tensor {name} is {shown(written)!r}")
    return int(written)


def _misplaced(name: str, location: str, reason: str) -> DiagnosticError:
    return DiagnosticError(
        Diagnostic(
            "E0613",
            f"the data of tensor {name} is said to lie in {shown(location)!r}: {reason}",
            notes=("weights are read from the model's own folder and from below it, wherever links lead",),
            help="put the data file beside the model, as it was written",
        )
    )


def kind_name(number: int) -> str:
    """Return what ONNX calls a type of numbers, in small letters."""
    try:
        return str(TensorProto.DataType.Name(number)).lower()
    except ValueError:
        return f"number {number}, which ONNX does not know"
