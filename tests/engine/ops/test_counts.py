"""Products, parameters and batches of random calls of every layer, against counters of torch's own."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import prod
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from striate.analysis.costs import node_costs
from striate.graph import Graph, Input, Node, Value, Weight
from striate.lower.torch import Program
from striate.ops import BUILTIN, OpRecord
from tests.engine.analysis.graph_maker import NOWHERE
from tests.engine.ops.configurations import REGIONS, Layer, legal_calls
from tests.engine.ops.test_training import is_steady

records = pytest.mark.parametrize("record", BUILTIN.values(), ids=lambda record: record.name)


def whole_graph(layer: Layer) -> Graph:
    """A graph of one layer with its weights."""
    inputs = tuple(Input(Value(f"in{index}", kind), {}, NOWHERE) for index, kind in enumerate(layer.inputs))
    specs = layer.record.weights(layer.attributes, layer.inputs)
    weights = {f"layer.{each.role}": each for each in specs}
    outputs = tuple(Value("layer" if not index else f"layer.{index}", kind) for index, kind in enumerate(layer.outputs))
    node = Node(
        "layer",
        layer.record.name,
        tuple(item.value.name for item in inputs),
        dict(layer.attributes),
        {spec.role: name for name, spec in weights.items()},
        outputs,
        NOWHERE,
    )
    made = {name: Weight(name, spec.shape, spec.initializer, spec.trainable) for name, spec in weights.items()}
    return Graph("One", inputs, (node,), {"out": "layer"}, made, ())


# ---------------------------------------------------------------------------------------------------- products

NO_PRODUCTS = {
    **dict.fromkeys(("roi_align", "psroi_pool"), "torch weighs pixels by a product of matrices"),
    "affine_grid": "torch writes it as a product of matrices",
}
"""Layers that count no multiply-adds although torch makes some: they weigh places, and not channels."""


@contextmanager
def in_parts() -> Iterator[None]:
    """Let torch compute recurrent layers and attention as the products that they are made of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # oneDNN's switch speaks of TF32
        with torch.backends.mkldnn.flags(enabled=False), sdpa_kernel(SDPBackend.MATH):
            yield


def products(layer: Layer, values: list[Tensor]) -> int:
    """Return twice the multiply-adds that torch counts; recurrent layers and attention as what they are made of."""

    def of_vector(matrix: Any, vector: Any, *others: Any, **settings: Any) -> int:
        """A matrix times a vector, which torch leaves out."""
        return int(2 * prod(matrix))

    # The norm of a kernel is such a product too, but none of the values.
    more = {torch.ops.aten.mv: of_vector} if layer.attributes.get("weight", "plain") == "plain" else {}
    counter = FlopCounterMode(display=False, custom_mapping=more)
    with in_parts(), torch.no_grad(), counter:
        layer.results(values, layer.weights())
    return int(counter.get_total_flops())


@records
@settings(max_examples=12)
@given(data=st.data())
def test_products_of_random_calls_are_those_of_torch(record: OpRecord, data: st.DataObject):
    layer, shapes = data.draw(legal_calls(record, largest=9))
    macs = record.macs(layer.attributes, layer.inputs, layer.outputs)
    assert isinstance(macs, int)
    for batch in (1, 3):
        found, said = products(layer, layer.tensors(shapes, batch)), 2 * batch * macs
        match record.name:
            case name if name in NO_PRODUCTS:
                assert said == 0 <= found
            case "deconv" | "table_conv":  # what padding cuts off, and what the table does not connect, torch computes
                assert 0 < said <= found
            case "partial_conv":  # torch counts valid pixels by a convolution
                pixels, window = prod(layer.outputs[0].shape[1:]), prod(layer.attributes["kernel"])
                assert said == found - 2 * batch * pixels * window * layer.inputs[layer.attributes["mask"]].channels
            case _:
                assert said == found


# ---------------------------------------------------------------------------------------------------- parameters


@records
@settings(max_examples=8)
@given(data=st.data())
def test_parameters_of_random_calls_are_those_of_the_program(record: OpRecord, data: st.DataObject):
    layer, _ = data.draw(legal_calls(record, largest=9))
    graph = whole_graph(layer)
    cost, program = node_costs(graph, BUILTIN.get)["layer"], Program(graph, BUILTIN.get, device="meta")
    assert cost.parameters == graph.parameters == sum(item.numel() for item in program.parameters())
    assert cost.statistics == sum(item.numel() for item in program.buffers())


def _windows(layer: Layer, *names: str) -> dict[str, Any]:
    return {f"{name}_size" if name == "kernel" else name: layer.attributes[name] for name in names}


def _rank(kind: str, layer: Layer) -> Any:
    return getattr(nn, f"{kind}{layer.inputs[0].rank - 1}d")


