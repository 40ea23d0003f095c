"""The ONNX side of every record: valid for the checker, sized by shape inference, with the values of torch."""

from __future__ import annotations

from typing import Any

import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.dims import symbol
from striate.ops import BUILTIN, OpRecord, Sample
from tests.engine.ops.configurations import (
    ACCEPTED,
    REGIONS,
    Layer,
    infer,
    legal_calls,
    sample_id,
    tensors,
)
from tests.engine.ops.onnx_model import IR_VERSIONS, Session, distinct_models, inferred_sizes, one_layer_model


def agrees(layer: Layer, model: onnx.ModelProto, *shapes: tuple[tuple[int, ...], ...]) -> None:
    """Check that ONNX Runtime computes what torch does, for several input sizes and batches."""
    session, weights = Session(model), layer.weights()
    for sizes in shapes:
        for batch in (1, 3):
            values = layer.tensors(sizes, batch)
            wanted, results = layer.results(values, weights), session.results(values)
            found = tuple(torch.from_numpy(result) for result in results)
            # Sums of large numbers that cancel out are as exact as the large ones.
            largest = max(1.0, *(float(item.abs().max()) for item in wanted))
            torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5 * largest)


def declared(layer: Layer) -> list[list[Any]]:
    return [["N", *kind.shape] for kind in layer.outputs]


FIRST_OPSET = {"deform_conv": 16, "grid_sample": 16}
"""Layers whose ONNX operator came later than the first opset that is written; an export then says which one."""

FIRST_INFERRED = dict.fromkeys(REGIONS, 14)
"""Layers whose sizes ONNX's own inference finds in later operator sets only; the file declares them in all."""

FIRST_NOT_RUN = {"roi_pool": 22, "roi_align": 22}
"""Layers whose operator ONNX Runtime does not have in later operator sets, which added bfloat16 to it."""


def first_opset(layer: Layer) -> int:
    if layer.attributes.get("aligned") or layer.attributes.get("combine") in ("add", "mul"):
        return 16
    return 18 if layer.attributes.get("combine") in ("maximum", "minimum") else FIRST_OPSET.get(layer.record.name, 0)


@pytest.mark.parametrize(("record", "sample"), ACCEPTED, ids=sample_id)
def test_sample(record: OpRecord, sample: Sample):
    layer = infer(record, sample.arguments, sample.inputs)
    for model in distinct_models(layer, first_opset(layer)):
        opset = model.opset_import[0].version
        onnx.checker.check_model(model, full_check=True)
        assert inferred_sizes(model) == declared(layer) or opset < FIRST_INFERRED.get(record.name, 0)
        if opset < FIRST_NOT_RUN.get(record.name, 99):
            agrees(layer, model, sample.inputs)


@pytest.mark.parametrize("name", FIRST_NOT_RUN)
def test_what_is_not_run_is_still_missing(name: str):
    """So that the exception above goes when ONNX Runtime has the operator."""
    layer = infer(BUILTIN[name], {"rois": 1, "size": 2}, [(4, 6, 8), (3, 4)])
    with pytest.raises(Exception, match="NOT_IMPLEMENTED"):
        Session(one_layer_model(layer, {}, FIRST_NOT_RUN[name]))


@pytest.mark.parametrize("name", BUILTIN)
@settings(max_examples=10)
@given(data=st.data())
def test_random_calls(name: str, data: st.DataObject):
    """The sizes of the rule are those of ONNX's own inference (strict, with propagated values), the values torch's."""
    layer, shapes = data.draw(legal_calls(BUILTIN[name], largest=9))
    opset = data.draw(st.sampled_from([opset for opset in IR_VERSIONS if opset >= first_opset(layer)]))
    model = one_layer_model(layer, layer.weights(), opset)
    onnx.checker.check_model(model, full_check=True)
    assert inferred_sizes(model) == declared(layer) or opset < FIRST_INFERRED.get(name, 0)
    if opset < FIRST_NOT_RUN.get(name, 99):
        agrees(layer, model, shapes)


