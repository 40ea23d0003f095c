"""Functions of single entries without a product: one kernel that reads its values once and writes what others read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from striate.graph import Graph, Node
from striate.lower.triton.kernel import Kernel, Tile
from striate.lower.triton.layout import Place
from striate.lower.triton.steps import Operands, Steps, Tiles
from striate.lower.triton.writer import Writer


@dataclass(frozen=True)
class Pointwise:
    """Layers of single entries, the values that are written, and where values lie in memory."""

    graph: Graph
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    places: Callable[[str], Place]


def pointwise_kernel(group: Pointwise, tile: Tile) -> Kernel:
    """Return the kernel of functions of single entries."""
    place = group.places(group.nodes[-1].outputs[0].name)
    operands, write = Operands(), Writer()
    with write.block("if True:"):
        write("m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)  # pixels of all images")
        write("n = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)  # channels")
        write(f"inside = (m[:, None] < images * {place.pixels}) & (n[None, :] < {place.channels})")
        write(f"image = m // {place.pixels}")
        tiles = Tiles("m[:, None]", "n[None, :]", "image[:, None]", "inside", "n", f"n < {place.channels}")
        Steps(group.graph, group.places, operands, tiles, write).run(group.nodes, {}, group.outputs)
    return Kernel(
        "kernel",
        module_of(group.graph, group.nodes, list(operands.names.values()), write.text()),
        tuple(operands.names),
        dict(operands.packed),
        tile,
        place.pixels,
        place.channels,
        1,
        group.outputs,
        tuple(node.name for node in group.nodes),
    )


def module_of(graph: Graph, nodes: tuple[Node, ...], pointers: list[str], body: str) -> str:
    """Return the module of a kernel: what it computes, line by line of the text it comes from, and the function."""
    write = Writer()
    write(f'"""{nodes[0].name} to {nodes[-1].name} of {graph.name}."""')
    write()
    write("import triton")
    write("import triton.language as tl")
    write()
    for node in nodes:
        span = node.origin.span
        write(f"# {span.file}:{span.line}: {node.op} {node.name}")
    write()
    write()
    write("@triton.jit")
    sizes = ("images", "ROWS: tl.constexpr", "COLUMNS: tl.constexpr", "DEPTH: tl.constexpr")
    write(f"def kernel({', '.join((*pointers, *sizes))}):")
    return write.text() + "\n".join(body.splitlines()[1:]) + "\n"
