"""Values side by side without a copy: what is concatenated is written where it has to lie in the end.

A value can lie in one other value only; a concatenation that another one begins with lies there as a whole, so that a
dense block needs one buffer.
"""

from __future__ import annotations

from striate.fusion.cutting import Cutting
from striate.fusion.group import Slice


def lay_out(cutting: Cutting) -> dict[str, Slice]:
    """Return where values lie that are parts of others: every value of a kernel that is concatenated once."""
    places: dict[str, Slice] = {}
    concats = [node for node in cutting.graph.nodes if cutting.roles[node.name] == "concat"]
    for node in reversed(concats):  # the last one first: an earlier one may lie in it
        start = 0
        for name in node.inputs:
            maker = cutting.makers.get(name)
            once = name not in places and node.inputs.count(name) == 1
            if once and maker is not None and cutting.roles[maker.name] not in ("view", "other"):
                places[name] = Slice(node.outputs[0].name, start)
            channels = cutting.graph.types[name].shape[0]
            if not isinstance(channels, int):
                break
            start += channels
    return places
