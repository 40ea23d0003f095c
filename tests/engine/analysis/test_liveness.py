"""The forecast of memory against the storages that are alive while torch evaluates the same network."""

from __future__ import annotations

import pytest
import torch

from striate.analysis.costs import UnknownLayerError
from striate.analysis.liveness import inference_memory, released
from striate.model import Model, load_source
from striate.ops import BUILTIN
from striate_dsl.source import Source
from tests.engine.analysis.allocations import Trial
from tests.engine.analysis.graph_maker import GraphMaker
from tests.engine.view.networks import ZOO


def small_model(file: str, model: str | None) -> Model:
    """A network of the zoo, for images of 64 x 64 pixels where it takes 224 x 224."""
    text = (ZOO / f"{file}.cnn").read_text(encoding="utf-8").replace("3 x 224 x 224", "3 x 64 x 64")
    return load_source(Source(f"{file}.cnn", text), model, {"width": "8"} if file == "unet" else {})


@pytest.mark.parametrize(
    ("file", "model", "shape"),
    [
        ("lenet5", None, (3, 1, 32, 32)),
        ("resnet", "ResNet18", (2, 3, 64, 64)),
        ("resnet", "ResNet50", (1, 3, 64, 64)),
        ("mobilenet_v2", None, (2, 3, 64, 64)),
        ("densenet", "DenseNet121", (1, 3, 64, 64)),
        ("googlenet", None, (1, 3, 64, 64)),
        ("unet", None, (2, 3, 32, 48)),
    ],
)
def test_the_peak_of_evaluation_is_within_a_tenth_of_torch(file: str, model: str | None, shape: tuple[int, ...]):
    loaded = small_model(file, model)
    batch, _, height, width = shape
    sizes = {"H": height, "W": width} if file == "unet" else {}

    forecast = inference_memory(loaded.graph, loaded.catalogue.layer, sizes=sizes, batch=batch).peak

    found = Trial(loaded.graph, loaded.catalogue.layer, torch.zeros(shape)).evaluation()
    assert forecast == pytest.approx(found, rel=0.1)


def test_a_skipped_value_stays_alive_until_it_is_added():
    maker = GraphMaker()
    image = maker.input("image", 4, 8, 8)
    skip = maker.layer("relu", image, name="skip")
    deep = maker.layer("relu", maker.layer("relu", skip, name="a"), name="b")
    maker.layer("add", deep, skip, name="sum")
    graph = maker.graph("sum")

    memory = inference_memory(graph, BUILTIN.get)

    one = 4 * 8 * 8 * 4
    # The owner's tensor throughout, the copy of it with channels last until `skip`, then skip, a and b as they come.
    assert dict(memory.while_running) == {"skip": 3 * one, "a": 3 * one, "b": 4 * one, "sum": 4 * one}
    assert (memory.peak, memory.peak_layer) == (4 * one, "b")
    assert released(graph) == (("image",), (), ("a",), ("b", "skip"))


def test_layers_that_pass_values_through_take_no_memory():
    maker = GraphMaker()
    vector = maker.input("vector", 10)
    first = maker.layer("relu", vector, name="first")
    maker.layer("flatten", maker.layer("dropout", first, name="drop"), name="flat")
    graph = maker.graph("flat")

    memory = inference_memory(graph, BUILTIN.get, batch=3)

    assert dict(memory.while_running) == {"first": 240, "drop": 240, "flat": 240}
    assert memory.peak == Trial(graph, BUILTIN.__getitem__, torch.zeros(3, 10)).evaluation()


def test_places_of_maxima_are_there_while_they_are_looked_for():
    maker = GraphMaker()
    small = maker.layer("maxpool", maker.input("image", 4, 8, 8), kernel=3, stride=1, name="pool")
    graph = maker.graph(small)

    one, places = 4 * 8 * 8 * 4, 4 * 6 * 6 * 8
    assert inference_memory(graph, BUILTIN.get).peak == 2 * one + 4 * 6 * 6 * 4 + places
    assert Trial(graph, BUILTIN.__getitem__, torch.zeros(1, 4, 8, 8)).evaluation() == 2 * one + 4 * 6 * 6 * 4 + places


def test_bytes_grow_with_batch_and_precision():
    graph = small_model("lenet5", None).graph
    one = inference_memory(graph, BUILTIN.get).peak

    assert inference_memory(graph, BUILTIN.get, batch=6, bytes_per_element=2).peak == 3 * one


def test_a_layer_that_nobody_provides_is_named():
    graph = small_model("lenet5", None).graph

    with pytest.raises(UnknownLayerError, match="conv1"):
        inference_memory(graph, lambda name: None)
