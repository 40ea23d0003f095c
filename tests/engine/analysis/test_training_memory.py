"""The forecast of training's memory against the tensors that torch holds in a second step, and by hand."""

from __future__ import annotations

import pytest
import torch

from striate.analysis.precision import OPTIMIZERS, PRECISIONS
from striate.analysis.training import training_memory
from striate.ops import BUILTIN
from tests.engine.analysis.allocations import Trial
from tests.engine.analysis.graph_maker import GraphMaker
from tests.engine.analysis.test_liveness import small_model


@pytest.mark.parametrize(
    ("file", "model", "shape", "optimizer", "precision"),
    [
        ("lenet5", None, (32, 1, 32, 32), "sgd", "fp32"),
        ("lenet5", None, (32, 1, 32, 32), "momentum", "fp32"),
        ("lenet5", None, (32, 1, 32, 32), "adam", "fp32"),
        ("lenet5", None, (64, 1, 32, 32), "adam", "bf16"),
        ("resnet", "ResNet18", (4, 3, 64, 64), "sgd", "fp32"),
        ("mobilenet_v2", None, (2, 3, 64, 64), "momentum", "fp32"),
        ("mobilenet_v2", None, (2, 3, 64, 64), "sgd", "bf16"),
        ("densenet", "DenseNet121", (2, 3, 64, 64), "sgd", "fp32"),
        ("unet", None, (2, 3, 64, 96), "adam", "fp32"),
        ("unet", None, (2, 3, 64, 96), "sgd", "bf16"),
    ],
)
def test_the_peak_of_training_is_within_a_tenth_of_torch(
    file: str, model: str | None, shape: tuple[int, ...], optimizer: str, precision: str
):
    loaded = small_model(file, model)
    batch, _, height, width = shape
    sizes = {"H": height, "W": width} if file == "unet" else {}
    lookup = loaded.catalogue.layer

    forecast = training_memory(
        loaded.graph,
        lookup,
        sizes=sizes,
        batch=batch,
        precision=PRECISIONS[precision],
        optimizer=OPTIMIZERS[optimizer],
    )
    trial = Trial(loaded.graph, lookup, torch.rand(shape), optimizer=optimizer, autocast=precision == "bf16")
    found = trial.training()

    stored = forecast.weights + forecast.state
    assert forecast.peak == pytest.approx(found, rel=0.1)
    assert forecast.peak - stored == pytest.approx(found - stored, rel=0.1), "without what is there all the time"


def test_what_each_layer_leaves_for_backward():
    maker = GraphMaker()
    image = maker.input("image", 3, 8, 8)
    conv = maker.layer("conv", image, channels=4, kernel=3, pad="half", bias=False, name="conv")
    bent = maker.layer("relu", maker.layer("bn", conv, name="bn"), name="relu")
    small = maker.layer("maxpool", bent, kernel=2, name="pool")
    flat = maker.layer("flatten", maker.layer("dropout", small, name="drop"), name="flat")
    maker.layer("dense", flat, features=5, name="dense")
    memory = training_memory(maker.graph("dense"), BUILTIN.get, batch=10)

    big, quarter = 10 * 4 * 8 * 8 * 4, 10 * 4 * 4 * 4 * 4
    assert dict(memory.kept) == {
        "conv": big,  # bn's input
        "bn": 0,  # relu looks at what it gives, not at what it gets
        "relu": big,
        "pool": quarter // 4 * 8,  # the places of the maxima
        "drop": quarter,  # the mask
        "flat": quarter,  # a copy, for the pixels lie with channels last, and dense keeps it
        "dense": 10 * 5 * 4,  # the output, for the loss
    }


def test_gradients_and_state():
    maker = GraphMaker()
    maker.layer("dense", maker.input("vector", 100), features=50, bias=False, name="dense")
    graph = maker.graph("dense")
    weights = 100 * 50 * 4
    vector, output = 100 * 4, 50 * 4

    plain = training_memory(graph, BUILTIN.get)
    assert (plain.weights, plain.gradients, plain.state) == (weights, weights, 0)
    assert plain.forward == {"dense": 2 * weights + vector + output}
    # The gradient of the output and that of the weights; the input has none.
    assert plain.backward == {"dense": 2 * weights + vector + output}
    adam = training_memory(graph, BUILTIN.get, optimizer=OPTIMIZERS["adam"])
    assert (adam.state, adam.step) == (2 * weights, 6 * weights + vector)
    assert (adam.peak, adam.peak_at) == (adam.step, ("step", ""))
    assert training_memory(graph, BUILTIN.get, optimizer=OPTIMIZERS["momentum"]).state == weights


def test_what_comes_before_the_first_weight_keeps_nothing():
    maker = GraphMaker()
    bent = maker.layer("tanh", maker.input("vector", 100), name="tanh")
    maker.layer("dense", bent, features=2, name="dense")
    memory = training_memory(maker.graph("dense"), BUILTIN.get)

    assert memory.kept["tanh"] == 400, "dense keeps its input"
    assert set(memory.backward) == {"dense"}


def test_a_weight_used_twice_has_one_gradient():
    maker = GraphMaker()
    vector = maker.input("vector", 20)
    first = maker.layer("dense", vector, features=20, bias=False, name="first")
    maker.layer("dense", first, features=20, bias=False, name="second", share="first")
    memory = training_memory(maker.graph("second"), BUILTIN.get)

    assert (memory.weights, memory.gradients) == (1600, 1600)
    trial = Trial(maker.graph("second"), BUILTIN.__getitem__, torch.zeros(1, 20))
    assert memory.peak == pytest.approx(trial.training(), rel=0.1)


def test_no_training_in_int8():
    graph = small_model("lenet5", None).graph
    with pytest.raises(ValueError, match="int8"):
        training_memory(graph, BUILTIN.get, precision=PRECISIONS["int8"])