OPEN = [
    ("conv", {"channels": 4, "kernel": 3, "stride": 2, "pad": "same"}),
    ("conv", {"channels": 4, "kernel": (2, 5), "stride": (3, 2), "pad": "same"}),
    ("conv", {"channels": 4, "kernel": 3, "stride": 2, "pad": "same", "dilation": (2, 3)}),
    ("conv", {"channels": 4, "kernel": 1, "stride": 3, "pad": "same"}),
    ("conv", {"channels": 4, "kernel": 3, "pad": "same", "stride": 2, "fill": "replicate", "weight": "standardised"}),
    ("conv", {"channels": 4, "kernel": 3, "pad": "same", "stride": 2, "dilation": 2, "weight": "spectral"}),
    *(
        ("conv", {"channels": 4, "kernel": kernel, "stride": 2, "pad": pad, "fill": fill})
        for fill in ("reflect", "replicate", "circular", 0.5)
        for kernel, pad in (((2, 5), "same"), (3, (1, 0, 2, 1)))
    ),
    ("deconv", {"channels": 4, "kernel": 3, "stride": 2, "pad": "same"}),
    ("maxpool", {"kernel": 2, "pad": "same"}),
    ("maxpool", {"kernel": 3, "stride": 2, "pad": "same", "ceil": True}),
    ("maxpool", {"kernel": 2, "stride": 2, "dilation": 3, "pad": "same"}),
    ("maxpool", {"kernel": 3, "stride": 2, "ceil": True}),
    ("maxpool", {"kernel": 2, "stride": 3, "pad": 1, "ceil": True}),
    ("maxpool", {"kernel": 1, "stride": 2, "ceil": True}),
    ("avgpool", {"kernel": 4, "stride": 3, "pad": "same"}),
    ("avgpool", {"kernel": 4, "stride": 3, "pad": "same", "count_include_pad": True}),
    ("avgpool", {"kernel": 3, "stride": 2, "pad": (1, 2, 0, 1), "ceil": True, "count_include_pad": True}),
    ("avgpool", {"kernel": 3, "stride": 2, "pad": (0, 1, 2, 0), "ceil": True}),
    *(("cumprod", {"axis": axis, "exclusive": True}) for axis in ("height", "width")),
    ("cumprod", {"reverse": True}),
    ("topk", {"k": 2}),
    ("global_avgpool", {}),
    ("global_maxpool", {}),
    ("global_minpool", {}),
    ("global_lppool", {"p": 3}),
    ("minpool", {"kernel": 3, "stride": 2, "pad": "same"}),
    ("lppool", {"kernel": 3, "stride": 2, "pad": "same"}),
    ("lppool", {"kernel": 3, "stride": 2, "p": 1.5, "ceil": True}),
    ("mixed_pool", {"kernel": 3, "stride": 2, "pad": "same", "learned": "channels"}),
    ("maxpool", {"kernel": 2, "stride": 2, "dilation": 3, "pad": "same", "indices": True}),
    ("maxpool", {"kernel": 3, "stride": 2, "pad": "same", "indices": True}),
    ("maxpool", {"kernel": 2, "stride": 1, "dilation": 2, "pad": (2, 1, 0, 2), "indices": True}),
    ("adaptive_avgpool", {"size": (3, 5)}),
    ("stochastic_pool", {"kernel": 3, "stride": 2, "pad": "same"}),
    ("stochastic_pool", {"kernel": 3, "stride": 2, "ceil": True}),
    ("fractional_maxpool", {"kernel": 2, "size": (3, 1)}),
    ("fractional_maxpool", {"kernel": 2, "ratio": (0.7, 0.6)}),
    ("adaptive_maxpool", {"size": (3, 5)}),
    ("adaptive_maxpool", {"size": 1}),
    ("spp", {"bins": [3, 2, 1]}),
    ("spp", {"bins": [3, 1], "mode": "average"}),
    ("bn", {}),
    ("instancenorm", {}),
    ("instancenorm", {"affine": True}),
    ("instancenorm", {"running": True}),
    ("layernorm", {}),
    ("layernorm", {"axis": "all", "affine": False}),
    ("layernorm", {"axis": "width", "affine": False}),
    ("rmsnorm", {}),
    ("groupnorm", {"groups": 3}),
    ("groupnorm", {"groups": 1, "affine": False}),
    ("grn", {}),
    ("lrn", {"size": 5}),
    ("lrn", {"size": 4}),
    ("l2norm", {}),
    ("l2norm", {"axis": "space"}),
    ("softmax", {}),
    ("softmax", {"axis": "space"}),
    ("log_softmax", {"axis": "all"}),
    ("prelu", {}),
    ("maxout", {"pieces": 3}),
    ("flatten", {}),
    ("attention", {"heads": 3}),
    ("attention", {"heads": 1, "causal": True}),
    ("nonlocal", {}),
    ("nonlocal", {"form": "dot"}),
    ("nonlocal", {"form": "concatenation"}),
    ("gumbel_softmax", {}),
    ("gumbel_softmax", {"axis": "space"}),
    ("gumbel_softmax", {"axis": "width"}),
    ("coordinates", {"radius": True}),
    ("table_conv", {"table": [[0, 2], [1]], "kernel": 3, "stride": 2, "pad": "same"}),
    ("table_conv", {"table": [[0, 2], [1]], "kernel": 2, "stride": 2, "dilation": 2, "pad": "same"}),
    ("deform_conv", {"channels": 2, "kernel": 3, "pad": 1, "offset_groups": 3, "groups": 1, "stride": (2, 1)}),
    ("sobel", {}),
    ("sobel", {"direction": "y", "fill": "circular"}),
    ("laplacian", {"fill": "reflect"}),
    ("box_blur", {"kernel": 5}),
    ("gaussian_blur", {"kernel": (3, 5), "fill": 0.5}),
    ("median_blur", {"kernel": (3, 5)}),
    ("bilateral", {"kernel": 3, "sigma_color": 1.5, "sigma_space": 1}),
]
"""Calls whose ONNX side must work for sizes that are known when the model runs only."""


