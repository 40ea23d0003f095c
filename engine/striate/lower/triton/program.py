"""A network computed by generated kernels, and by torch where there is none for a layer.

Images lie pixel by pixel with all channels side by side; values that are concatenated are written where they lie in the
whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from striate.fusion.group import Plan, readers_of
from striate.lower.torch.program import Lookup
from striate.lower.triton.kernel import Kernel
from striate.lower.triton.layout import Place, place_of
from striate.lower.triton.loading import load
from striate.lower.triton.packing import pack
from striate.lower.triton.pieces import Piece, pieces_of
from striate.ops.record import TorchCall, all_results

if TYPE_CHECKING:
    import numpy as np

    from striate.graph import Node

_DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class _Loaded:
    """A kernel's function and the packed weights it is called with, by name."""

    function: Any
    packed: Mapping[str, Tensor]


class TritonProgram:
    """A network in evaluation with settled sizes.

    Called with one float32 tensor per input (`N x C x H x W`), it returns the output tensor in float32, or a
    dictionary by output name where the network has several outputs.

    Args:
        plan: the graph, cut into groups.
        lookup: from a layer's name to its record.
        arrays: the weights by name.
        precision: `float32`, `float16` or `bfloat16`.
        device: where it runs; `cpu` needs `interpret`.
        interpret: run kernels in Triton's interpreter, which is slow and exact.
    """

    def __init__(
        self,
        plan: Plan,
        lookup: Lookup,
        arrays: Mapping[str, np.ndarray[Any, Any]],
        *,
        precision: str = "float32",
        device: str = "cpu",
        interpret: bool = False,
    ) -> None:
        self.plan, self.graph, self._lookup = plan, plan.graph, lookup
        self.dtype, self.device = _DTYPES[precision], torch.device(device)
        self._weights = {name: torch.from_numpy(arrays[name]).to(self.device) for name in plan.graph.weights}
        readers = readers_of(plan.graph)
        self.pieces = [piece for group in plan.groups for piece in pieces_of(plan, group, readers, self._place)]
        self._loaded = {id(piece): self._load(piece.kernel, interpret) for piece in self.pieces if piece.kernel}

    @property
    def generated(self) -> int:
        """How many kernels are generated."""
        return len(self._loaded)

    @property
    def by_torch(self) -> list[Node]:
        """The layers that torch computes, views left out."""
        alone = [node for piece in self.pieces if piece.kernel is None for node in piece.nodes]
        return [node for node in alone if self.plan.roles[node.name] not in ("view", "concat")]

    @torch.inference_mode()
    def __call__(self, *inputs: Tensor) -> Tensor | dict[str, Tensor]:
        """Compute the outputs."""
        run = _Run(self, inputs[0].shape[0])
        for item, tensor in zip(self.graph.inputs, inputs, strict=True):
            run.keep(item.value.name, tensor.to(self.device, self.dtype))
        for piece in self.pieces:
            if piece.kernel is None:
                for node in piece.nodes:
                    self._by_torch(node, run)
            else:
                self._by_kernel(piece, piece.kernel, run)
        outputs = {name: run.tensor(value).to(torch.float32) for name, value in self.graph.outputs.items()}
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    def _load(self, kernel: Kernel, interpret: bool) -> _Loaded:
        packed = {name: pack(each, self._weights, self.dtype).to(self.device) for name, each in kernel.packed.items()}
        return _Loaded(load(kernel, interpret=interpret), packed)

    def _by_kernel(self, piece: Piece, kernel: Kernel, run: _Run) -> None:
        loaded, tile = self._loaded[id(piece)], kernel.tile
        for value in piece.outputs:
            run.make(value)
        pointers = [loaded.packed[name] if name in loaded.packed else run.memory(name) for name in kernel.pointers]
        loaded.function[kernel.grid(run.images)](
            *pointers, run.images, ROWS=tile.rows, COLUMNS=tile.columns, DEPTH=tile.depth
        )

    def _by_torch(self, node: Node, run: _Run) -> None:
        if self.plan.roles[node.name] == "concat" and all(
            self.plan.slices.get(name) and self.plan.slices[name].buffer == node.outputs[0].name for name in node.inputs
        ):
            run.make(node.outputs[0].name)
            return  # its parts lie in it already
        weights = {role: self._weights[name].to(self.dtype) for role, name in node.weights.items()}
        call = TorchCall(torch, node.attributes, [run.tensor(name) for name in node.inputs], weights, training=False)
        for value, tensor in zip(node.outputs, all_results(self._lookup(node.op).torch(call)), strict=True):
            run.keep(value.name, tensor)

    def _place(self, value: str) -> Place:
        """Return where a value lies: in memory of its own, or in the value that it is a part of."""
        own = place_of(tuple(self.graph.types[value].shape))  # type: ignore[arg-type]
        root, start = self.root(value)
        if root == value:
            return own
        channels = self.graph.types[root].shape[0]
        return Place(own.channels, own.height, own.width, channels, start)  # type: ignore[arg-type]

    def root(self, value: str) -> tuple[str, int]:
        """Return the value whose memory a value lies in, and its first channel there."""
        start = 0
        while value in self.plan.slices:
            place = self.plan.slices[value]
            value, start = place.buffer, start + place.start
        return value, start


class _Run:
    """The memory of one call."""

    def __init__(self, program: TritonProgram, images: int) -> None:
        self.program, self.images = program, images
        self._roots: dict[str, Tensor] = {}
        self._others: dict[str, Tensor] = {}

    def make(self, value: str) -> None:
        """Make room for a value that a kernel writes."""
        root, _ = self.program.root(value)
        if root not in self._roots:
            place = place_of(tuple(self.program.graph.types[root].shape))  # type: ignore[arg-type]
            size = (self.images, place.height, place.width, place.channels)
            self._roots[root] = torch.empty(size, dtype=self.program.dtype, device=self.program.device)

    def keep(self, value: str, tensor: Tensor) -> None:
        """Take in a value that torch has computed: as it is, or as a copy where it lies in another one."""
        root, start = self.program.root(value)
        if tensor.dim() not in (2, 4) or not tensor.is_floating_point():
            self._others[value] = tensor
            return
        if root == value:
            image = tensor if tensor.dim() == 4 else tensor[:, :, None, None]
            self._roots[value] = image.permute(0, 2, 3, 1).to(self.program.dtype).contiguous()
            return
        self.make(value)
        self._roots[root][..., start : start + tensor.shape[1]] = tensor.permute(0, 2, 3, 1)

    def memory(self, value: str) -> Tensor:
        """Return the memory that a value lies in."""
        return self._roots[self.program.root(value)[0]]

    def tensor(self, value: str) -> Tensor:
        """Return a value as torch has it: `N x C x H x W` or `N x C`."""
        if value in self._others:
            return self._others[value]
        shape = self.program.graph.types[value].shape
        _, start = self.program.root(value)
        whole = self.memory(value)[..., start : start + int(shape[0])].permute(0, 3, 1, 2)  # type: ignore[arg-type]
        return whole if len(shape) == 3 else whole.flatten(1)
