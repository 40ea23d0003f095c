"""From an exported program to a network: its nodes in order, what is constant worked out, all refusals listed."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from onnx import TensorProto
from torch import Tensor
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, OutputKind
from torch.fx import Node

from striate.dims import Expr
from striate.importing.aten import axes, entries, layers
from striate.importing.aten.extents import Extents
from striate.importing.aten.modules import Attention, attention_of, attentions_in, module_of
from striate.importing.aten.walk import Rule, Turned, Walk
from striate.importing.findings import Refusal, UnsupportedError, refused
from striate.importing.fusing import fuse
from striate.importing.network import Entrance, Network, Stored, Value
from striate.ops.record import OpRecord

RULES: Mapping[str, Rule] = {**layers.RULES, **entries.RULES, **axes.RULES}
"""What each operator becomes, by its name without `aten.` in front."""


def network_of_program(
    program: ExportedProgram,
    lookup: Callable[[str], OpRecord],
    name: str,
    rates: Mapping[str, float] | None = None,
    sizes: Sequence[Sequence[object]] = (),
) -> Network:
    """Return the network of a program whose operators are functional (`run_decompositions({})`).

    Args:
        program: the program, exported in evaluation.
        lookup: from a layer's name to its record.
        name: what messages call the program.
        rates: the rates of its dropout modules by path, which evaluation does not have.
        sizes: the sizes of its inputs without the batch, where some of them are letters to be kept.

    Raises:
        DiagnosticError: E0612, with everything that cannot be imported and the modules it is in.
    """
    return _Reading(program, Network(lookup), name, rates or {}, Extents(sizes)).run()


@dataclass(slots=True)
class _Reading:
    program: ExportedProgram
    network: Network
    name: str
    rates: Mapping[str, float]
    extents: Extents
    known: dict[Node, Any] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    lost: set[Node] = field(default_factory=set)
    walk: Walk = field(init=False)
    containers: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)

    def run(self) -> Network:
        """Read everything, or refuse everything that cannot be."""
        nodes = list(self.program.graph.nodes)
        self.walk = Walk(self.network, None)
        paths = {module_of(node)[0] for node in nodes}
        self.containers = {path.rpartition(".")[0] for path in paths if path} | {""}
        self._inputs([node for node in nodes if node.op == "placeholder"])
        targets = {getattr(spec.arg, "name", ""): str(spec.target) for spec in self.program.graph_signature.input_specs}
        attentions = attentions_in(nodes, targets)
        for node in nodes:
            if node.op == "call_function":
                self._node(node, attentions)
            elif node.op == "get_attr":
                self.known[node] = self._attribute(str(node.target))
        if not self.refusals:
            self._outputs(nodes[-1])
        self.network.images = self.walk.images
        if self.refusals:
            raise refused(self.name, self.refusals)
        fuse(self.network)
        last = self.network.inputs[-1]  # behind it, all open sizes have their letters
        last.conditions = self.extents.conditions(self.program.range_constraints, self.network.conditions)
        self.network.conditions += last.conditions
        return self.network

    # ------------------------------------------------------------------------------------ inputs and outputs

    def _inputs(self, nodes: Sequence[Node]) -> None:
        specs = {getattr(spec.arg, "name", ""): spec for spec in self.program.graph_signature.input_specs}
        for node in nodes:
            spec = specs[node.name]
            if spec.kind in (InputKind.PARAMETER, InputKind.BUFFER, InputKind.CONSTANT_TENSOR):
                target = str(spec.target)
                array = self._tensor(target)
                if array is not None:
                    self.known[node] = _stored(target, array)
            elif spec.kind is InputKind.USER_INPUT and isinstance(node.meta.get("val"), Tensor):
                self._input(node)
            if node not in self.known:
                self.lost.add(node)
        if not self.network.inputs and not self.refusals:
            self._refuse(self.name, "program", "it has no inputs, so there is nothing to compute")

    def _tensor(self, target: str) -> Tensor | None:
        found = self.program.state_dict.get(target)
        found = self.program.constants.get(target) if found is None else found
        return found if isinstance(found, Tensor) else None

    def _attribute(self, target: str) -> Stored | None:
        found = self._tensor(target)
        found = getattr(self.program.graph_module, target, None) if found is None else found
        return _stored(target, found) if isinstance(found, Tensor) else None

    def _input(self, node: Node) -> None:
        given: Tensor = node.meta["val"]
        try:
            if not given.is_floating_point():
                raise UnsupportedError(f"it is of the type {str(given.dtype).removeprefix('torch.')}")
            images, sizes = self.extents.of(list(given.shape), len(self.network.inputs))
        except UnsupportedError as error:
            self._refuse(node.name, "input", str(error))
            return
        if images is not None and self.network.inputs and self.walk.images not in (None, images):
            self._refuse(node.name, "input", f"its batch is {images}, that of other inputs {self.walk.images}")
        self.walk.images = self.walk.images if images is None else images
        value = self.network.value(sizes or (1,), TensorProto.FLOAT, flat=not sizes)
        self.known[node] = value
        self.network.inputs.append(Entrance(node.name, value))

    def _outputs(self, node: Node) -> None:
        wanted = [
            found
            for found, spec in zip(_flat(node.args[0]), self.program.graph_signature.output_specs, strict=True)
            if spec.kind is OutputKind.USER_OUTPUT
        ]
        for name, found in zip(output_names(self.program), wanted, strict=True):
            value = self.known.get(found) if isinstance(found, Node) else None
            if isinstance(value, Turned) or (isinstance(value, Value) and not value.is_plain):
                self._refuse(name, "output", "the batch is not its first axis")
            elif isinstance(value, Value) and value.form:
                self._refuse(name, "output", value.form)
            elif isinstance(value, Value):
                self.network.outputs.append((name, value))
            else:
                self._refuse(name, "output", "it is a constant, which does not depend on the inputs")

    # ------------------------------------------------------------------------------------ nodes

    def _node(self, node: Node, attentions: Mapping[Node, Attention]) -> None:
        """Read a node; what cannot be is noted, and what uses it is not asked about."""
        found = attentions.get(node)
        if found is not None:
            if node is found.nodes[-1]:
                self._attempt(node, found.path, lambda: self._attention(found), "MultiheadAttention")
            return
        target = str(node.target)
        if any(each in self.lost for each in node.all_input_nodes):
            self.lost.add(node)
            if target.startswith("aten.") and target.removeprefix("aten.") not in RULES and not _is_about(target):
                self._refuse(module_of(node)[0], target, "the language has no layer for it")
            return
        self._attempt(node, module_of(node)[0], lambda: self._value(node), target)

    def _attempt(self, node: Node, path: str, read: Callable[[], Any], target: str) -> None:
        before, asked = len(self.network.layers), len(self.network.conditions)
        self.walk.made = []
        try:
            self.known[node] = read()
        except UnsupportedError as error:
            del self.network.layers[before:], self.network.conditions[asked:]
            self._refuse(path or node.name, target, str(error))
            self.lost.add(node)
            return
        self._label(path, self.known[node])

    def _value(self, node: Node) -> Any:
        target = str(node.target)
        if node.target is operator.getitem:
            whole, place = (self._argument(item) for item in node.args)
            if whole[place] is None:
                raise UnsupportedError(f"output {place + 1} of what it takes apart is not read")
            return whole[place]
        if target == "aten.sym_size.int":
            return self.walk.shape(self._argument(node.args[0]))[self._argument(node.args[1])]
        if _is_about(target):
            return None
        if not isinstance(node.target, torch._ops.OpOverload):
            return self._arithmetic(node)
        given = self._arguments(node)
        if not any(isinstance(item, (Value, Turned)) for item in _flat(list(given.values()))):
            return self._constant(node)
        rule = RULES.get(target.removeprefix("aten."))
        if rule is None:
            raise UnsupportedError("the language has no layer for it")
        path, kind = module_of(node)
        if kind.rpartition(".")[2] in _DROPOUTS and self.rates.get(path):
            inner = given.get("self", given.get("input"))
            if isinstance(inner, Value) and target.startswith(("aten.clone", "aten.dropout")):
                return self.walk.layer("dropout", inner, rate=self.rates[path])
        return rule(self.walk, given)

    def _arithmetic(self, node: Node) -> Any:
        """Return what Python's operators make of sizes."""
        given = [self._argument(item) for item in node.args]
        try:
            return node.target(*given)  # type: ignore[operator]  # a function
        except (TypeError, ValueError, ArithmeticError):
            raise UnsupportedError("it computes with sizes in a way that is not followed") from None

    def _constant(self, node: Node) -> Any:
        """Return what torch computes of constants."""
        args = torch.utils._pytree.tree_map(self._torch, list(node.args), is_leaf=_is_leaf)
        kwargs = torch.utils._pytree.tree_map(self._torch, dict(node.kwargs), is_leaf=_is_leaf)
        with torch.no_grad():
            made = node.target(*args, **kwargs)  # type: ignore[operator]  # an operator
        names = tuple(name for item in node.all_input_nodes for name in _names(self.known.get(item)))
        return [_named(names, each) for each in made] if isinstance(made, (list, tuple)) else _named(names, made)

    def _torch(self, item: Any) -> Any:
        known = self._argument(item)
        if isinstance(known, Expr):
            raise UnsupportedError("it makes a constant whose size depends on the input")
        return torch.from_numpy(np.array(known.array)) if isinstance(known, Stored) else known

    def _attention(self, found: Attention) -> Any:
        outer = [self.known[node] for node in found.inputs]
        weights = {role: self.known[node] for role, node in found.weights.items()}
        return attention_of(self.walk, found, outer, weights)

    # ------------------------------------------------------------------------------------ arguments

    def _arguments(self, node: Node) -> dict[str, Any]:
        """Return the arguments of an operator by name, with defaults."""
        schema = node.target._schema  # type: ignore[union-attr]  # an operator
        given = {item.name: item.default_value for item in schema.arguments if item.has_default_value()}
        given |= {item.name: self._argument(value) for item, value in zip(schema.arguments, node.args, strict=False)}
        return given | {name: self._argument(value) for name, value in node.kwargs.items()}

    def _argument(self, item: Any) -> Any:
        if isinstance(item, Node):
            return self.known[item]
        if isinstance(item, (list, tuple)):
            return [self._argument(each) for each in item]
        return item

    # ------------------------------------------------------------------------------------ names

    def _label(self, path: str, made: Any) -> None:
        """Name the layer that makes a node's value after its module, with its own name behind a module of several."""
        if not path:
            return
        numbers = {item.number for item in _flat(made) if isinstance(item, Value)}
        for layer in self.walk.made:
            if not numbers.isdisjoint(layer.outputs):
                layer.node = self._numbered(f"{path}.{layer.record.name}") if path in self.containers else path

    def _numbered(self, name: str) -> str:
        self.counts[name] += 1
        return f"{name}{self.counts[name]}"

    def _refuse(self, where: str, target: str, reason: str) -> None:
        self.refusals.append(Refusal(where, target, reason))


