"""How the graph's values are called in the ONNX file.

Nodes, values and weights keep their names. The one exception: a value that is an output carries the output's name, as
whoever runs the file asks for it by that name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from striate.graph import Graph


@dataclass(frozen=True, slots=True)
class ValueNames:
    """Names in the file.

    Attributes:
        written: the ONNX name of every value of the graph.
        copies: outputs that need a copy of another value (ONNX name by output name), because that value is an input
            or has another output's name already.
    """

    written: Mapping[str, str]
    copies: Mapping[str, str]


def value_names(graph: Graph) -> ValueNames:
    """Return the names under which the values of a graph are written."""
    inputs = {item.value.name for item in graph.inputs}
    written: dict[str, str] = {}
    copied: dict[str, str] = {}
    for output, value in graph.outputs.items():
        if value in inputs or value in written:
            copied[output] = value
        else:
            written[value] = output
    # A value that is no output but is called like one makes way; inside a file a slash is in no other name.
    taken = set(graph.outputs)
    for value in graph.types:
        clash = value in taken and value not in inputs
        written.setdefault(value, f"{value}/value" if clash else value)
    copies = {output: written[value] for output, value in copied.items() if written[value] != output}
    return ValueNames(written, copies)
