"""Channel counts that the tensor cores of a GPU fill up with zeros, for files whose export section asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

from striate.dims import Dim
from striate.graph import Node, TensorType
from striate.lint.record import Finding, Lint
from striate.lint.sites import argument, set_argument
from striate.lint.subject import Network, Place, Subject, Use
from striate.ops.problems import Check, LayerError
from striate.ops.record import OpRecord, Types
from striate_dsl.diagnostics import Fix
from striate_dsl.syntax import Number

MULTIPLES: Mapping[str, int] = {"tf32": 4, "float16": 8, "bfloat16": 8, "int8": 16}
"""Channels that are loaded together: as many as there are numbers in 16 bytes."""

_PRODUCTS = {"conv": "channels", "deconv": "channels", "dense": "features"}
"""The layers that tensor cores compute, with the argument that is their number of outputs."""


@dataclass(frozen=True, slots=True)
class _Growth:
    """What more channels cost: parameters, and multiply-adds where all sizes are known."""

    parameters: int = 0
    macs: int | None = 0

    def __add__(self, other: _Growth) -> _Growth:
        macs = None if self.macs is None or other.macs is None else self.macs + other.macs
        return _Growth(self.parameters + other.parameters, macs)

    def __str__(self) -> str:
        macs = "" if self.macs is None else f" and {self.macs:,} MACs"
        return f"{self.parameters:,} parameters{macs}"


def _channels(network: Network, value: str) -> int | None:
    count = network.graph.types[value].channels
    return count if isinstance(count, int) else None


def _groups(node: Node) -> int:
    return int(node.attributes.get("groups", 1))


def _is_depthwise(network: Network, node: Node) -> bool:
    """Whether every group has one input channel: nothing to multiply together, so no tensor core is used."""
    return _groups(node) > 1 and _channels(network, node.inputs[0]) == _groups(node)


def _final(network: Network) -> frozenset[str]:
    """Return the layers whose channels are those of an output: how many there are is the task's to say."""
    found = set()
    for output in network.outputs:
        node = network.producers.get(output)
        while node is not None and not node.weights and len(node.inputs) == 1:
            node = network.producers.get(node.inputs[0])
        if node is not None:
            found.add(node.name)
    return frozenset(found)