def _conv(kind: str) -> Callable[[Layer], nn.Module]:
    def module(layer: Layer) -> nn.Module:
        given = _windows(layer, "kernel", "groups", "bias")
        made: nn.Module = _rank(kind, layer)(layer.inputs[0].channels, layer.attributes["channels"], **given)
        return made

    return module


def _norm(kind: str) -> Callable[[Layer], nn.Module]:
    def module(layer: Layer) -> nn.Module:
        made: nn.Module = getattr(nn, kind)(layer.inputs[0].channels)
        return made

    return module


def _recurrent(kind: str) -> Callable[[Layer], nn.Module]:
    def module(layer: Layer) -> nn.Module:
        features = layer.inputs[0].shape[0 if layer.attributes["axis"] == "channels" else -1]
        taken = {"num_layers": "layers", "bidirectional": "bidirectional", "bias": "bias"}
        settings = {name: layer.attributes[own] for name, own in taken.items()}
        made: nn.Module = getattr(nn, kind)(features, layer.attributes["hidden"], **settings)
        return made

    return module


def _attention(layer: Layer) -> nn.Module:
    axis = 0 if layer.attributes["axis"] == "channels" else -1
    features = [layer.inputs[layer.attributes[name] or 0].shape[axis] for name in ("keys", "values")]
    keys = features[0] if layer.attributes["keys"] else layer.inputs[0].shape[axis]
    values = features[1] if layer.attributes["values"] else keys
    own = layer.inputs[0].shape[axis]
    assert isinstance(own, int) and isinstance(keys, int) and isinstance(values, int)
    settings = {"kdim": keys, "vdim": values, "bias": layer.attributes["bias"]}
    return nn.MultiheadAttention(own, layer.attributes["heads"], **settings)


TWINS: Mapping[str, Callable[[Layer], nn.Module]] = {
    "conv": _conv("Conv"),
    "deconv": _conv("ConvTranspose"),
    "dense": lambda layer: nn.Linear(
        prod(layer.inputs[0].shape), layer.attributes["features"], layer.attributes["bias"]
    ),
    "bn": _norm("BatchNorm2d"),
    "instancenorm": lambda layer: nn.InstanceNorm2d(
        int(layer.inputs[0].shape[0]),
        affine=layer.attributes["affine"],
        track_running_stats=layer.attributes["running"],
    ),
    "groupnorm": lambda layer: nn.GroupNorm(
        layer.attributes["groups"], int(layer.inputs[0].shape[0]), affine=layer.attributes["affine"]
    ),
    "prelu": lambda layer: nn.PReLU(int(layer.inputs[0].shape[0]) if layer.attributes["slopes"] == "channels" else 1),
    "lstm": _recurrent("LSTM"),
    "gru": _recurrent("GRU"),
    "attention": _attention,
}
"""The same layer as a module of torch."""


@pytest.mark.parametrize("name", TWINS)
@given(data=st.data())
def test_parameters_of_random_calls_are_those_of_a_module_of_torch(name: str, data: st.DataObject):
    layer, _ = data.draw(legal_calls(BUILTIN[name], largest=9))
    if layer.attributes.get("weight", "plain") != "plain":
        return  # a kernel with a norm of its own, which torch has as another module
    specs, module = BUILTIN[name].weights(layer.attributes, layer.inputs), TWINS[name](layer)
    counted = {kind: sum(prod(spec.shape) for spec in specs if spec.trainable is kind) for kind in (True, False)}
    assert counted[True] == sum(item.numel() for item in module.parameters())
    # torch also counts the batches that it has seen.
    assert counted[False] == sum(item.numel() for item in module.buffers() if item.dim())


# ---------------------------------------------------------------------------------------------------- batches, modes


def _one_of(layer: Layer, values: list[Tensor], image: int) -> list[Tensor]:
    """Return one image of a batch; regions that say which image they are of say the first."""
    alone = [value[image : image + 1].clone() for value in values]
    if layer.record.name in REGIONS and alone[layer.attributes["rois"]].shape[-1] == 5:
        alone[layer.attributes["rois"]][..., 0] = 0
    return alone


@records
@settings(max_examples=10)
@given(data=st.data())
def test_images_of_a_batch_do_not_touch_each_other(record: OpRecord, data: st.DataObject):
    """In evaluation, and in training where that computes the same; of whatever sizes, square or not."""
    layer, shapes = data.draw(legal_calls(record, largest=9))
    weights = layer.weights(dtype=torch.float64)
    values = layer.tensors(shapes, 3, dtype=torch.float64)
    together = layer.results(values, weights)
    for image in range(3):
        alone = layer.results(_one_of(layer, values, image), weights)
        for one, all_of_them in zip(alone, together, strict=True):
            torch.testing.assert_close(one, all_of_them[image : image + 1])
    if is_steady(layer):
        for batch in (1, 3):
            some = [value[:batch] for value in values]
            for one, other in zip(layer.results(some, weights, training=True), together, strict=True):
                torch.testing.assert_close(one, other[:batch])
