"""Verification: faults of every kind in the ONNX file are found, and the layer that they sit in is named."""

from __future__ import annotations

import sys

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from striate.lower.torch import Program, load_arrays
from striate.lower.torch.reference import ArrayReference
from striate.onnx.document import Colophon, build_document, serialize
from striate.onnx.runtime import OnnxSession
from striate.onnx.trials import trials_for
from striate.onnx.verify import verify_content
from striate.ops.initializers import start_values
from striate.passes import DropInferenceNoops, run_passes
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from tests.engine.onnx.models import RESIDUAL, from_body, from_text, from_zoo


class Exported:
    """A model as written, open to be damaged, and its verification."""

    def __init__(self, model, weights=None):
        self.model = model
        arrays = weights or {name: start_values(weight, 0) for name, weight in model.graph.weights.items()}
        self.graph, _ = run_passes(model.graph, [DropInferenceNoops(model.catalogue.lookup)])
        self.document = build_document(self.graph, model.catalogue.lookup, arrays, 17, Colophon("", "", "", {}))
        self.reference = ArrayReference(load_arrays(Program(model.graph, model.catalogue.lookup), arrays))

    def node(self, name):
        return next(node for node in self.document.graph.node if node.name == name)

    def weight(self, name):
        return next(item for item in self.document.graph.initializer if item.name == name)

    def change(self, name, edit):
        tensor = self.weight(name)
        values = numpy_helper.to_array(tensor).copy()
        edit(values)
        tensor.CopyFrom(numpy_helper.from_array(values, name))

    def verify(self, tolerance=1e-4):
        trials = trials_for(self.graph, self.model.domain)
        return verify_content(serialize(self.document), self.graph, self.reference, trials, tolerance)

    def finding(self) -> Diagnostic:
        with pytest.raises(DiagnosticError) as caught:
            self.verify()
        (finding,) = caught.value.diagnostics
        return finding


@pytest.fixture
def exported() -> Exported:
    return Exported(from_text(RESIDUAL))


def test_a_sound_file_agrees(exported):
    found = exported.verify()
    assert found.runtime.startswith("ONNX Runtime ")
    assert found.trials == ("batch 1", "batch 3")
    assert found.difference.relative < 1e-6
    assert found.other_classes == 0


def set_epsilon(exported):
    node = exported.node("unit1.1.bn1")
    next(item for item in node.attribute if item.name == "epsilon").f = 1e-2


def set_weight(exported):
    def double_one(values):
        values[1, 2, 1, 1] += 1

    exported.change("unit1.1.conv1.weight", double_one)


def set_padding(exported):
    # The same size, but the image moves by a row.
    node = exported.node("unit1.1.conv1")
    next(item for item in node.attribute if item.name == "pads").ints[:] = [2, 1, 0, 1]


def set_operator(exported):
    exported.node("unit1.1.relu1").op_type = "Sigmoid"


def swap_input(exported):
    node = exported.node("unit1.2.add1")
    node.input[1] = "unit1.0.add1"


@pytest.mark.parametrize(
    ("fault", "layer", "op", "line"),
    [
        (set_epsilon, "unit1.1.bn1", "bn", 3),
        (set_weight, "unit1.1.conv1", "conv", 3),
        (set_padding, "unit1.1.conv1", "conv", 3),
        (set_operator, "unit1.1.relu1", "relu", 3),
        (swap_input, "unit1.2.add1", "add", 2),
    ],
)
def test_the_first_layer_that_differs_is_named(exported, fault, layer, op, line):
    names = {node.name for node in exported.graph.nodes}
    assert layer in names, sorted(names)
    fault(exported)
    finding = exported.finding()
    assert finding.code == "E0607"
    assert finding.message == f"ONNX Runtime computes something else than torch, from layer {layer} ({op}) on"
    assert finding.span is not None
    assert (finding.span.file, finding.span.line) == ("net.cnn", line)
    assert finding.notes[0].startswith("output logits, batch 1: differs by up to ")
    assert finding.notes[1].startswith(f"the value of {layer} differs by up to ")
    assert finding.notes[2].startswith("everything before it agrees within a relative ")
    assert finding.notes[3] == "in block Unit, used at net.cnn:11:14"
    assert finding.help is not None
    assert finding.help.startswith("no file was written. ")


