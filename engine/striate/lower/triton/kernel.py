"""A generated kernel: its source, what it is called with, and the grid that it runs on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Tile:
    """How a kernel is cut: pixels, output channels and input channels at once, and what a block of threads gets."""

    rows: int
    columns: int
    depth: int = 32
    warps: int = 4
    stages: int = 3


@dataclass(frozen=True)
class Kernel:
    """One kernel.

    Attributes:
        name: the name of the function in its source.
        source: a whole module of Python with the function.
        pointers: what the function is called with, in order: names of values of the network, or of packed weights.
        packed: for a packed weight, how it is made of the weights of the graph.
        tile: how it is cut.
        rows_per_image: the rows that it works on for one image; the grid covers those of the batch.
        columns: the columns of one group; the grid's second axis covers them.
        groups: the grid's third axis.
        outputs: the values that it writes, with the channels and pixels of one image.
        nodes: the layers that it computes.
    """

    name: str
    source: str
    pointers: tuple[str, ...]
    packed: Mapping[str, Packing]
    tile: Tile
    rows_per_image: int
    columns: int
    groups: int = 1
    outputs: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()

    def grid(self, images: int) -> tuple[int, int, int]:
        """Return the blocks of threads along three axes for a number of images."""
        rows = -(-self.rows_per_image * images // self.tile.rows)
        return rows, -(-self.columns // self.tile.columns), self.groups


@dataclass(frozen=True, slots=True)
class Packing:
    """A tensor made of weights before anything runs.

    Attributes:
        form: `kernel`, `transposed`, `matrix`, `vector`, or `scale` and `shift` of a batch norm.
        weights: the names of the weights it is made of, by role.
        settings: numbers that are needed for it.
    """

    form: str
    weights: Mapping[str, str]
    settings: Mapping[str, float] = field(default_factory=dict)
