"""Operator sets: which can be written, with which file format, and which layer asks for a later one."""

from __future__ import annotations

from dataclasses import replace

import onnx
import pytest
from onnx import helper

from striate.exporting import export_model
from striate.onnx.document import build_document
from striate.onnx.opsets import DEFAULT_OPSET, HIGHEST, IR_VERSIONS, LOWEST, check_opset
from striate.ops.registry import BUILTIN
from striate_dsl.diagnostics import DiagnosticError
from tests.engine.onnx.models import from_body
from tests.engine.onnx.test_document import COLOPHON
from tests.engine.passes.networks import Network

EVERYTHING = """\
conv(4, 3, pad = same, stride = 2) -> bn -> relu as a
add { relu6; tanh; identity } -> lrn(3) -> lrn(2)
mul { sigmoid; softmax } -> maxpool(3, stride = 2, ceil = true) -> l2norm
deconv(4, 2, stride = 2) -> avgpool(2) -> dropout(0.3)
concat { global_avgpool; global_maxpool } -> flatten -> dense(3) -> softmax
"""
"""All layers that LANGUAGE.md's files need."""


@pytest.mark.parametrize("opset", sorted(IR_VERSIONS))
def test_every_layer_can_be_written_in_every_opset(opset, tmp_path):
    report = export_model(from_body(EVERYTHING, "input image: 3 x 16 x 16"), tmp_path / "net.onnx", opset=opset)
    document = onnx.load(report.path)
    assert report.verification is not None
    assert (report.opset, report.ir_version) == (opset, IR_VERSIONS[opset])
    assert document.opset_import[0].version == opset
    assert document.ir_version == IR_VERSIONS[opset]


@pytest.mark.parametrize("opset", sorted(IR_VERSIONS))
def test_the_format_is_that_of_the_release_that_brought_the_opset(opset):
    assert IR_VERSIONS[opset] == helper.find_min_ir_version_for([helper.make_opsetid("", opset)])


@pytest.mark.parametrize("opset", [0, -3, LOWEST - 1, HIGHEST + 1, 99])
def test_other_opsets_are_refused_with_the_nearest(opset):
    with pytest.raises(DiagnosticError) as caught:
        check_opset(opset)
    finding = caught.value.diagnostics[0]
    assert (finding.code, finding.message) == ("E0601", f"opset {opset} cannot be written")
    assert finding.notes == (f"striate writes opset {LOWEST} to {HIGHEST}",)
    nearest = LOWEST if opset < LOWEST else HIGHEST
    assert finding.help == f"use {nearest}; most runtimes read {DEFAULT_OPSET}, the default"


def build_with(rule, opset=13):
    """Write a network of three layers whose `relu` is written by another rule."""
    network = Network()
    network.add("first", "tanh", network.input("image", 3, 4, 4))
    network.add("second", "relu", "first")
    network.add("third", "tanh", "second")
    records = {**BUILTIN, "relu": replace(BUILTIN["relu"], onnx=rule)}
    return build_document(network.graph("third"), records.__getitem__, {}, opset, COLOPHON)


def gelu(call, sink):
    sink.node("Gelu", call.inputs, call.outputs)


def pool_with_dilation(call, sink):
    sink.node("AveragePool", call.inputs, call.outputs, kernel_shape=(1, 1), dilations=(1, 1))


def pad_with_axes(call, sink):
    pads = sink.constant(f"{call.name}/pads", [0, 0], "int64")
    axes = sink.constant(f"{call.name}/axes", [2], "int64")
    sink.node("Pad", [call.inputs[0], pads, "", axes], call.outputs)


@pytest.mark.parametrize(
    ("rule", "op_type", "needed"),
    [(gelu, "Gelu", 20), (pool_with_dilation, "AveragePool", 19), (pad_with_axes, "Pad", 18)],
)
def test_the_layer_that_needs_a_later_opset_is_named(rule, op_type, needed):
    with pytest.raises(DiagnosticError) as caught:
        build_with(rule)
    finding = caught.value.diagnostics[0]
    assert (finding.code, finding.message) == ("E0602", f"layer second needs opset {needed}, not 13")
    assert finding.notes == (f"it is written as ONNX's {op_type}, which has this form since opset {needed}",)
    assert finding.help == f"use opset {needed} or later: --opset {needed}"
    assert finding.span is not None
    assert finding.span.line == 3
    assert build_with(rule, needed).opset_import[0].version == needed


def test_every_layer_that_needs_a_later_opset_is_named_and_the_latest_leads():
    network = Network()
    network.add("first", "relu", network.input("image", 3, 4, 4))
    network.add("second", "tanh", "first")
    network.add("third", "relu", "second")
    network.add("fourth", "sigmoid", "third")
    rules = {"relu": pool_with_dilation, "tanh": gelu}
    records = {**BUILTIN, **{name: replace(BUILTIN[name], onnx=rule) for name, rule in rules.items()}}
    with pytest.raises(DiagnosticError) as caught:
        build_document(network.graph("fourth"), records.__getitem__, {}, 13, COLOPHON)
    (finding,) = caught.value.diagnostics
    assert finding.message == "layer second needs opset 20, not 13"
    assert finding.notes == (
        "it is written as ONNX's Gelu, which has this form since opset 20",
        "layer first, line 2, needs opset 19: it is ONNX's AveragePool",
        "layer third, line 4, needs opset 19: it is ONNX's AveragePool",
    )
    assert finding.help == "use opset 20 or later: --opset 20"


def test_of_very_many_layers_some_are_named():
    network = Network()
    value = network.input("image", 3, 4, 4)
    for number in range(30):
        value = network.add(f"layer{number}", "relu", value)
    records = {**BUILTIN, "relu": replace(BUILTIN["relu"], onnx=gelu)}
    with pytest.raises(DiagnosticError) as caught:
        build_document(network.graph(value), records.__getitem__, {}, 13, COLOPHON)
    notes = caught.value.diagnostics[0].notes
    assert len(notes) == 14
    assert notes[-1] == "and 17 more layers"


def test_an_operator_that_onnx_never_had_is_the_layers_mistake():
    with pytest.raises(DiagnosticError) as caught:
        build_with(lambda call, sink: sink.node("Relu", call.inputs, call.outputs, slope=0.1))
    finding = caught.value.diagnostics[0]
    assert finding.code == "E0605"
    assert finding.message == f"layer second writes ONNX's Relu in a form that no opset up to {HIGHEST} has"
    assert finding.help == "this is a mistake in the layer relu; report it to whoever provides it"


def test_two_constants_of_one_name_must_be_equal():
    def twice(call, sink):
        sink.constant("k", 1.0, "float32")
        sink.constant("k", 2.0, "float32")

    with pytest.raises(ValueError, match="two constants are called 'k'"):
        build_with(twice)
