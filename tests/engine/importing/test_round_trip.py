"""Every network of ours goes out as ONNX and comes back: the same network, the same names, the same numbers.

What a file of ours loses on the way is said here and nowhere else: layers that evaluation passes through (dropout,
identity) are not exported, rounding up becomes padding, a pixel contract and an initialiser are no computation.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from striate.exporting import export_model
from striate.graph import Graph, fingerprint, format_graph
from striate.importer import write_import
from striate.model import load
from striate.ops.geometry import ceil_padding
from striate.passes import DropInferenceNoops, RemoveDeadNodes, run_passes
from striate.runtime.checkpoint import read_weights

ROOT = Path(__file__).parents[3]
ZOO = ROOT / "plugins/striate_plugins/zoo"
NETWORKS = [
    (ZOO / "lenet5.cnn", None),
    (ZOO / "googlenet.cnn", None),
    (ZOO / "mobilenet_v2.cnn", None),
    (ZOO / "densenet.cnn", None),
    (ZOO / "unet.cnn", None),
    (ZOO / "siamese.cnn", None),
    (ZOO / "resnet.cnn", "ResNet18"),
    (ZOO / "resnet.cnn", "ResNet50"),
    *((path, None) for path in sorted((ROOT / "examples").glob("*.cnn"))),
]


def test_every_network_of_the_zoo_takes_the_trip():
    assert {path for path, _ in NETWORKS} >= {*ZOO.glob("*.cnn"), *(ROOT / "examples").glob("*.cnn")}


def exported(graph: Graph, lookup) -> Graph:
    """Return what an ONNX file says of a graph, in the words of the language."""
    graph, _ = run_passes(graph, [DropInferenceNoops(lookup), RemoveDeadNodes()])
    nodes = tuple(replace(node, attributes=_written(node.op, node.attributes)) for node in graph.nodes)
    inputs = tuple(replace(item, contract={}) for item in graph.inputs)
    return replace(graph, nodes=nodes, inputs=inputs, tasks=())


def _written(op, attributes):
    """Rounding up is written as the padding that it reaches over; the window counts no padding either way."""
    if op in ("maxpool", "avgpool") and attributes["ceil"]:
        return {**attributes, "ceil": False, "pad": ceil_padding(attributes, attributes["pad"])}
    return attributes


@pytest.mark.parametrize(("path", "name"), NETWORKS, ids=lambda item: getattr(item, "stem", item))
def test_a_network_comes_back_the_same(path, name, tmp_path):
    model = load(path, model=name)
    export_model(model, tmp_path / "net.onnx", verify=False)
    report = write_import(tmp_path / "net.onnx", tmp_path / "back.cnn")
    assert report.agreement is not None
    assert report.agreement.difference.relative < 1e-5
    again = load(tmp_path / "back.cnn")
    wanted = exported(model.graph, model.catalogue.lookup)
    assert format_graph(again.graph) == format_graph(wanted)
    assert fingerprint(again.graph) == fingerprint(wanted)
    first = next(iter(wanted.weights))
    arrays = read_weights(tmp_path / "back.safetensors", again.graph)
    assert arrays.keys() == wanted.weights.keys()
    program = model.to_torch().state_dict()
    np.testing.assert_array_equal(arrays[first], program[first].numpy())
    assert all(np.array_equal(values, program[name].numpy()) for name, values in arrays.items())
