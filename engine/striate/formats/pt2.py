"""torch.export: the network as a graph of ATen operators, with its open sizes open within the sizes that it takes.

A symbol whose legal sizes are `start, start + step, …` becomes a dimension of torch that has the same; torch proves
what the network demands of it, and refuses a network that demands more than it was told.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from typing import Any

import torch
from torch.export import Dim
from torch.fx.experimental import _config as symbolic_shapes

from striate.analysis.ends import Ends
from striate.dims import format_dim
from striate.dims.domain import Domain
from striate.dims.sizes import SizeSet
from striate.formats.subject import Arrays, Converted, RefusedError, Subject
from striate.formats.tensors import arrays_of, tensors_of
from striate.formats.torchscript import DESCRIPTION
from striate.graph import Graph
from striate.lower.torch.traceable import Traceable, argument_names
from striate.onnx.document import batch_name

_FIXED = re.compile(r"marked (\S+) as dynamic but your code specialized it to be a constant \((\d+)\)")
"""What torch says of an open size that a program does not leave open."""


def convert(subject: Subject, entries: Mapping[str, str]) -> Converted:
    """Export the network with torch, and load the file back.

    Raises:
        RefusedError: torch cannot export it with these sizes open.
    """
    program = Traceable(subject.graph, subject.lookup, subject.arrays, subject.ends)
    shapes = _dynamic_shapes(subject.graph, subject.domain, subject.ends)
    buffer = io.BytesIO()
    try:
        # Without this torch gives a size of 1 a program of its own, and the file would refuse it: as torch.onnx does.
        with symbolic_shapes.patch(backed_size_oblivious=True), torch.no_grad():  # type: ignore[attr-defined]
            exported = torch.export.export(
                program, tensors_of(subject.graph, subject.example), dynamic_shapes=shapes, strict=False
            )
        torch.export.save(exported, buffer, extra_files={DESCRIPTION: json.dumps(dict(entries))})
    except Exception as error:
        raise RefusedError(_said(error)) from error
    content = buffer.getvalue()
    loaded = torch.export.load(io.BytesIO(content)).module()

    def run(inputs: Arrays) -> Arrays:
        with torch.inference_mode():
            return arrays_of(subject.outputs, loaded(*tensors_of(subject.graph, inputs)))

    return Converted({".pt2": content}, run, f"torch.export of torch {torch.__version__}")


def _said(error: Exception) -> str:
    """Return what torch says; of a list of sizes that it found to be fixed the first item, which has the reason."""
    fixed = _FIXED.search(str(error))
    if fixed is not None:
        return f"it works with {fixed[1]} = {fixed[2]} only, as torch follows it: it asks Python for that size"
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line.removeprefix("- ") for line in lines if line.startswith("- ")), str(error))


def _dynamic_shapes(graph: Graph, domain: Domain, ends: Ends) -> dict[str, dict[int, Any]]:
    """Return the open axes of every input by its number; the batch is axis 0, and images have their channels last."""
    batch = Dim(batch_name(graph), min=1)
    symbols = {name: _dimension(name, domain[name]) for name in domain.symbols}
    pixels = {item.name: item for item in ends.pixels}
    shapes: dict[str, dict[int, Any]] = {}
    for argument, item in zip(argument_names(graph), graph.inputs, strict=True):
        extents, images = item.value.type.shape, pixels.get(item.value.name)
        if images is not None and images.size is not None:
            # An image of one row or column has a program of its own in torch.
            shapes[argument] = {0: batch, 1: Dim(f"{argument}_height", min=2), 2: Dim(f"{argument}_width", min=2)}
            continue
        if images is not None:
            extents = (*extents[1:], extents[0])
        shapes[argument] = {0: batch} | {
            axis: symbols[format_dim(extent)]
            for axis, extent in enumerate(extents, start=1)
            if not isinstance(extent, int)
        }
    return shapes


def _dimension(name: str, sizes: SizeSet) -> Any:
    """Return a symbol's legal sizes as torch writes them: `step * _NAME + offset` with `_NAME` from 1 on.

    Of several progressions it is the widest that reaches all of them; torch then demands what is missing, or proves it.
    A symbol with one legal size is no open axis.
    """
    first, last, step = sizes.smallest() or 1, sizes.largest(), sizes.spacing()
    if not step:
        return None
    if step == 1:
        return Dim(name, min=first, max=last)
    count = None if last is None else (last - first) // step + 1
    number = Dim(f"_{name}", min=1, max=count)
    offset = first - step
    if not offset:
        return step * number
    return step * number + offset if offset > 0 else step * number - -offset
