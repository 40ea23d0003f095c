"""The blocks of the text as functions of the ONNX file: one per block and form, called once per instance.

A function takes the values that flow in, then weights and constants; attributes that differ between instances are
attributes of the function. Its nodes and values are called as in the block, so that a call that is written out again
under the path of its instance gives exactly the nodes there were before (`striate.importing.functions`).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import PurePath

from onnx import AttributeProto, FunctionProto, ModelProto, NodeProto, OperatorSetIdProto, helper

from striate.graph import Graph
from striate.onnx.names import value_names
from striate.onnx.scopes import Scope, scopes_of
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

DOMAIN = "striate.blocks"
"""The domain of the functions, which each file defines for itself."""

FIRST_IR, FIRST_OPSET = 8, 15
"""The first file format that has functions, and the first operator set that is written in it."""


def with_functions(document: ModelProto, graph: Graph) -> ModelProto:
    """Return a document of ours whose block instances are calls of functions; the given one stays as it is.

    Instances whose nodes do not stand together stay as they are.

    Raises:
        DiagnosticError: E0645, the file format of this operator set has no functions.
    """
    if document.ir_version < FIRST_IR:
        raise DiagnosticError(_too_old(document))
    made = ModelProto()
    made.CopyFrom(document)
    writer = _Writer(made, graph)
    nodes = writer.top()
    if not writer.functions:
        return made
    del made.graph.node[:]
    made.graph.node.extend(nodes)
    made.functions.extend(writer.functions)
    made.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    there = {name for node in nodes for name in (*node.input, *node.output)}
    sizes = [item for item in made.graph.value_info if item.name in there]
    del made.graph.value_info[:]
    made.graph.value_info.extend(sizes)
    return made


@dataclass(slots=True)
class _Instance:
    """A block instance: its scope, what is in it, its nodes' places in the network, and what calls it.

    `formals` and `results` have the function's names for what goes in and out, each with the name in the network.
    """

    scope: Scope
    items: list[NodeProto | _Instance]
    first: int
    last: int
    nodes: list[NodeProto] = field(default_factory=list)
    formals: dict[str, str] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    function: str = ""
    attributes: list[AttributeProto] = field(default_factory=list)

    @property
    def height(self) -> int:
        """How many instances lie in each other here, this one left out."""
        return max((item.height + 1 for item in self.items if isinstance(item, _Instance)), default=0)

    def below(self) -> Iterable[_Instance]:
        """Yield this instance and all in it."""
        yield self
        for item in self.items:
            if isinstance(item, _Instance):
                yield from item.below()


class _Writer:
    """Writes the functions of one document; those that others call come first."""

    def __init__(self, document: ModelProto, graph: Graph) -> None:
        self.functions: list[FunctionProto] = []
        self._nodes = list(document.graph.node)
        self._opset = next(item for item in document.opset_import if not item.domain)
        self._scopes = {name: scopes_of(layer) for name, layer in graph.by_name.items()}
        written = value_names(graph).written
        self._own = {written[value.name]: value.name for node in graph.nodes for value in node.outputs}
        self._roles = {
            (layer.name, weight): f"{layer.name}.{role}"
            for layer in graph.nodes
            for role, weight in layer.weights.items()
        }
        self._stored = {item.name for item in document.graph.initializer}
        self._wanted = {item.name for item in document.graph.output}
        self._users: defaultdict[str, list[int]] = defaultdict(list)
        for place, node in enumerate(self._nodes):
            for name in node.input:
                self._users[name].append(place)

    def top(self) -> list[NodeProto]:
        """Return the nodes of the network, calls among them, and leave the functions in `functions`."""
        items = self._grouped(range(len(self._nodes)), 0)
        instances = [each for item in items if isinstance(item, _Instance) for each in item.below()]
        for height in sorted({each.height for each in instances}):
            alike: defaultdict[object, list[_Instance]] = defaultdict(list)
            for each in instances:
                if each.height == height:
                    self._localise(each)
                    alike[_signature(each)].append(each)
            for group in alike.values():
                self._define(group)
        return [item if isinstance(item, NodeProto) else self._call(item, item.scope.path) for item in items]

    # ------------------------------------------------------------------------------------ instances

    def _grouped(self, places: Sequence[int], depth: int) -> list[NodeProto | _Instance]:
        """Return nodes in which those of one instance at a depth are put together, if they stand together."""
        runs = [(scope, list(run)) for scope, run in groupby(places, lambda place: self._scope(place, depth))]
        times = Counter(scope.path for scope, _ in runs if scope is not None)
        items: list[NodeProto | _Instance] = []
        for scope, run in runs:
            if scope is None or times[scope.path] > 1 or not self._is_within(run, scope):
                items += [self._nodes[place] for place in run]
            else:
                items.append(_Instance(scope, self._grouped(run, depth + 1), run[0], run[-1]))
        return items

    def _scope(self, place: int, depth: int) -> Scope | None:
        layer = _layer(self._nodes[place])
        # What prepares a weight, such as dequantising it, goes by the weight's name and belongs to its layer.
        scopes = self._scopes.get(layer) or self._scopes.get(layer.rpartition(".")[0], ())
        return scopes[depth] if len(scopes) > depth else None

    def _is_within(self, places: Sequence[int], scope: Scope) -> bool:
        """Whether every name that nodes make lies below the path of an instance."""
        names = (self._own.get(name, name) for place in places for name in self._nodes[place].output if name)
        return all(name.startswith(f"{scope.path}.") for name in names)

    def _localise(self, instance: _Instance) -> None:
        """Write the nodes of an instance with the names that they have in its function."""
        prefix = f"{instance.scope.path}."
        local: dict[str, str] = {}
        calls = [item if isinstance(item, NodeProto) else self._call(item, item.scope.path) for item in instance.items]
        for node in calls:
            local |= {name: self._own.get(name, name).removeprefix(prefix) for name in node.output if name}
        flowing = dict.fromkeys(
            name for node in calls for name in node.input if name and name not in local and name not in self._stored
        )
        taken = set(local.values())
        for number, name in enumerate(flowing, start=1):
            formal = "input" if number == 1 else f"input_{number}"
            local[name] = formal + "_" * (formal in taken)
            instance.formals[local[name]] = name
        for item, node in zip(instance.items, calls, strict=True):
            made = NodeProto()
            made.CopyFrom(node)
            made.name = node.name.removeprefix(prefix)
            made.ClearField("metadata_props")  # it names the instance
            inner = list(item.formals) if isinstance(item, _Instance) else []
            for place, name in enumerate(node.input):
                if name in self._stored:
                    whole = f"{node.name}.{inner[place]}" if inner else self._roles.get((_layer(node), name), name)
                    formal = whole.removeprefix(prefix)
                    instance.formals[formal] = name
                    made.input[place] = formal
                elif name:
                    made.input[place] = local[name]
            for place, name in enumerate(node.output):
                made.output[place] = local.get(name, "")
            instance.nodes.append(made)
        for node in calls:
            for name in node.output:
                outside = any(not instance.first <= user <= instance.last for user in self._users[name])
                if name and (outside or name in self._wanted):
                    instance.results[local[name]] = name

    # ------------------------------------------------------------------------------------ functions

    def _define(self, group: Sequence[_Instance]) -> None:
        """Make the function of instances that differ in values of attributes at most, and note how each calls it."""
        first = group[0]
        name = _free(first.scope.block, {item.name for item in self.functions})
        nodes: list[NodeProto] = []
        parameters: list[str] = []
        for place, node in enumerate(first.nodes):
            made = NodeProto()
            made.CopyFrom(node)
            for index, attribute in enumerate(node.attribute):
                each = [instance.nodes[place].attribute[index] for instance in group]
                if all(item == attribute for item in each):
                    continue
                parameter = _free(re.sub(r"\W", "_", f"{node.name}_{attribute.name}"), set(parameters))
                parameters.append(parameter)
                made.attribute[index].CopyFrom(
                    AttributeProto(name=attribute.name, type=attribute.type, ref_attr_name=parameter)
                )
                for instance, value in zip(group, each, strict=True):
                    given = AttributeProto()
                    given.CopyFrom(value)
                    given.name = parameter
                    instance.attributes.append(given)
            nodes.append(made)
        self.functions.append(
            helper.make_function(
                DOMAIN, name, list(first.formals), list(first.results), nodes, self._imports(nodes), parameters
            )
        )
        for instance in group:
            instance.function = name

    def _imports(self, nodes: Iterable[NodeProto]) -> list[OperatorSetIdProto]:
        nested = any(node.domain == DOMAIN for node in nodes)
        return [self._opset, *([helper.make_opsetid(DOMAIN, 1)] if nested else [])]

    def _call(self, instance: _Instance, path: str) -> NodeProto:
        """Return the node that calls the function of an instance, with the names of the network."""
        call = helper.make_node(
            instance.function,
            list(instance.formals.values()),
            list(instance.results.values()),
            name=path,
            domain=DOMAIN,
        )
        call.attribute.extend(instance.attributes)
        span = instance.scope.call
        call.doc_string = f"{PurePath(span.file).name}:{span.line}"
        return call


def _layer(node: NodeProto) -> str:
    return node.name.partition("/")[0]


def _free(name: str, taken: set[str]) -> str:
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found


def _signature(instance: _Instance) -> object:
    """Return what instances of one function have in common: everything but where they are and what attributes say."""
    nodes = tuple(
        (
            node.domain,
            node.op_type,
            node.name,
            tuple(node.input),
            tuple(node.output),
            tuple((item.name, item.type) for item in node.attribute),
        )
        for node in instance.nodes
    )
    return instance.scope.block, tuple(instance.formals), tuple(instance.results), nodes


def _too_old(document: ModelProto) -> Diagnostic:
    opset = next(item.version for item in document.opset_import if not item.domain)
    return Diagnostic(
        "E0645",
        f"a file of opset {opset} has no functions",
        notes=(f"its format is IR {document.ir_version}; functions came with IR {FIRST_IR}",),
        help=f"use opset {FIRST_OPSET} or later: --opset {FIRST_OPSET}",
    )
