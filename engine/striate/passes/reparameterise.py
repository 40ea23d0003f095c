"""Folds what is linear in evaluation into convolutions: batch norms behind them, and parallel branches into one.

Kernels that are standardised or divided by their spectral norm are worked out first (`plain_kernels`).

A RepVGG block, trained as the sum of a 3 x 3 convolution, a 1 x 1 convolution and the input, each with batch norm,
leaves as one 3 x 3 convolution (Ding et al., RepVGG, 2021, section 3.3). Kernels are computed in float64. A folded
layer goes by the name of the last layer folded into it, as its values are that one's; its weights keep their names.
Only for graphs that are evaluated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from striate.graph import Graph, Node, Weight
from striate.passes.plain_kernels import plain_kernels

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

_SCALED = {"conv": 0, "dense": 0, "deconv": 1}
"""The axis of a kernel that counts output channels."""

_GEOMETRY = ("stride", "dilation", "groups", "channels")
"""What branches must have in common to be one convolution."""


@dataclass(frozen=True, slots=True)
class Reparameterised:
    """The rewritten graph with its weights, and what has been folded.

    Attributes:
        graph: the graph.
        arrays: every weight of the graph by name, as float32.
        norms: how many batch norms went into the layer before them.
        branches: how many parallel branches went into another one.
        kernels: how many standardised or spectrally normalised kernels were worked out.
    """

    graph: Graph
    arrays: Mapping[str, Array]
    norms: int
    branches: int
    kernels: int = 0

    @property
    def words(self) -> str:
        """What has been folded, for people."""
        norms = f"{self.norms} batch norm{'s' * (self.norms != 1)}"
        words = f"{norms} and {self.branches} parallel branch{'es' * (self.branches != 1)} folded into convolutions"
        return words + (f"; {self.kernels} kernel{'s' * (self.kernels != 1)} worked out" if self.kernels else "")


def reparameterise(graph: Graph, arrays: Mapping[str, Array]) -> Reparameterised:
    """Fold batch norms into the layers before them and parallel convolutions into one, until nothing is left to fold.

    Args:
        graph: a graph for evaluation, without dropout and the like (`DropInferenceNoops`).
        arrays: its weights by name.
    """
    import numpy as np  # passes are imported where nothing is computed

    plain, kernels, count = plain_kernels(graph, _Wide(arrays))
    work = _Folding(plain, _Wide(kernels))
    norms = branches = 0
    while True:
        folded, merged = work.fold_norms(), work.merge_branches()
        norms, branches = norms + folded, branches + merged
        if not folded and not merged:
            break
    values = {name: np.asarray(work.arrays.stored(name), dtype=np.float32) for name in work.graph.weights}
    return Reparameterised(work.graph, values, norms, branches, count)


class _Wide(dict[str, "Array"]):
    """Weights by name that are read in float64; those that nobody reads stay as they are and cost no memory."""

    def __getitem__(self, name: str) -> Array:
        import numpy as np

        return np.asarray(self.stored(name), dtype=np.float64)

    def stored(self, name: str) -> Array:
        """Return a weight as it is."""
        return super().__getitem__(name)


@dataclass(frozen=True, slots=True)
class _Branch:
    """A branch of a sum as a convolution: its kernel and bias, and how far the kernel lies from the middle per axis."""

    kernel: Array
    bias: Array
    shift: tuple[int, ...]


class _Folding:
    """A graph whose layers are folded; kernels in float64."""

    def __init__(self, graph: Graph, arrays: _Wide) -> None:
        self.graph = graph
        self.arrays = arrays
        self._index()

    def _index(self) -> None:
        nodes = self.graph.nodes
        self._makers = {node.outputs[0].name: node for node in nodes}
        self._uses = Counter([*(name for node in nodes for name in node.inputs), *self.graph.outputs.values()])
        self._holders = Counter(name for node in nodes for name in node.weights.values())

    def _rebuild(self, replaced: Mapping[str, Node], dropped: set[str], weights: Mapping[str, Weight]) -> None:
        graph = replace(self.graph, weights={**self.graph.weights, **weights})
        kept = tuple(replaced.get(node.name, node) for node in graph.nodes if node.name not in dropped)
        self.graph = graph.with_nodes(kept)
        self._index()

    def _owned(self, value: str, ops: Sequence[str]) -> Node | None:
        """Return the layer that makes a value which nobody else reads, if its weights are its own."""
        node = self._makers.get(value)
        if node is None or node.op not in ops or self._uses[value] != 1 or len(node.outputs) != 1:
            return None
        return node if all(self._holders[name] == 1 for name in node.weights.values()) else None

    # ------------------------------------------------------------------------------------------ batch norm

    def fold_norms(self) -> int:
        """Fold every batch norm that is the only reader of a layer with weights into that layer."""
        replaced: dict[str, Node] = {}
        dropped: set[str] = set()
        weights: dict[str, Weight] = {}
        for norm in self.graph.nodes:
            before = self._owned(norm.inputs[0], tuple(_SCALED)) if norm.op == "bn" else None
            if before is None or (before.op == "deconv" and before.attributes["groups"] != 1):
                continue
            scale, shift = self._affine(norm)
            kernel = before.weights["weight"]
            axis = _SCALED[before.op]
            shape = [1] * self.arrays[kernel].ndim
            shape[axis] = -1
            bias = self.arrays[before.weights["bias"]] if "bias" in before.weights else 0
            node = self._with_bias(before, norm, weights, len(scale))
            self.arrays[kernel] = self.arrays[kernel] * scale.reshape(shape)
            self.arrays[node.weights["bias"]] = shift + bias * scale
            replaced[norm.name] = node
            dropped.add(before.name)
        self._rebuild(replaced, dropped, weights)
        return len(replaced)

    def _affine(self, norm: Node) -> tuple[Array, Array]:
        """Return the scale and the shift that a batch norm is in evaluation, one number per channel."""
        values = {role: self.arrays[name] for role, name in norm.weights.items()}
        scale = values.get("weight", 1.0) / (values["running_var"] + norm.attributes["eps"]) ** 0.5
        return scale, values.get("bias", 0.0) - values["running_mean"] * scale

    def _with_bias(self, layer: Node, last: Node, weights: dict[str, Weight], channels: int) -> Node:
        """Return a layer with a bias, in the place and by the name of the last layer that is folded into it."""
        roles = dict(layer.weights)
        if "bias" not in roles:
            roles["bias"] = f"{roles['weight'].removesuffix('weight')}bias"
            kernel = self.graph.weights[roles["weight"]]
            weights[roles["bias"]] = replace(kernel, name=roles["bias"], shape=(channels,))
        attributes = {**layer.attributes, "bias": True}
        return replace(layer, name=last.name, outputs=last.outputs, attributes=attributes, weights=roles)

    # ------------------------------------------------------------------------------------------ parallel branches

    def merge_branches(self) -> int:
        """Make every sum of convolutions of one value, and of that value itself, one convolution."""
        replaced: dict[str, Node] = {}
        dropped: set[str] = set()
        weights: dict[str, Weight] = {}
        count = 0
        for total in self.graph.nodes:
            found = self._mergeable(total) if total.op == "add" else None
            if found is None:
                continue
            widest, branches = found
            node = self._merged(total, widest, branches, weights)
            replaced[total.name] = node
            dropped |= {self._makers[name].name for name in total.inputs if name != widest.inputs[0]}
            count += len(branches) - 1
        self._rebuild(replaced, dropped, weights)
        return count

    def _mergeable(self, total: Node) -> tuple[Node, list[_Branch]] | None:
        """Return the widest convolution of a sum and all branches, None where they are no single convolution."""
        convs = [node for name in total.inputs if (node := self._owned(name, ("conv",))) is not None]
        if not convs or any(self._shift(node) is None for node in convs):
            return None
        widest = max(convs, key=lambda node: max(node.attributes["kernel"]))
        source = widest.inputs[0]
        alike = all(node.attributes[key] == widest.attributes[key] for node in convs for key in _GEOMETRY)
        if not alike or any(node.inputs[0] != source for node in convs) or len(set(total.inputs)) < len(total.inputs):
            return None
        branches = [self._branch(name, source, widest) for name in total.inputs]
        sound = [branch for branch in branches if branch is not None]
        if len(sound) < len(branches) or len({branch.shift for branch in sound}) > 1:
            return None
        return widest, sound

    def _shift(self, conv: Node) -> tuple[int, ...] | None:
        """Return how far the padding goes beyond half of the kernel per axis; None where that is no whole number."""
        attributes = conv.attributes
        pads, kernel = attributes["pad"], attributes["kernel"]
        if isinstance(pads, str) or attributes.get("fill", "zeros") != "zeros" or set(attributes["dilation"]) != {1}:
            return None
        if pads[::2] != pads[1::2] or any(each % 2 == 0 for each in kernel):
            return None
        return tuple(pad - (each - 1) // 2 for pad, each in zip(pads[::2], kernel, strict=True))

    def _branch(self, value: str, source: str, widest: Node) -> _Branch | None:
        """Return one term of a sum as a convolution of `source`, None where it is none."""
        import numpy as np

        if value == source:
            return self._identity(widest, np.ones(widest.attributes["channels"]), np.zeros(()))
        conv = self._owned(value, ("conv",))
        if conv is not None:
            shift = self._shift(conv)
            bias = self.arrays[conv.weights["bias"]] if "bias" in conv.weights else np.zeros(())
            return None if shift is None else _Branch(self.arrays[conv.weights["weight"]], bias, shift)
        norm = self._owned(value, ("bn",))
        if norm is None or norm.inputs[0] != source:
            return None
        return self._identity(widest, *self._affine(norm))

    def _identity(self, widest: Node, scale: Array, shift: Array) -> _Branch | None:
        """Return the convolution that passes every channel on, scaled and shifted."""
        import numpy as np

        out, each = self.graph.weights[widest.weights["weight"]].shape[:2]
        attributes = widest.attributes
        if out != each * attributes["groups"] or set(attributes["stride"]) != {1} or len(scale) != out:
            return None
        kernel = np.zeros((out, each, *[1] * len(attributes["kernel"])))
        for channel in range(out):
            kernel[channel, channel % each] = scale[channel]
        return _Branch(kernel, shift, (0,) * len(attributes["kernel"]))

    def _merged(self, total: Node, widest: Node, branches: Sequence[_Branch], weights: dict[str, Weight]) -> Node:
        import numpy as np

        axes = range(len(branches[0].shift))
        size = tuple(max(branch.kernel.shape[2 + axis] for branch in branches) for axis in axes)
        kernels = [np.pad(branch.kernel, list(_margins(branch.kernel.shape[2:], size))) for branch in branches]
        node = self._with_bias(widest, total, weights, widest.attributes["channels"])
        bias = sum((branch.bias for branch in branches), np.zeros(widest.attributes["channels"]))
        name = node.weights["weight"]
        self.arrays[name], self.arrays[node.weights["bias"]] = np.sum(kernels, axis=0), bias
        weights[name] = replace(self.graph.weights[name], shape=self.arrays[name].shape)
        sides = (shift + (each - 1) // 2 for shift, each in zip(branches[0].shift, size, strict=True))
        pads = tuple(pad for side in sides for pad in (side, side))
        return replace(node, attributes={**node.attributes, "kernel": size, "pad": pads})


def _margins(kernel: Sequence[int], size: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield how many zeros go around a kernel to make it as large as `size`, channels first."""
    yield from ((0, 0), (0, 0))
    for small, large in zip(kernel, size, strict=True):
        yield ((large - small) // 2, (large - small) // 2)
