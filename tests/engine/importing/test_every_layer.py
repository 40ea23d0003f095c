"""What every layer writes as ONNX is read again, node by node, as a network that computes the same.

The file that an export makes carries the network's text (test_round_trip.py); here there is none, as in a file of
another program that uses the same operators.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from striate.importer import import_model
from striate.lower.torch import Program, load_arrays
from striate.lower.torch.reference import ArrayReference
from striate.ops import OpRecord, Sample
from striate_dsl.diagnostics import DiagnosticError
from tests.engine.ops.configurations import ACCEPTED, Layer, infer, sample_id
from tests.engine.ops.onnx_model import IR_VERSIONS, one_layer_model
from tests.engine.ops.test_onnx import first_opset

REFUSED = {
    **dict.fromkeys(("gru", "lstm"), "it begins with another state than zeros"),
    "adaptive_maxpool": "the language has no name for axis 3 of 5",
    "fractional_maxpool": "the language has no name for axis 3 of 5",
    "gumbel_softmax": "it computes with int64",
    "local_conv": "the language has no name for axis 4 of 5",
    "maxpool": "its places count the pixels of one channel, those of ONNX count through the batch",
    "psroi_pool": "it counts up to a size that is open|the batch is not its first axis",
    "roi_align": "it counts up to a size that is open|the batch|in place of the batch",
    "roi_pool": "it counts up to a size that is open|the language has no layer for it",
    "spp": "the language has no name for axis 3 of 5",
    "stack": "the language has no name for axis 2 of 5",
}
"""Layers of which some samples consist of nodes that are not read without the text beside them: why, as patterns.

An operator on regions of images makes the regions its first axis, in place of the batch.
"""


def layer_of(record: OpRecord, sample: Sample) -> Layer:
    return infer(record, sample.arguments, sample.inputs)


@pytest.mark.parametrize(("record", "sample"), ACCEPTED, ids=sample_id)
def test_the_nodes_of_a_layer_are_read_again(record, sample):
    layer = layer_of(record, sample)
    opset = min(each for each in IR_VERSIONS if each >= max(17, first_opset(layer)))
    weights = layer.weights()
    try:
        found = import_model(one_layer_model(layer, weights, opset), Path("layer.onnx"))
    except DiagnosticError as error:
        reasons = [note for item in error.diagnostics for note in item.notes]
        assert record.name in REFUSED, reasons
        assert re.search(REFUSED[record.name], "\n".join(reasons)), reasons
        return
    program = load_arrays(Program(found.model.graph, found.model.catalogue.lookup), found.weights)
    reference = ArrayReference(program)
    for batch in (1, 3):
        values = layer.tensors(sample.inputs, batch)
        wanted = layer.results(values, weights)
        given = {ours: values[int(theirs.removeprefix("in"))].numpy() for ours, theirs in found.inputs.items()}
        results = reference.outputs(given)
        for ours, theirs in found.outputs.items():
            one = wanted[int(theirs.removeprefix("out") or 0)]
            largest = max(1.0, float(one.abs().max()))
            torch.testing.assert_close(
                torch.from_numpy(np.asarray(results[ours])), one.float(), rtol=1e-4, atol=1e-5 * largest
            )


def test_every_refusal_is_still_one():
    refused = set()
    for record, sample in ACCEPTED:
        if record.name not in REFUSED or record.name in refused:
            continue
        layer = layer_of(record, sample)
        opset = min(each for each in IR_VERSIONS if each >= max(17, first_opset(layer)))
        try:
            import_model(one_layer_model(layer, layer.weights(), opset), Path("layer.onnx"))
        except DiagnosticError:
            refused.add(record.name)
    assert refused == set(REFUSED)
