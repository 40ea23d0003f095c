"""Convolutions and dense products as one kernel: an implicit matrix product over pixels, taps and channels.

The rows of the product are the pixels of all images, its columns the output channels, and it sums over the taps of the
kernel and the input channels. Kernels lie as `taps x input channels x output channels`. A transposed convolution is the
same with another way from an output pixel to the input pixels that it sees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from striate.graph import Graph, Node
from striate.lower.triton.expressions import has_expression
from striate.lower.triton.kernel import Kernel, Packing, Tile
from striate.lower.triton.layout import Place
from striate.lower.triton.pointwise import module_of
from striate.lower.triton.steps import Operands, Steps, Tiles
from striate.lower.triton.writer import Writer
from striate.ops.padding import is_symmetric


@dataclass(frozen=True, slots=True)
class Window:
    """How the output pixels of a product lie over the input: taps, strides, rows taken before, dilations, per axis."""

    taps: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    before: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    transposed: bool = False

    @property
    def is_point(self) -> bool:
        """Whether each output pixel sees the one input pixel at its own place."""
        return (self.taps, self.stride, self.before) == ((1, 1), (1, 1), (0, 0))


def window_of(node: Node) -> Window | None:
    """Return the window of a product over images or flat values, None where this kernel has no way to compute it."""
    attributes = node.attributes
    if node.op == "dense":
        return Window() if attributes.get("weight", "plain") == "plain" else None
    if len(attributes["kernel"]) != 2 or attributes.get("weight", "plain") != "plain":
        return None
    pads = attributes["pad"]
    if isinstance(pads, str) or (attributes["fill"] != "zeros" and any(pads)):
        return None
    groups = int(attributes["groups"])
    if node.op == "deconv" and (groups != 1 or not is_symmetric(pads)):
        return None
    return Window(
        tuple(attributes["kernel"]),
        tuple(attributes["stride"]),
        (pads[0], pads[2]),
        tuple(attributes["dilation"]),
        groups,
        node.op == "deconv",
    )


@dataclass(frozen=True)
class Product:
    """A product with what is done to its input and its output.

    Attributes:
        graph: the graph.
        heart: the product.
        before: layers of single entries on the way in.
        behind: layers of single entries on the way out.
        source: a value of the size of its input that is read on the way in.
        outputs: the values that are written.
        places: where values lie in memory.
    """

    graph: Graph
    heart: Node
    before: tuple[Node, ...]
    behind: tuple[Node, ...]
    source: str
    outputs: tuple[str, ...]
    places: Callable[[str], Place]


def can_generate(heart: Node, around: Sequence[Node]) -> bool:
    """Whether there is a kernel for a product and layers around it."""
    return window_of(heart) is not None and all(has_expression(node) for node in around)


def product_kernel(product: Product, tile: Tile, *, precision: str = "ieee") -> Kernel:
    """Return the kernel of a product.

    Args:
        product: what is computed.
        tile: how it is cut.
        precision: how products of float32 are multiplied: `ieee`, or `tf32`.
    """
    window = window_of(product.heart)
    if window is None:
        raise ValueError(f"there is no kernel for {product.heart.op} {product.heart.name}")
    return _Source(product, window, tile, precision).kernel()


class _Source:
    """The source of one product, as it is written."""

    def __init__(self, product: Product, window: Window, tile: Tile, precision: str) -> None:
        self.product, self.window, self.tile, self.precision = product, window, tile, precision
        self.operands, self.write = Operands(), Writer()
        self.image = product.places(product.source)
        self.made = product.places(product.heart.outputs[0].name)
        self.each_in, self.each_out = self.image.channels // window.groups, self.made.channels // window.groups

    def kernel(self) -> Kernel:
        heart, window = self.product.heart, self.window
        form = {"dense": "matrix", "deconv": "transposed"}.get(heart.op, "kernel")
        x = self.operands.value(self.product.source)
        w = self.operands.weight(
            f"{heart.name}:weight", Packing(form, {"weight": heart.weights["weight"]}, {"groups": float(window.groups)})
        )
        body = self.write
        with body.block("if True:"):
            self._places()
            self._sums(x, w)
            self._behind()
        names = self.operands.names
        nodes = (*self.product.before, heart, *self.product.behind)
        text = module_of(self.product.graph, nodes, list(names.values()), body.text())
        return Kernel(
            "kernel",
            text,
            tuple(names),
            dict(self.operands.packed),
            self.tile,
            self.made.pixels,
            self.each_out,
            window.groups,
            self.product.outputs,
            tuple(node.name for node in nodes),
        )

    def _places(self) -> None:
        write, made = self.write, self.made
        write("m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)  # pixels of all images")
        write("j = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)  # output channels of this group")
        group = "tl.program_id(2)" if self.window.groups > 1 else "0"
        write(f"g = {group}")
        write(f"n = g * {self.each_out} + j")
        write(f"there = m < images * {made.pixels}")
        write(f"inside = there[:, None] & (j[None, :] < {self.each_out})")
        write(f"image = m // {made.pixels}")
        write(f"row = (m % {made.pixels}) // {made.width}")
        write(f"column = m % {made.width}")

    def _sums(self, x: str, w: str) -> None:
        write, (high, wide) = self.write, self.window.taps
        write("sums = tl.full((ROWS, COLUMNS), 0.0, tl.float32)")
        if high * wide == 1:
            self._tap(x, w, "0", "0", "0")
            return
        with write.block(f"for tap in range({high * wide}):"):
            write(f"r = tap // {wide}")
            write(f"s = tap % {wide}")
            self._tap(x, w, "r", "s", "tap")

    def _tap(self, x: str, w: str, r: str, s: str, tap: str) -> None:
        write, image, window = self.write, self.image, self.window
        seen = ["there"]
        if window.is_point and not window.transposed:
            write("pixel = m")
        else:
            for axis, (name, at, size) in enumerate((("row", r, image.height), ("column", s, image.width))):
                seen += self._input(axis, name, at, size)
            write(f"pixel = (image * {image.height} + y_in) * {image.width} + x_in")
        write(f"seen = {' & '.join(seen)}")
        with write.block(f"for k0 in range(0, {self.each_in}, DEPTH):"):
            write("k = k0 + tl.arange(0, DEPTH)")
            write(f"c = g * {self.each_in} + k")
            write(f"near = seen[:, None] & (k[None, :] < {self.each_in})")
            self._load_input(x)
            write(f"weights = tl.load({w} + ({tap} * {self.each_in} + k)[:, None] * {self.made.channels} + n[None, :],")
            write(f"                  mask=(k[:, None] < {self.each_in}) & (j[None, :] < {self.each_out}), other=0.0)")
            write(f'sums = tl.dot(tile, weights, sums, input_precision="{self.precision}")')

    def _input(self, axis: int, name: str, at: str, size: int) -> list[str]:
        """Write where the input pixel of an output pixel is along an axis; return when there is one."""
        window, found = self.window, ("y_in", "x_in")[axis]
        stride, before, dilation = window.stride[axis], window.before[axis], window.dilation[axis]
        if not window.transposed:
            self.write(f"{found} = {name} * {stride} - {before} + {at} * {dilation}")
            return [f"({found} >= 0)", f"({found} < {size})"]
        self.write(f"{found}_times = {name} + {before} - {at} * {dilation}")
        self.write(f"{found} = {found}_times // {stride}")
        return [f"({found}_times >= 0)", f"({found}_times % {stride} == 0)", f"({found} < {size})"]

    def _load_input(self, x: str) -> None:
        write, before = self.write, self.product.before
        tiles = Tiles("pixel[:, None]", "c[None, :]", "image[:, None]", "near", "c", f"k < {self.each_in}")
        place = self.image
        if not before:
            write(f"tile = tl.load({x} + {tiles.offset(place)}, mask=near, other=0.0)")
            return
        steps = Steps(self.product.graph, self.product.places, self.operands, tiles, write)
        known = steps.run(before, {})
        last = known[before[-1].outputs[0].name]
        # Behind the border there is nothing: not what the functions make of zero.
        write(f"tile = tl.where(near, {last}, 0.0).to({x}.dtype.element_ty)")

    def _behind(self) -> None:
        heart, write = self.product.heart, self.write
        tiles = Tiles("m[:, None]", "n[None, :]", "image[:, None]", "inside", "n", f"j < {self.each_out}")
        name = "sums"
        if "bias" in heart.weights:
            packing = Packing("vector", {"bias": heart.weights["bias"]})
            bias = self.operands.weight(f"{heart.name}:bias", packing)
            write(f"biased = sums + {tiles.load_vector(bias)}")
            name = "biased"
        steps = Steps(self.product.graph, self.product.places, self.operands, tiles, write)
        steps.run(self.product.behind, {heart.outputs[0].name: name}, self.product.outputs)
