"""The graph room: typed nodes and values, their text form and the rules they obey."""

from striate.graph.model import (
    Extent,
    Frame,
    Graph,
    Initializer,
    Input,
    Node,
    Objects,
    Origin,
    Task,
    TensorType,
    Value,
    Weight,
)
from striate.graph.text import fingerprint, format_graph, format_shape

__all__ = [
    "Extent",
    "Frame",
    "Graph",
    "Initializer",
    "Input",
    "Node",
    "Objects",
    "Origin",
    "Task",
    "TensorType",
    "Value",
    "Weight",
    "fingerprint",
    "format_graph",
    "format_shape",
]
