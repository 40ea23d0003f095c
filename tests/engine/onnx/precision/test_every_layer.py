"""Every layer that there is, in float16 and bfloat16: valid for ONNX, run, near to what torch computes in float32."""

from __future__ import annotations

import onnx
import pytest
import torch

from striate.onnx.document import Colophon, build_document, serialize
from striate.onnx.filling import fill
from striate.onnx.precision.formats import PRECISIONS
from striate.onnx.precision.narrowing import narrow
from striate.onnx.precision.widening import emulated
from striate.onnx.runtime import OnnxSession
from striate.ops import BUILTIN, OpRecord, Sample
from striate_dsl.diagnostics import DiagnosticError
from tests.engine.onnx.precision.one_layer import one_layer_graph
from tests.engine.ops.configurations import ACCEPTED, Layer, sample_id

JUMPING = frozenset(
    name
    for name in BUILTIN
    if name.startswith(("arg", "equal", "greater", "gumbel_", "less", "logical_", "not_equal"))
    or name in ("ceil", "floor", "fmod", "max_unpool", "maxpool", "mod", "round", "sign")
)
"""Layers that jump, or give places: the rounding of an input may change such a result by any amount."""

FIRST = list({record.name: (record, sample) for record, sample in reversed(ACCEPTED)}.values())
"""One sample of every layer."""

NOT_RUN = frozenset({"roi_pool", "roi_align"})
"""Layers whose operator ONNX Runtime does not have in operator set 22."""


NOTHING = Colophon("", "", "", {})


def narrowed(record: OpRecord, sample: Sample, name: str, *, ends: bool) -> tuple[Layer, onnx.ModelProto]:
    layer, graph = one_layer_graph(record, sample)
    arrays = {f"layer.{role}": values.numpy() for role, values in layer.weights().items()}
    document = build_document(graph, BUILTIN.__getitem__, arrays, 22, NOTHING, filled=False)
    made = narrow(document, graph, arrays, PRECISIONS[name], narrow_ends=ends)
    fill(document, made.weights)
    return layer, document


@pytest.mark.parametrize(("record", "sample"), ACCEPTED, ids=sample_id)
def test_float16_is_valid_and_near_to_torch(record: OpRecord, sample: Sample):
    holds(record, sample, "float16")


@pytest.mark.parametrize(("record", "sample"), FIRST, ids=sample_id)
def test_bfloat16_is_valid_and_near_to_torch(record: OpRecord, sample: Sample):
    holds(record, sample, "bfloat16")


def holds(record: OpRecord, sample: Sample, name: str) -> None:
    """Check one layer in narrow numbers with float32 inputs and outputs."""
    layer, made = narrowed(record, sample, name, ends=False)
    content = serialize(made)
    onnx.checker.check_model(content, full_check=True)
    if record.name in NOT_RUN:
        return
    values = layer.tensors(sample.inputs, 2)
    session = OnnxSession(emulated(content) if name == "bfloat16" else content, as_written=True)
    found = session.run({f"in{place}": value.numpy() for place, value in enumerate(values)})
    wanted = layer.results(values, layer.weights())
    for result, expected in zip(found.values(), wanted, strict=True):
        assert result.dtype == "float32"
        assert result.shape == tuple(expected.shape)
        if record.name in JUMPING:
            continue
        largest = max(1e-3, float(expected.abs().max()))
        room = 4 * PRECISIONS[name].rounding * largest
        torch.testing.assert_close(torch.from_numpy(result), expected, rtol=0, atol=room)


@pytest.mark.parametrize(("record", "sample"), FIRST, ids=sample_id)
def test_narrow_ends_are_valid_too(record: OpRecord, sample: Sample):
    _, made = narrowed(record, sample, "float16", ends=True)
    onnx.checker.check_model(serialize(made), full_check=True)
    ends = [*made.graph.input, *made.graph.output]
    assert {item.type.tensor_type.elem_type for item in ends} == {onnx.TensorProto.FLOAT16}
    if record.name not in NOT_RUN:
        OnnxSession(serialize(made))


def test_a_product_before_its_operator_set_is_refused():
    record, sample = next(item for item in ACCEPTED if item[0].name == "conv")
    layer, graph = one_layer_graph(record, sample)
    arrays = {f"layer.{role}": values.numpy() for role, values in layer.weights().items()}
    document = build_document(graph, BUILTIN.__getitem__, arrays, 17, NOTHING)
    with pytest.raises(DiagnosticError) as caught:
        narrow(document, graph, arrays, PRECISIONS["bfloat16"])
    (found,) = caught.value.diagnostics
    assert (found.code, found.message) == ("E0602", "layer layer needs opset 22 in bfloat16, not 17")