@pytest.mark.parametrize("opset", [17, 20, 22])
@pytest.mark.parametrize(("name", "arguments"), OPEN)
def test_open_sizes(name: str, arguments: dict[str, Any], opset: int):
    opened = infer(BUILTIN[name], arguments, [(3, symbol("H"), symbol("W"))])
    model = one_layer_model(opened, opened.weights(), opset)
    onnx.checker.check_model(model, full_check=True)
    agrees(opened, model, *(((3, height, width),) for height, width in ((9, 7), (10, 12), (11, 8), (4, 5))))


CUT = [
    ("window_attention", {"heads": 2, "window": (2, 3)}, [(4, "H", "W")], [[(4, 4, 6)], [(4, 8, 3)]]),
    ("window_attention", {"heads": 1, "window": 3, "shift": (1, 2)}, [(4, "H", "W")], [[(4, 3, 6)], [(4, 9, 9)]]),
    ("window_attention", {"heads": 2, "window": 3, "shift": (0, 2)}, [(4, "H", 6)], [[(4, 3, 6)], [(4, 9, 6)]]),
    ("window_attention", {"heads": 2, "window": 2, "shift": 1, "axis": "last"}, [("H", "W", 4)], [[(4, 6, 4)]]),
    ("attention", {"heads": 2, "axis": "last", "keys": 1}, [("H", "W", 4), ("L", 3)], [[(5, 2, 4), (7, 3)]]),
    ("attention", {"heads": 2, "causal": True, "keys": 1}, [(4, "H"), (3, "L")], [[(4, 5), (3, 7)], [(4, 2), (3, 1)]]),
    ("lstm", {"hidden": 3, "layers": 2, "bidirectional": True}, [(4, "L")], [[(4, 5)], [(4, 1)]]),
    ("gru", {"hidden": 3, "axis": "last"}, [("L", 4)], [[(5, 4)], [(9, 4)]]),
    ("gru", {"hidden": 3, "output": "last", "bidirectional": True}, [(4, "L")], [[(4, 5)]]),
    ("graphconv", {"channels": 3, "adjacency": 1}, [(2, "L"), ("L", "L")], [[(2, 5), (5, 5)], [(2, 1), (1, 1)]]),
    ("graphconv", {"channels": 3, "adjacency": 1}, [(2, "H", 3), ("M", "M")], [[(2, 2, 3), (6, 6)]]),
    (
        "partial_conv",
        {"channels": 4, "kernel": 3, "mask": 1, "stride": 2, "dilation": 2, "pad": "same"},
        [(2, "H", "W"), (1, "H", "W")],
        [[(2, 7, 8), (1, 7, 8)], [(2, 4, 5), (1, 4, 5)]],
    ),
    (
        "conv",
        {"channels": 4, "kernel": 3, "stride": 2, "dilation": 2, "pad": "same"},
        [(2, "H", "W")],
        [[(2, 7, 8)], [(2, 4, 5)]],
    ),
    ("coordinates", {}, [(2, "L")], [[(2, 1)], [(2, 6)]]),
    ("convlstm", {"hidden": 2, "kernel": 3}, [(2, 3, "H", "W")], [[(2, 3, 4, 5)], [(2, 3, 2, 7)]]),
]
"""Calls on open sizes that only some sizes fit, or of values that are no images: the sizes, and those to try."""