def test_a_fault_in_a_deep_network_is_found_where_it_is():
    exported = Exported(from_zoo("resnet", "ResNet50", {"224 x 224": "32 x 32", "(64, depths": "(8, depths"}))
    assert exported.verify().difference.relative < 1e-5
    node = exported.node("stage1.1.unit2.0.conv_bn2.bn1")
    next(item for item in node.attribute if item.name == "epsilon").f = 1e-2
    assert "from layer stage1.1.unit2.0.conv_bn2.bn1 (bn) on" in exported.finding().message


def test_a_small_fault_is_found_before_the_layer_that_makes_it_large():
    """The second layer takes two nearly equal channels apart, which leaves little but the difference."""
    model = from_body("conv(2, 1, bias = false) -> conv(1, 1, bias = false)", "input image: 1 x 4 x 4")
    first, second = (np.array(pair, dtype="float32") for pair in ((1, 1), (1, -0.99)))
    weights = {"conv1.weight": first.reshape(2, 1, 1, 1), "conv2.weight": second.reshape(1, 2, 1, 1)}
    exported = Exported(model, weights)
    exported.change("conv1.weight", lambda values: values[0].__imul__(1 + 5e-5))
    finding = exported.finding()
    assert "from layer conv1 (conv) on" in finding.message
    assert "differs by up to" in finding.notes[1]
    assert "(relative 5." in finding.notes[1], "less than the tolerance of 1e-4"


def test_a_fault_that_only_larger_batches_show_is_found(exported):
    """A reshape to one image is right for batch 1."""
    flatten = exported.node("flatten1")
    flatten.op_type = "Reshape"
    del flatten.attribute[:]
    flatten.input.append("shape")
    exported.document.graph.initializer.append(numpy_helper.from_array(np.array([1, -1]), "shape"))
    finding = exported.finding()
    assert finding.code == "E0606"
    assert finding.message.endswith("cannot run the file")


def test_a_fault_that_no_layer_shows_is_put_on_the_runtime(exported, monkeypatch):
    """What ONNX Runtime makes of layers it joins cannot be seen once all their values are asked for."""
    whole = OnnxSession.run

    def run(session, inputs):
        results = whole(session, inputs)
        return {"logits": results["logits"] + 1} if len(results) == 1 else results

    monkeypatch.setattr(OnnxSession, "run", run)
    finding = exported.finding()
    assert finding.message == "ONNX Runtime computes something else than torch, but no single layer does"


def test_values_that_are_not_finite_in_onnx_only_are_a_difference(exported):
    exported.change("unit1.0.conv1.weight", lambda values: values.fill(np.inf))
    assert "from layer unit1.0.conv1 (conv) on" in exported.finding().message


def test_values_that_are_not_finite_in_torch_are_the_weights_fault():
    model = from_text(RESIDUAL)
    arrays = {name: start_values(weight, 0) for name, weight in model.graph.weights.items()}
    arrays["unit1.1.conv1.weight"][:] = np.nan
    finding = Exported(model, arrays).finding()
    assert finding.code == "E0608"
    assert finding.message == (
        "the network cannot be verified: layer unit1.1.conv1 (conv) gives values that are not finite"
    )
    assert "its weights: unit1.1.conv1.weight" in finding.notes


def test_a_file_that_the_runtime_cannot_load_is_said(exported):
    exported.node("dense1").op_type = "Unheard"
    finding = exported.finding()
    assert finding.code == "E0606"
    assert finding.message.endswith("cannot load the file")
    assert any("Unheard" in note for note in finding.notes)


def test_a_missing_runtime_is_said_with_the_command_that_installs_it(exported, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    finding = exported.finding()
    assert (finding.code, finding.message) == (
        "E0603",
        "ONNX Runtime is not installed, so the file cannot be verified",
    )
    assert finding.help == "pip install 'striate[runtimes]', or write the file unverified with --no-verify"


def test_the_checker_accepts_the_documents_used_here(exported):
    onnx.checker.check_model(exported.document, full_check=True)
