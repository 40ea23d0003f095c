"""Local functions of a model written out, once it is known that they are not too many, nor functions of themselves."""

from __future__ import annotations

from onnx import FunctionProto, ModelProto, NodeProto, inliner

from striate.importing.findings import broken, shown
from striate.onnx.functions import DOMAIN
from striate_dsl.limits import LAYERS

_Key = tuple[str, str, str]


def written_out(model: ModelProto) -> ModelProto:
    """Return the model without functions of its own.

    Raises:
        DiagnosticError: E0611, a function uses itself, or written out they are too many nodes.
    """
    if not model.functions:
        return model
    functions = {_key(item.domain, item.name, item.overload): item for item in model.functions}
    sizes: dict[_Key, int] = {}
    for key in functions:
        _measure(key, functions, sizes)
    total = sum(sizes.get(_key(node.domain, node.op_type, node.overload), 1) for node in model.graph.node)
    if total > LAYERS.value:
        raise broken(
            f"with its functions written out it has {total:,} nodes, more than {LAYERS.value:,}", LAYERS.advice
        )
    if all(item.domain == DOMAIN for item in model.functions):
        return _under_paths(model, functions)
    return inliner.inline_local_functions(model)


def _under_paths(model: ModelProto, functions: dict[_Key, FunctionProto]) -> ModelProto:
    """Return a model with functions of ours written out: what is in a call goes by the call's name and a dot.

    Those are the names that the nodes had before they became functions; ONNX's own way numbers them.
    """
    made = ModelProto()
    made.CopyFrom(model)
    del made.functions[:]
    for place in reversed([at for at, item in enumerate(made.opset_import) if item.domain == DOMAIN]):
        del made.opset_import[place]
    del made.graph.node[:]
    waiting = list(reversed(model.graph.node))
    while waiting:
        node = waiting.pop()
        function = functions.get(_key(node.domain, node.op_type, node.overload))
        if function is None:
            made.graph.node.append(node)
        else:
            waiting += reversed(_body(node, function))
    return made


def _body(call: NodeProto, function: FunctionProto) -> list[NodeProto]:
    """Return the nodes that a call stands for, with the names and attributes of the place where it stands."""
    if len(call.input) > len(function.input) or len(call.output) > len(function.output):
        raise broken(f"node {shown(call.name)} gives its function {shown(function.name)} more than that takes")
    outer = dict(zip(function.input, call.input, strict=False)) | dict(zip(function.output, call.output, strict=False))
    outer |= dict.fromkeys(function.input[len(call.input) :], "")
    given = {item.name: item for item in (*function.attribute_proto, *call.attribute)}
    nodes: list[NodeProto] = []
    for inner in function.node:
        node = NodeProto()
        node.CopyFrom(inner)
        node.name = f"{call.name}.{inner.name}"
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                names[place] = outer.get(name, f"{call.name}.{name}" if name else "")
        del node.attribute[:]
        for attribute in inner.attribute:
            value = given.get(attribute.ref_attr_name) if attribute.ref_attr_name else attribute
            if value is not None:
                node.attribute.add().CopyFrom(value)
                node.attribute[-1].name = attribute.name
        nodes.append(node)
    return nodes


def _key(domain: str, name: str, overload: str) -> _Key:
    return domain, name, overload


def _measure(key: _Key, functions: dict[_Key, FunctionProto], sizes: dict[_Key, int]) -> None:
    """Work out how many nodes a function becomes, those it uses first."""
    waiting, open_ = [key], set[_Key]()
    while waiting:
        here = waiting[-1]
        if here in sizes:
            waiting.pop()
            continue
        calls = [_key(node.domain, node.op_type, node.overload) for node in functions[here].node]
        missing = [call for call in calls if call in functions and call not in sizes]
        if here in open_ and missing:
            raise broken(f"its function {shown(here[1])} uses itself")
        open_.add(here)
        if missing:
            if any(call in open_ for call in missing):
                raise broken(f"its function {shown(here[1])} uses itself")
            waiting += missing
        else:
            sizes[here] = sum(sizes.get(call, 1) for call in calls)
            waiting.pop()
