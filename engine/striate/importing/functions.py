"""Local functions of a model written out, once it is known that they are not too many, nor functions of themselves."""

from __future__ import annotations

from onnx import FunctionProto, ModelProto, inliner

from striate.importing.findings import broken, shown
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
    return inliner.inline_local_functions(model)


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
