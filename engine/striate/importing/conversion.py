"""From a model to a network: the nodes in order, constants folded, everything that cannot be read listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

from striate.dims import Dim, Expr, symbol
from striate.importing.batch import demand_batch, with_batch
from striate.importing.call import Call
from striate.importing.converters import CONVERTERS, FORMS
from striate.importing.evaluation import evaluated
from striate.importing.findings import Refusal, UnsupportedError, broken, refused, shown
from striate.importing.folding import fold
from striate.importing.fusing import fuse
from striate.importing.network import BATCH, Array, Entrance, Network, Stored, Value
from striate.importing.node import NodeView
from striate.importing.order import in_order
from striate.importing.reading import WIDTHS, TensorReader, kind_name, opset_of
from striate.ops.record import OpRecord
from striate_dsl.limits import LAYERS, OPEN_SIZES

_LARGEST_SIZE = 2**40


def convert(
    model: ModelProto, tensors: TensorReader, lookup: Callable[[str], OpRecord], *, batched: bool = True
) -> Network:
    """Return the network of a model.

    Args:
        model: the model, local functions written out.
        tensors: reads the numbers of its tensors.
        lookup: from a layer's name to its record.
        batched: whether the first axis of every tensor is the batch; otherwise tensors are taken as those of one image.

    Raises:
        DiagnosticError: E0611, the file contradicts itself; E0612, with everything that cannot be imported.
    """
    return _Conversion(model, tensors, Network(lookup), batched).run()


@dataclass(slots=True)
class _Conversion:
    model: ModelProto
    tensors: TensorReader
    network: Network
    batched: bool
    values: dict[str, Value] = field(default_factory=dict)
    constants: dict[str, Stored] = field(default_factory=dict)
    initializers: dict[str, TensorProto] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    uses: Counter[str] = field(default_factory=Counter)
    images: int | None = None
    opset: int = 0
    counted: int = 0
    inside: int = 0

    @property
    def graph(self) -> GraphProto:
        return self.model.graph

    def run(self) -> Network:
        """Convert everything, or refuse everything that cannot be."""
        self.opset = opset_of(self.model)
        if len(self.graph.node) > LAYERS.value:
            raise broken(f"it has {len(self.graph.node):,} nodes, more than {LAYERS.value:,}", LAYERS.advice)
        self._tensors()
        self._inputs()
        nodes = in_order(self.graph, {*self.initializers, *self.values, *self.unread})
        self.uses.update(name for node in nodes for name in _used(node))
        self.uses.update(item.name for item in self.graph.output)
        for node in nodes:
            self._node(node)
        self._outputs()
        self.network.images = self.images
        if self.refusals:
            raise refused(self.graph.name or "the network", self.refusals)
        fuse(self.network)
        return self.network

    # ------------------------------------------------------------------------------------ what the graph declares

    def _tensors(self) -> None:
        for tensor in self.graph.initializer:
            if not tensor.name or tensor.name in self.initializers:
                raise broken(
                    f"two initializers are called {shown(tensor.name)}" if tensor.name else "an initializer has no name"
                )
            self.initializers[tensor.name] = tensor
        for sparse in self.graph.sparse_initializer:
            self._refuse(sparse.values.name, "sparse initializer", "weights that are stored sparse are not read")
            self.unread[sparse.values.name] = "told"

    def _inputs(self) -> None:
        for item in self.graph.input:
            if item.name in self.initializers:
                continue
            if not item.name or item.name in self.values or item.name in self.unread:
                raise broken(f"two inputs are called {shown(item.name)}" if item.name else "an input has no name")
            try:
                value = self._input(item)
            except UnsupportedError as error:
                self._refuse(item.name, "input", str(error))
                self.unread[item.name] = "told"
                continue
            self.values[item.name] = value
            self.network.inputs.append(Entrance(item.name, value))
        if not self.network.inputs and not self.refusals:
            raise refused(
                self.graph.name or "the network",
                [Refusal("", "network", "it has no inputs, so there is nothing to compute")],
            )

    def _input(self, item: ValueInfoProto) -> Value:
        if not item.type.HasField("tensor_type"):
            raise UnsupportedError("it is no tensor")
        kind = item.type.tensor_type
        if kind.elem_type not in WIDTHS:
            raise UnsupportedError(f"it is of the type {kind_name(kind.elem_type)}")
        if not kind.HasField("shape"):
            raise UnsupportedError("it does not say how many axes it has")
        sizes = [self._size(item.name, place, axis) for place, axis in enumerate(kind.shape.dim)]
        if not self.batched:
            return self.network.value(sizes or (1,), kind.elem_type, flat=not sizes)
        if not sizes:
            raise UnsupportedError("it is one number, without a batch axis")
        images = kind.shape.dim[0].dim_value if kind.shape.dim[0].HasField("dim_value") else None
        if images is not None and self.network.inputs and self.images not in (None, images):
            raise UnsupportedError(f"its batch is {images}, that of other inputs {self.images}")
        self.images = self.images if images is None else images
        return self.network.value(sizes[1:] or (1,), kind.elem_type, flat=len(sizes) == 1)

    def _size(self, name: str, place: int, axis: Any) -> Dim:
        if axis.HasField("dim_value"):
            if not 0 < axis.dim_value < _LARGEST_SIZE:
                raise broken(f"input {shown(name)} has the size {axis.dim_value} along axis {place}")
            return int(axis.dim_value)
        if place == 0 and self.batched:
            return BATCH
        self.counted += 1
        if self.counted > OPEN_SIZES.value:
            raise broken(f"its inputs leave more than {OPEN_SIZES.value} sizes open", OPEN_SIZES.advice)
        return symbol(_symbol_name(axis.dim_param, f"S{self.counted}"))

    def _outputs(self) -> None:
        if not self.graph.output:
            raise broken("it has no outputs")
        seen = set()
        for item in self.graph.output:
            if item.name in seen:
                raise broken(f"two outputs are called {shown(item.name)}")
            seen.add(item.name)
            if item.name in self.values and self.values[item.name].form:
                self._refuse(item.name, "output", self.values[item.name].form)
            elif item.name in self.values and not self.values[item.name].is_plain:
                self._refuse(item.name, "output", "the batch is not its first axis")
            elif item.name in self.values:
                self.network.outputs.append((item.name, self.values[item.name]))
            elif item.name in self.constants or item.name in self.initializers:
                self._refuse(item.name, "output", "it is a constant, which does not depend on the inputs")
            elif item.name not in self.unread:
                raise broken(f"no node makes the output {shown(item.name)}")

    # ------------------------------------------------------------------------------------ nodes

    def _node(self, proto: NodeProto) -> None:
        """Fold or convert a node; what cannot be is noted, and what it makes is not asked about again."""
        view = NodeView(proto, self.opset, self.tensors.array, lambda place: self._known(proto, place))
        try:
            if proto.domain not in ("", "ai.onnx"):
                raise UnsupportedError(f"it is no operator of ONNX itself, but of {shown(proto.domain)}")
            missing = [name for name in proto.input if name in self.unread]
            if missing:
                if proto.op_type not in CONVERTERS and proto.op_type not in _FOLDED:
                    raise UnsupportedError("the language has no layer for it")
                self._forget(proto)
                return
            self._compute(view, proto)
        except UnsupportedError as error:
            self._refuse(proto.name or next(iter(proto.output), ""), proto.op_type, str(error))
            self._forget(proto)

    def _compute(self, view: NodeView, proto: NodeProto) -> None:
        given = [self._given(name) for name in proto.input]
        if proto.op_type == "If" and isinstance(given[0], Stored):
            self._branch(view, proto, given[0])
            return
        if any(isinstance(item, Value) for item in given):
            if proto.op_type in ("Shape", "Size"):
                self._sizes(view, given[0])
                return
            self._convert(view, proto, given)
            return
        if proto.op_type in ("Expand", "ConstantOfShape") and (value := self._for_every_image(view, proto, given)):
            self.values[proto.output[0]] = value
            return
        arrays = [item.array if isinstance(item, Stored) else None for item in given]
        made = (
            _shape_of(view, arrays[0].shape)
            if proto.op_type in ("Shape", "Size") and arrays[0] is not None
            else fold(view, arrays)
        )
        if made is None:
            made = evaluated(proto, arrays, self.opset)
        if made is None:
            raise UnsupportedError("all its inputs are constants, of which it is not worked out")
        names = tuple(name for item in given if isinstance(item, Stored) for name in item.names)
        for name, array in zip(proto.output, made, strict=False):
            self.constants[name] = Stored(names or (name,), array)

    def _branch(self, view: NodeView, proto: NodeProto, choice: Stored) -> None:
        """Convert the branch that a stored choice takes, as if its nodes stood in the graph."""
        which = "then_branch" if choice.array.any() else "else_branch"
        branch: GraphProto | None = view.attribute(which)
        if branch is None or len(branch.output) != len(proto.output):
            raise broken(f"{shown(proto.name or proto.output[0])} has no {which} with as many outputs as it has itself")
        self.inside += len(branch.node)
        if self.inside > LAYERS.value:
            raise broken(f"its branches have more than {LAYERS.value:,} nodes", LAYERS.advice)
        for tensor in branch.initializer:
            self.initializers.setdefault(tensor.name, tensor)
        for node in branch.node:
            for name in node.input:
                self._demand_made(name)
            self._node(node)
        for name, inner in zip(proto.output, (item.name for item in branch.output), strict=True):
            self._demand_made(inner)
            self.uses[inner] += self.uses[name]
            if inner in self.unread:
                self.unread[name] = self.unread[inner]
            elif isinstance(item := self._given(inner), Value):
                self.values[name] = item
            elif item is not None:
                self.constants[name] = item

    def _demand_made(self, name: str) -> None:
        """Refuse a file that uses a value before it is made; in branches nobody has put the nodes in order."""
        if name and not any(name in made for made in (self.values, self.constants, self.initializers, self.unread)):
            raise broken(f"a branch uses {shown(name)}, which nothing makes before it")

    def _for_every_image(self, view: NodeView, proto: NodeProto, given: list[Value | Stored | None]) -> Value | None:
        """Return a stored tensor that is repeated for every image as a value; None where it is not."""
        shape = given[-1].array.reshape(-1) if isinstance(given[-1], Stored) else np.zeros(0)
        places = [place for place, size in enumerate(shape) if isinstance(size, Expr) and size == BATCH]
        if len(places) != 1 or not self.batched:
            return None
        own = [1 if place == places[0] else size for place, size in enumerate(shape)]
        if any(isinstance(size, Expr) for size in own):
            return None
        single = np.asarray(own, dtype=np.int64)
        arrays = [self._of_one(item.array, places[0], len(own)) for item in given[:-1] if isinstance(item, Stored)]
        made = fold(view, [*arrays, single])
        if made is None or made[0].shape[-len(own) :][places[0]] != 1 or made[0].ndim != len(own):
            return None
        kind = helper.np_dtype_to_tensor_dtype(made[0].dtype)
        call = self._call(view, proto, [])
        stored = Stored(
            (proto.output[0],),
            made[0].reshape([size for at, size in enumerate(made[0].shape) if at != places[0]] or [1]),
        )
        return replace(call.parameter(stored), kind=kind, batch=places[0], flat=len(own) == 1)

    def _of_one(self, array: Array, batch: int, rank: int) -> Array:
        """Return what a tensor stored for a number of images has for each of them, where that is the same."""
        place = batch - rank + array.ndim
        if 0 <= place < array.ndim and array.shape[place] == self.images:
            first = array.take([0], place)
            return first if (array == first).all() else array
        return array

    def _sizes(self, view: NodeView, value: Value | Stored | None) -> None:
        assert isinstance(value, Value), "constants are folded"
        call = self._call(view, view.proto, [value])
        (made,) = _shape_of(view, call.shape(value))
        self.constants[view.outputs[0]] = Stored((view.outputs[0],), made)

    def _convert(self, view: NodeView, proto: NodeProto, given: list[Value | Stored | None]) -> None:
        converter = CONVERTERS.get(proto.op_type)
        if converter is None:
            raise UnsupportedError("the language has no layer for it")
        for item in given:
            if isinstance(item, Value) and item.form and item.form not in FORMS.get(proto.op_type, ()):
                raise UnsupportedError(item.form)
        call = self._call(view, proto, given)
        demand_batch(call, proto.op_type)
        before, values_before = len(self.network.layers), len(self.network.conditions)
        try:
            result = converter(call)
            if left := view.unread():
                raise UnsupportedError(f"its attribute {shown(left[0])} is not read")
        except UnsupportedError:
            del self.network.layers[before:], self.network.conditions[values_before:]
            raise
        results = [with_batch(call, each) for each in (result if isinstance(result, list) else [result])]
        wanted = [name for name in proto.output if name]
        if len(results) < len(proto.output) and any(proto.output[len(results) :]):
            unmade = [name for name in proto.output[len(results) :] if self.uses[name]]
            if unmade:
                raise UnsupportedError(f"its output {shown(unmade[0])} is not read")
        for name, value in zip(proto.output, results, strict=False):
            if name in self.values or name in self.constants:
                raise broken(f"two nodes make {shown(name)}")
            if name in wanted:
                self.values[name] = value
        _label(call, proto, results)

    def _call(self, view: NodeView, proto: NodeProto, given: list[Value | Stored | None]) -> Call:
        return Call(
            view,
            self.network,
            given,
            lambda place: self.uses[proto.input[place]] == 1,
            self.images,
            self.batched,
            sum(bool(name) for name in proto.output),
        )

    def _given(self, name: str) -> Value | Stored | None:
        if not name:
            return None
        if name in self.values:
            return self.values[name]
        if name not in self.constants:
            tensor = self.initializers[name]
            self.constants[name] = Stored((name,), self.tensors.array(tensor))
        return self.constants[name]

    def _known(self, proto: NodeProto, place: int) -> Array | None:
        item = self._given(proto.input[place])
        return item.array if isinstance(item, Stored) else None

    def _refuse(self, node: str, operator: str, reason: str) -> None:
        self.refusals.append(Refusal(node, operator, reason))

    def _forget(self, proto: NodeProto) -> None:
        self.unread.update((name, proto.name) for name in proto.output if name)


def _used(node: NodeProto) -> Iterator[str]:
    """Yield the names that a node uses, those in its branches among them."""
    yield from node.input
    for attribute in node.attribute:
        for inner in attribute.g.node:
            yield from _used(inner)
        yield from (item.name for item in attribute.g.output)


_FOLDED = frozenset({"Shape", "Size", "Constant", "ConstantOfShape", "Range"})


def _label(call: Call, proto: NodeProto, results: list[Value]) -> None:
    """Give the layer that makes a node's value the node's name."""
    for layer in call.made:
        if layer.outputs[0] == results[0].number:
            layer.node, layer.operator = proto.name, proto.op_type
            layer.further = tuple(proto.output[1:])


def _shape_of(view: NodeView, sizes: tuple[Any, ...]) -> list[Array]:
    if view.operator == "Size":
        total: Any = 1
        for size in sizes:
            total = total * size
        return [_objects([total]).reshape(())]
    start, end = view.attribute("start", 0), view.attribute("end")
    return [_objects(list(sizes[slice(start, end)]))]


def _objects(sizes: list[Any]) -> Array:
    if all(isinstance(size, (int, np.integer)) for size in sizes):
        return np.asarray(sizes, dtype=np.int64)
    made = np.empty(len(sizes), dtype=object)
    made[:] = sizes
    return made


def _symbol_name(written: str, otherwise: str) -> str:
    """Return a name for an open size: that of the file where the language can have it, in capital letters."""
    name = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in written.upper()).strip("_")
    return name if name[:1].isalpha() and len(name) <= _LONGEST_SYMBOL else otherwise


_LONGEST_SYMBOL = 30
