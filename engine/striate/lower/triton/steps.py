"""What is done to a tile of numbers before and behind a product, written as lines of Triton."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from striate.fusion.roles import is_gate
from striate.graph import Graph, Node
from striate.lower.triton.expressions import merged, unary
from striate.lower.triton.kernel import Packing
from striate.lower.triton.layout import Place
from striate.lower.triton.writer import Writer


@dataclass
class Operands:
    """The arguments of a kernel beside its sizes: values and packed weights, with their names in the source."""

    names: dict[str, str] = field(default_factory=dict)
    packed: dict[str, Packing] = field(default_factory=dict)

    def value(self, value: str) -> str:
        """Return the pointer of a value of the network."""
        return self.names.setdefault(value, f"v{len(self.names)}")

    def weight(self, name: str, packing: Packing) -> str:
        """Return the pointer of a packed weight."""
        self.packed[name] = packing
        return self.names.setdefault(name, f"w{len(self.names)}")


@dataclass(frozen=True)
class Tiles:
    """How the entries of a tile are found in memory.

    Attributes:
        rows: the expression of the pixels, counted over all images, as a column (`m[:, None]`).
        columns: the expression of the channels as a row (`n[None, :]`).
        images: the expression of the number of the image of each pixel, as a column.
        mask: where the tile lies within the value.
        along: the channels without an axis for the rows.
        along_mask: where they lie within the value.
    """

    rows: str
    columns: str
    images: str
    mask: str
    along: str
    along_mask: str

    def load(self, pointer: str, place: Place) -> str:
        """Return the expression that loads a value of the tile's size."""
        return f"tl.load({pointer} + {self.offset(place)}, mask={self.mask}, other=0.0).to(tl.float32)"

    def load_gate(self, pointer: str, place: Place) -> str:
        """Return the expression that loads one number per image and channel."""
        start = f" + {place.start}" if place.start else ""
        return (
            f"tl.load({pointer} + {self.images} * {place.row} + {self.columns}{start}, "
            f"mask={self.mask}, other=0.0).to(tl.float32)"
        )

    def load_vector(self, pointer: str) -> str:
        """Return the expression that loads one number per channel, as a row."""
        return f"tl.load({pointer} + {self.along}, mask={self.along_mask}, other=0.0)[None, :]"

    def offset(self, place: Place) -> str:
        """Return the expression of where the entries of a value lie."""
        start = f" + {place.start}" if place.start else ""
        return f"({self.rows}) * {place.row} + {self.columns}{start}"


class Steps:
    """Layers of single entries, one after the other, on tiles that have names.

    Args:
        graph: the graph that the layers are of.
        places: where values lie in memory.
        operands: the kernel's arguments, which grow as layers need them.
        tiles: how entries are found in memory.
        write: where the lines go.
    """

    def __init__(
        self, graph: Graph, places: Callable[[str], Place], operands: Operands, tiles: Tiles, write: Writer
    ) -> None:
        self.graph, self.places, self.operands, self.tiles, self.write = graph, places, operands, tiles, write

    def run(self, nodes: Sequence[Node], tiles: Mapping[str, str], stored: Sequence[str] = ()) -> dict[str, str]:
        """Write the lines of layers.

        Args:
            nodes: the layers in order.
            tiles: the names of the tiles that are there, by value.
            stored: the values that are written to memory as soon as they are there.

        Returns:
            the names of all tiles by value.
        """
        known = dict(tiles)
        for value in stored:
            if value in known:
                self.store(value, known[value])
        for node in nodes:
            output = node.outputs[0].name
            tile = f"t{len(known)}"
            self.write(f"{tile} = {self._expression(node, known)}  # {node.op}: {node.name}")
            known[output] = tile
            if output in stored:
                self.store(output, tile)
        return known

    def store(self, value: str, tile: str) -> None:
        """Write the line that stores a tile."""
        pointer = self.operands.value(value)
        offset = self.tiles.offset(self.places(value))
        self.write(f"tl.store({pointer} + {offset}, {tile}.to({pointer}.dtype.element_ty), mask={self.tiles.mask})")

    def _expression(self, node: Node, known: Mapping[str, str]) -> str:
        if node.op == "bn":
            scale, shift = (self._vector(node, form) for form in ("scale", "shift"))
            return f"{self._tile(node, node.inputs[0], known)} * {scale} + {shift}"
        if node.op == "prelu":
            tile = self._tile(node, node.inputs[0], known)
            return f"tl.where({tile} > 0.0, {tile}, {tile} * {self._vector(node, 'slopes')})"
        tiles = tuple(self._tile(node, name, known) for name in node.inputs)
        return merged(node, tiles) if len(tiles) > 1 else unary(node, tiles[0])

    def _tile(self, node: Node, name: str, known: Mapping[str, str]) -> str:
        if name in known:
            return known[name]
        pointer = self.operands.value(name)
        if is_gate(self.graph, node, name):
            return self.tiles.load_gate(pointer, self.places(name))
        return self.tiles.load(pointer, self.places(name))

    def _vector(self, node: Node, form: str) -> str:
        settings = {"eps": float(node.attributes["eps"])} if "eps" in node.attributes else {}
        channels = node.outputs[0].type.shape[0]
        packing = Packing(form, dict(node.weights), {**settings, "channels": float(channels)})  # type: ignore[arg-type]
        return self.tiles.load_vector(self.operands.weight(f"{node.name}:{form}", packing))