_DROPOUTS = frozenset({"Dropout", "Dropout1d", "Dropout2d", "Dropout3d"})


def output_names(program: ExportedProgram) -> list[str]:
    """Return names for the outputs: the keys of a module that returns a table, otherwise `output` with a number."""
    count = sum(spec.kind is OutputKind.USER_OUTPUT for spec in program.graph_signature.output_specs)
    spec = program.call_spec.out_spec
    if spec is not None and spec.type is dict and len(spec.context) == count:
        return [str(key) for key in spec.context]
    return ["output"] if count == 1 else [f"output{place + 1}" for place in range(count)]


def operators_of(program: ExportedProgram) -> dict[str, int]:
    """Return how many nodes of each operator a program has, the frequent ones first."""
    counts = Counter(
        str(node.target).removeprefix("aten.").partition(".")[0]
        for node in program.graph.nodes
        if isinstance(node.target, torch._ops.OpOverload) and not _is_about(str(node.target))
    )
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _is_about(target: str) -> bool:
    """Whether an operator only says something about sizes."""
    return target.startswith(
        ("aten._assert", "aten.sym_constrain", "aten._assert_tensor", "aten.sym_size", "torch._check")
    )


def _is_leaf(item: Any) -> bool:
    return isinstance(item, Node)


def _flat(items: Any) -> Iterator[Any]:
    if isinstance(items, (list, tuple)):
        for item in items:
            yield from _flat(item)
    else:
        yield items


def _names(item: Any) -> tuple[str, ...]:
    return item.names if isinstance(item, Stored) else ()


def _stored(name: str, tensor: Tensor) -> Stored:
    made: Stored = _named((name,), tensor)
    return made


def _named(names: tuple[str, ...], made: Any) -> Any:
    if not isinstance(made, Tensor):
        return made
    plain = made.detach().cpu()
    return Stored(names, (plain.float() if plain.dtype == torch.bfloat16 else plain).numpy())
