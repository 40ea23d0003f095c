"""The forecast of memory against the storages that are alive while torch evaluates the same network."""

from __future__ import annotations

import pytest
import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from striate.analysis.costs import UnknownLayerError
from striate.analysis.liveness import inference_memory, released
from striate.lower.torch import Program
from striate.model import Model, load_source
from striate.ops import BUILTIN
from striate_dsl.source import Source
from tests.engine.analysis.graph_maker import GraphMaker
from tests.engine.view.networks import ZOO


class AliveStorages(TorchDispatchMode):
    """Adds up the storages of all tensors that are alive after each operation; `ignored` are those of weights."""

    def __init__(self, inputs: list[torch.Tensor], ignored: list[torch.Tensor]) -> None:
        super().__init__()
        self._ignored = {tensor.untyped_storage().data_ptr() for tensor in ignored}
        self._alive: dict[int, tuple[StorageWeakRef, int]] = {}
        self.peak = 0
        self._count(inputs)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self._count(tree_leaves(result))
        return result

    def _count(self, tensors) -> None:
        self._alive = {key: found for key, found in self._alive.items() if not found[0].expired()}
        for tensor in tensors:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in self._ignored:
                self._alive[storage._cdata] = (StorageWeakRef(storage), storage.nbytes())
        self.peak = max(self.peak, sum(size for _, size in self._alive.values()))


def measured(graph, lookup, *tensors: torch.Tensor) -> int:
    program = Program(graph, lookup).eval()
    for weight in program.state_dict().values():
        weight.fill_(0.01)
    with torch.no_grad(), AliveStorages(list(tensors), list(program.state_dict().values())) as alive:
        program(*tensors)
    return alive.peak


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
        ("densenet", None, (1, 3, 64, 64)),
        ("unet", None, (2, 3, 32, 48)),
    ],
)
def test_the_peak_of_evaluation_is_within_a_tenth_of_torch(file: str, model: str | None, shape: tuple[int, ...]):
    loaded = small_model(file, model)
    batch, _, height, width = shape
    sizes = {"H": height, "W": width} if file == "unet" else {}

    forecast = inference_memory(loaded.graph, loaded.catalogue.layer, sizes=sizes, batch=batch).peak

    assert forecast == pytest.approx(measured(loaded.graph, loaded.catalogue.layer, torch.zeros(shape)), rel=0.1)


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
    assert memory.peak == measured(graph, BUILTIN.__getitem__, torch.zeros(3, 10))


def test_bytes_grow_with_batch_and_precision():
    graph = small_model("lenet5", None).graph
    one = inference_memory(graph, BUILTIN.get).peak

    assert inference_memory(graph, BUILTIN.get, batch=6, bytes_per_element=2).peak == 3 * one


def test_a_layer_that_nobody_provides_is_named():
    graph = small_model("lenet5", None).graph

    with pytest.raises(UnknownLayerError, match="conv1"):
        inference_memory(graph, lambda name: None)