def _wasted(use: Use, final: frozenset[str], multiple: int) -> tuple[int, int] | None:
    """Return the outputs of a layer and the next number that wastes nothing; None where nothing is wasted."""
    node, network = use.node, use.network
    count = _channels(network, node.outputs[0].name)
    if count is None or node.name in final or _is_depthwise(network, node):
        return None
    step = multiple * _groups(node)
    return None if count % step == 0 else (count, -(-count // step) * step)


def _unfilled(subject: Subject) -> Iterator[Finding]:
    asked = {id(network): MULTIPLES[network.tensor_cores] for network in subject.networks if network.tensor_cores}
    if not asked:
        return
    final = {id(network): _final(network) for network in subject.networks}
    for place in subject.places(*_PRODUCTS):
        for use in place.uses:
            key = id(use.network)
            wasted = _wasted(use, final[key], asked[key]) if key in asked else None
            if wasted is not None:
                yield _finding(subject, place, use, *wasted)
                break


def _finding(subject: Subject, place: Place, use: Use, count: int, wanted: int) -> Finding:
    groups, arithmetic = _groups(use.node), use.network.tensor_cores or ""
    what = "output channels" if place.op != "dense" else "features"
    each = f" ({count // groups} in each of {groups} groups)" if groups > 1 else ""
    growth = _own(use, count, wanted) + _readers(use.network, use.node, count, wanted)
    name = _PRODUCTS[place.op]
    return Finding(
        place.span,
        f"{count} {what}{each} are filled up to {wanted} on tensor cores: {1 - count / wanted:.0%} of what they "
        f"compute here is zeros",
        notes=(f"in {arithmetic}, {MULTIPLES[arithmetic]} channels go together", *use.notes),
        help=f"{name} = {wanted} costs {growth} more, here and in the layers that read it",
        fix=_widened(subject, place, name, count, wanted),
    )


def _own(use: Use, count: int, wanted: int) -> _Growth:
    """Return what a layer costs more with more outputs: its weights and products grow with them."""
    graph = use.network.graph
    entries = sum(weight.size for name in use.node.weights.values() if (weight := graph.weights[name]).trainable)
    return _Growth(entries // count * (wanted - count), _share(use.network, use.node, wanted - count, count))


def _readers(network: Network, node: Node, count: int, wanted: int) -> _Growth:
    """Return what the layers cost more that read a value with more channels, up to the next products."""
    total, waiting, seen = _Growth(), [(node.outputs[0].name, wanted - count)], {node.name}
    while waiting:
        value, more = waiting.pop()
        for reader in network.users.get(value, ()):
            if reader.name in seen:
                continue
            seen.add(reader.name)
            before, after = _channels(network, value), _channels(network, reader.outputs[0].name)
            if before is None or after is None:
                continue
            record = network.lookup(reader.op)
            if record is not None and record.role == "weights" and reader.op not in _PRODUCTS:
                growth, further = _recounted(network, reader, record, value, more)
                total += growth
                if further:
                    waiting.append((reader.outputs[0].name, further))
                continue
            mixing = reader.op in _PRODUCTS and not _is_depthwise(network, reader)
            total += _reader(network, reader, before, more, mixing=mixing)
            if not mixing:
                # flatten makes several features of a channel; every other layer of one input keeps their number
                waiting.append((reader.outputs[0].name, more * after // before if len(reader.inputs) == 1 else more))
    return total


def _recounted(network: Network, reader: Node, record: OpRecord, value: str, more: int) -> tuple[_Growth, int]:
    """Return what a layer with weights of several kinds costs more, by its own rules, and the channels it gives more.

    Nothing where it does not take so many channels: the heads of attention have to divide them.
    """
    types = network.graph.types
    before = tuple(types[name] for name in reader.inputs)
    after = tuple(
        TensorType((kind.channels + more, *kind.shape[1:])) if name == value else kind
        for name, kind in zip(reader.inputs, before, strict=True)
    )
    try:
        counted = [_counted(record, reader, inputs) for inputs in (before, after)]
    except LayerError:
        return _Growth(), 0
    (parameters, macs, given), (new_parameters, new_macs, new_given) = counted
    products = new_macs - macs if isinstance(macs, int) and isinstance(new_macs, int) else None
    return _Growth(new_parameters - parameters, products), new_given - given


def _counted(record: OpRecord, reader: Node, inputs: Types) -> tuple[int, Dim, int]:
    """Return parameters, multiply-adds and output channels of a layer on inputs of these sizes."""
    outputs = record.shape(reader.attributes, inputs, Check())
    weights = record.weights(reader.attributes, inputs)
    parameters = sum(prod(weight.shape) for weight in weights if weight.trainable)
    channels = outputs[0].channels
    return parameters, record.macs(reader.attributes, inputs, outputs), channels if isinstance(channels, int) else 0


def _reader(network: Network, reader: Node, before: int, more: int, *, mixing: bool) -> _Growth:
    weights = [network.graph.weights[name] for role, name in reader.weights.items() if role == "weight" or not mixing]
    entries = sum(weight.size for weight in weights if weight.trainable)
    return _Growth(entries * more // before, _share(network, reader, more, before))


def _share(network: Network, node: Node, more: int, before: int) -> int | None:
    macs = network.macs(node)
    return macs * more // before if isinstance(macs, int) else None


def _widened(subject: Subject, place: Place, name: str, count: int, wanted: int) -> Fix | None:
    """Return the repair where the number stands in the call itself."""
    site = subject.sites.find(place.span, place.op)
    given = argument(site.call, name) if site else None
    if site is None or given is None or not isinstance(given.value, Number) or given.value.value != count:
        return None
    edit = set_argument(site.call, name, str(wanted))
    return Fix(f"{name} = {wanted}", (edit,), "unsafe") if edit else None


LINTS = (
    Lint(
        "W0119",
        "channels that do not fill tensor cores",
        "tensor cores multiply numbers in rows of 16 bytes: a row that is not full takes as long as a full one, where "
        "the library fills it up at all instead of going without tensor cores",
        "NVIDIA, Convolutional layers user's guide, section Channels in and out",
        _unfilled,
    ),
)
