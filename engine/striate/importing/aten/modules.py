"""Which module a node is from, and modules that are one layer as a whole: attention with heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch.fx import Node

from striate.importing.aten.walk import Turned, Walk
from striate.importing.findings import UnsupportedError
from striate.importing.network import Stored, Value
from striate.ops.arguments import Choice

_ATTENTION = "torch.nn.modules.activation.MultiheadAttention"
_ROLES = {
    "in_proj_weight": "in_proj_weight",
    "q_proj_weight": "q_proj_weight",
    "k_proj_weight": "k_proj_weight",
    "v_proj_weight": "v_proj_weight",
    "in_proj_bias": "in_proj_bias",
    "out_proj.weight": "out_proj_weight",
    "out_proj.bias": "out_proj_bias",
}


@dataclass(frozen=True, slots=True)
class Attention:
    """The nodes of one use of `torch.nn.MultiheadAttention`.

    Attributes:
        path: the module.
        nodes: its nodes in order, up to the one that makes its output.
        inputs: the values that it is given, in the order in which it uses them: of queries, keys, values.
        weights: its parameters by role.
        features: the features of one head.
        transposes: whether it brings the tokens to the front first, as it does where the batch is in front.
        problem: why it is not read as a layer; empty where it is.
    """

    path: str
    nodes: tuple[Node, ...]
    inputs: tuple[Node, ...]
    weights: Mapping[str, Node]
    features: int
    transposes: bool
    problem: str


def module_of(node: Node) -> tuple[str, str]:
    """Return the path and the class of the innermost module that a node is from; empty for none."""
    stack = node.meta.get("nn_module_stack") or {}
    for path, kind in reversed(list(stack.values())):
        if not path.startswith("_empty"):
            return path, kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"
    return "", ""


def attentions_in(nodes: Sequence[Node], targets: Mapping[str, str]) -> dict[Node, Attention]:
    """Return the use of attention that each node belongs to, for those that do.

    Args:
        nodes: the nodes of a program.
        targets: which parameter each placeholder is, by name.
    """
    groups: dict[str, list[Node]] = {}
    paths: dict[str, str] = {}
    for node in nodes:
        for key, (path, kind) in (node.meta.get("nn_module_stack") or {}).items():
            name = kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"
            if node.op == "call_function" and name == _ATTENTION and isinstance(_sized(node), (tuple, list)):
                groups.setdefault(key, []).append(node)
                paths[key] = path
    found: dict[Node, Attention] = {}
    for key, group in groups.items():
        made = _attention(paths[key], group, targets)
        found.update(dict.fromkeys(made.nodes, made))
    return found


def _sized(node: Any) -> Any:
    value: Any = node.meta.get("val")
    return tuple(value.shape) if hasattr(value, "shape") else value if isinstance(value, (list, tuple)) else None


def _attention(path: str, group: Sequence[Node], targets: Mapping[str, str]) -> Attention:
    own = set(group)
    ends = [node for node in group if any(user not in own for user in node.users)]
    last = ends[0] if ends else group[-1]
    nodes = tuple(group[: group.index(last) + 1])
    inputs: list[Node] = []
    weights: dict[str, Node] = {}
    problem = "" if len(ends) == 1 else "its weights of attention are used, not only what it mixes by them"
    uses = 0
    for node in nodes:
        for item in node.all_input_nodes:
            target = targets.get(item.name, "None") if item.op == "placeholder" else "None"
            role = _ROLES.get(target.removeprefix(f"{path}." if path else ""))
            if item in own or not isinstance(_sized(item), tuple):
                continue
            if role is not None:
                weights[role] = item
            elif target == "None":
                uses += item is (inputs[0] if inputs else item)
                inputs += [item] if item not in inputs else []
            else:
                problem = "it has a mask or a bias of keys"
    products = [node for node in nodes if "bmm" in str(node.target) or "scaled_dot_product" in str(node.target)]
    if any("baddbmm" in str(node.target) for node in products):
        problem = "it has a mask"
    if any("scaled_dot" in str(node.target) and (len(node.args) > 3 or node.kwargs) for node in products):
        problem = "it has a mask"
    if not products or "out_proj_weight" not in weights:
        problem = problem or "its products are not found"
    features = int(_sized(products[0].args[0])[-1]) if products else 1
    transposes = any("transpose" in str(user.target) for user in inputs[0].users if user in own) if inputs else False
    if len(inputs) > 3 or (len(inputs) == 2 and uses > 1):
        problem = problem or "which of its inputs are queries, keys and values cannot be told"
    return Attention(path, nodes, tuple(inputs), weights, features, transposes, problem)


def attention_of(walk: Walk, found: Attention, given: Sequence[Any], stored: Mapping[str, Stored]) -> Value | Turned:
    """Add the layer of one use of attention and return its value.

    Raises:
        UnsupportedError: it does more than the layer, or the batch is not where it takes it to be.
    """
    if found.problem:
        raise UnsupportedError(found.problem)
    values = [_with_batch(item, found) for item in given]
    weights = {role: Stored(item.names, item.array.astype(np.float32)) for role, item in stored.items()}
    width = weights["out_proj_weight"].array.shape[0]
    arguments: dict[str, Any] = {"heads": width // found.features, "bias": "in_proj_bias" in weights}
    arguments |= {name: place for place, name in enumerate(("keys", "values")[: len(values) - 1], start=1)}
    made = walk.layer("attention", values, weights, axis=Choice("last"), **arguments)
    return made if found.transposes else Turned(made, (1, 0, 2))


def _with_batch(item: Any, found: Attention) -> Value:
    """Return an input with the batch in front, whichever way the module takes it."""
    if isinstance(item, Value) and found.transposes:
        return item
    if isinstance(item, Turned) and item.order == (1, 0, 2) and not found.transposes:
        return item.value
    raise UnsupportedError("it attends across the images of the batch")