@pytest.mark.parametrize("opset", [13, 17, 22])
@pytest.mark.parametrize(("name", "arguments", "given_sizes", "tried"), CUT)
def test_open_sizes_that_must_fit(
    name: str, arguments: dict[str, Any], given_sizes: Any, tried: list[list[tuple[int, ...]]], opset: int
):
    shapes = [tuple(symbol(size) if isinstance(size, str) else size for size in shape) for shape in given_sizes]
    opened = infer(BUILTIN[name], arguments, shapes)
    model = one_layer_model(opened, opened.weights(), opset)
    onnx.checker.check_model(model, full_check=True)
    agrees(opened, model, *map(tuple, tried))


def test_padding_of_open_sizes_is_that_of_known_ones():
    """ONNX's own SAME_UPPER, worked out by ONNX Runtime, against the numbers that the record settles on."""
    for kernel in (1, 2, 3, 5):
        for stride in (1, 2, 3):
            arguments = {"channels": 2, "kernel": kernel, "stride": stride, "pad": "same"}
            opened = infer(BUILTIN["conv"], arguments, [(3, symbol("H"), symbol("W"))])
            if opened.attributes["pad"] != "same":
                continue
            session, weights = Session(one_layer_model(opened, opened.weights(), 17)), opened.weights()
            for shape in [(3, 5, 6), (3, 7, 8), (3, 9, 10)]:
                known, values = infer(BUILTIN["conv"], arguments, [shape]), tensors([shape], 1)
                assert known.attributes["pad"] != "same"
                result = torch.from_numpy(session.run(values))
                torch.testing.assert_close(result, known.run(values, weights), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("opset", IR_VERSIONS)
def test_operators_stand_for_themselves(opset: int):
    """Runtimes know global pooling and batch norm by name; a decomposition would be slower everywhere."""
    for name, op_type in {
        "global_avgpool": "GlobalAveragePool",
        "global_maxpool": "GlobalMaxPool",
        "bn": "BatchNormalization",
        "softmax": "Softmax",
        "dropout": "Dropout",
        "relu6": "Clip",
    }.items():
        layer = infer(BUILTIN[name], {}, [(3, 5, 4)])
        model = one_layer_model(layer, layer.weights(), opset)
        assert [node.op_type for node in model.graph.node] == [op_type]


def test_batch_norm_says_its_momentum_in_the_words_of_onnx():
    layer = infer(BUILTIN["bn"], {"momentum": 0.25}, [(3, 5, 4)])
    (node,) = one_layer_model(layer, layer.weights(), 17).graph.node
    attributes = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
    assert attributes["momentum"] == pytest.approx(0.75)
