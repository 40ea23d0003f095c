"""Bounds of a training step: backward products against those that torch counts, traffic by hand."""

from __future__ import annotations

import pytest
from torch.utils.flop_counter import FlopCounterMode

from striate.analysis.costs import graph_macs
from striate.analysis.devices import Device
from striate.analysis.precision import FP32, OPTIMIZERS, PRECISIONS
from striate.analysis.roofline import LayerBound, Roofline
from striate.analysis.training_time import BackwardCost, backward_costs, training_time
from striate.lower.torch import Program, initialise
from striate.ops import BUILTIN, OpRecord, Sample
from tests.engine.analysis.graph_maker import GraphMaker
from tests.engine.ops.configurations import ACCEPTED, infer, sample_id, tensors
from tests.engine.ops.test_counts import in_parts, whole_graph

BATCH = 3
TOY = Device("toy", "a toy", {"fp32": 1000.0, "fp16": 4000.0}, 100.0, 10**6, "nowhere")


def small_network() -> GraphMaker:
    maker = GraphMaker()
    image = maker.input("image", 3, 12, 10)
    value = maker.layer("relu", maker.layer("conv", image, name="first", channels=4, kernel=3, pad=1), name="bent")
    branch = maker.layer("conv", value, name="second", channels=4, kernel=3, pad=1)
    value = maker.layer("maxpool", maker.layer("add", value, branch, name="sum"), name="pooled", kernel=2)
    maker.layer("dense", maker.layer("flatten", value, name="flat"), name="last", features=5)
    return maker


def test_the_products_of_a_network_are_those_that_torch_counts():
    maker = small_network()
    graph = maker.graph("last")
    program = Program(graph, BUILTIN.get)
    initialise(program, 0)
    program.train()
    with FlopCounterMode(display=False) as counter:
        out = program(*tensors([(3, 12, 10)], BATCH))
        forward = counter.get_total_flops()
        out.sum().backward()
    assert forward == 2 * BATCH * graph_macs(graph, BUILTIN.get)
    costs = backward_costs(graph, BUILTIN.get, batch=BATCH)
    # The first layer has no gradient for the image: one product, the others two.
    assert counter.get_total_flops() - forward == 2 * sum(cost.macs for cost in costs.values())
    assert costs["first"].macs == BATCH * 12 * 10 * 4 * 27
    assert costs["second"].macs == 2 * BATCH * 12 * 10 * 4 * 36


WITH_PRODUCTS = [
    (record, sample) for record, sample in ACCEPTED if (record.role == "weights" or record.name == "matmul")
]


@pytest.mark.parametrize(("record", "sample"), WITH_PRODUCTS, ids=sample_id)
def test_no_layer_has_more_products_than_torch_needs(record: OpRecord, sample: Sample):
    """In a network in which a gradient reaches its inputs, and in one in which it is the first layer."""
    layer = infer(record, sample.arguments, sample.inputs)
    graph = whole_graph(layer)
    said = backward_costs(graph, BUILTIN.get, batch=BATCH).get("layer", BackwardCost(0, 0))
    values, weights = layer.tensors(sample.inputs, BATCH), layer.weights()
    trained = {spec.role for spec in record.weights(layer.attributes, layer.inputs) if spec.trainable}
    made = {role: weight.requires_grad_(role in trained) for role, weight in weights.items()}
    with in_parts(), FlopCounterMode(display=False) as counter:
        out = layer.run(values, made)
        forward = counter.get_total_flops()
        if out.requires_grad:
            out.sum().backward()
    assert 2 * said.macs <= counter.get_total_flops() - forward


def test_the_bytes_of_the_way_back_by_hand():
    maker = small_network()
    costs = backward_costs(maker.graph("last"), BUILTIN.get, batch=2)
    pixels = 2 * 4 * 12 * 10
    # Kept and not needed further: the image, and a gradient for 4 x 27 + 4 weights; nothing for the image.
    assert costs["first"].moved == 4 * (pixels + 2 * 3 * 120 + 112)
    assert costs["bent"].moved == 4 * (3 * pixels)  # its output, and a gradient in and out
    assert costs["sum"] == BackwardCost(0, 0), "gradients of a sum are that of the sum"
    assert costs["second"].moved == 4 * (3 * pixels + 2 * (4 * 36) + 4 + 4)
    half = backward_costs(maker.graph("last"), BUILTIN.get, PRECISIONS["bf16"], batch=2)
    assert half["bent"].moved == costs["bent"].moved / 2


@pytest.mark.parametrize(("optimizer", "numbers"), [("sgd", 3), ("momentum", 5), ("adam", 7)])
def test_an_update_reads_and_writes_weights_and_state(optimizer: str, numbers: int):
    maker = GraphMaker()
    maker.layer("dense", maker.input("x", 10), name="last", features=5)
    graph = maker.graph("last")
    forward = Roofline(TOY, FP32, {"last": LayerBound(2.0, "bandwidth")}, operations=100, unavoidable=10)
    found = training_time(graph, BUILTIN.get, forward, OPTIMIZERS[optimizer])
    assert found.update == 4 * numbers * 55 / 100
    assert found.forward == 2.0
    assert found.seconds == found.forward + found.backward["last"].seconds + found.update
    assert found.fused <= found.seconds


def test_what_is_not_trained_takes_no_time_on_the_way_back():
    maker = GraphMaker()
    maker.layer("relu", maker.input("x", 10), name="last")
    assert backward_costs(maker.graph("last"), BUILTIN.get) == {}
