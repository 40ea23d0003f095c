"""Operators that move entries, pool regions or multiply vectors, held against ONNX Runtime."""

import numpy as np
import pytest
from onnx import GraphProto, ModelProto, TensorProto, helper
from onnx.reference import ReferenceEvaluator

from striate_dsl.diagnostics import DiagnosticError
from tests.engine.importing.written import (
    agree,
    agree_as_one_image,
    imported,
    layers,
    model,
    node,
    random,
    runs,
    tensor,
)

IMAGE = {"x": ["N", 4, 9, 8]}


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def reason(made) -> str:
    with pytest.raises(DiagnosticError) as caught:
        imported(made)
    return caught.value.diagnostics[0].notes[0]


@pytest.mark.parametrize(
    "pads",
    [
        [0, 1, 0, 0, 0, 2, 0, 0],
        [0, 2, 1, 3, 0, 0, 0, 1],
        [0, -1, 1, -2, 0, 0, 2, -1],
    ],
    ids=str,
)
def test_channels_can_be_padded_and_cut_off(pads):
    agree(model([node("Pad", ["x", "p", "v"], ["y"])], IMAGE, [tensor("p", pads, "int64"), tensor("v", 0.5)]))


def test_channels_of_sequences_and_volumes_can_be_padded():
    agree(model([node("Pad", ["x", "p"], ["y"])], {"x": ["N", 5]}, [tensor("p", [0, 1, 0, 2], "int64")]))
    agree(model([node("Pad", ["x", "p"], ["y"])], {"x": ["N", 3, 5]}, [tensor("p", [0, 1, 2, 0, 2, 0], "int64")]))
    sides = tensor("p", [0, 1, 0, 2, 0, 0, 2, 1, 0, 3], "int64")
    agree(model([node("Pad", ["x", "p"], ["y"])], {"x": ["N", 3, 2, 4, 3]}, [sides]))


@pytest.mark.parametrize("mode", ["reflect", "edge"])
def test_borders_that_repeat_rows_reach_over_channels(mode):
    sides = tensor("p", [0, 1, 2, 0, 0, 1, 1, 0], "int64")
    agree(model([node("Pad", ["x", "p"], ["y"], mode=mode)], IMAGE, [sides]))


def test_a_border_that_repeats_rows_is_not_cut_at_once():
    sides = tensor("p", [0, 0, 1, 0, 0, 0, -2, 0], "int64")
    assert "takes rows away and repeats" in reason(model([node("Pad", ["x", "p"], ["y"], mode="edge")], IMAGE, [sides]))


@pytest.mark.parametrize(
    ("shape", "axes"),
    [([7, 5], [2, 3]), ([12, 3], [2, 3]), ([11, 8], [-2, -1]), ([3, 10, 5], [1, 2, 3]), ([6, 4, 13], [1, 3, 2])],
    ids=str,
)
def test_images_are_cropped_and_padded_around_their_centre(shape, axes):
    agree(model([node("CenterCropPad", ["x", "s"], ["y"], axes=axes)], IMAGE, [tensor("s", shape, "int64")], opset=18))


@pytest.mark.parametrize(
    "part", [([7], [1], [-2]), ([-1], [-(2**31)], [-3]), ([20], [0], [-1]), ([5], [-9], [-2])], ids=str
)
def test_ranges_that_go_backwards(part):
    starts, ends, steps = (tensor(name, numbers, "int64") for name, numbers in zip("seb", part, strict=True))
    made = model(
        [node("Slice", ["x", "s", "e", "a", "b"], ["y"])], IMAGE, [starts, ends, steps, tensor("a", [2], "int64")]
    )
    assert layers(agree(made)) == ["slice", "flip"]


@pytest.mark.parametrize(
    "order",
    [[0, 1, 3, 2, 4, 5], [0, 1, 3, 5, 2, 4], [0, 5, 4, 3, 2, 1], [0, 2, 4, 1, 3, 5], [0, 3, 4, 5, 1, 2]],
    ids=str,
)
@pytest.mark.parametrize("sizes", [(2, 3, 4, 5, 6), (2, 1, 4, 1, 3)], ids=str)
def test_many_axes_in_any_order(order, sizes):
    agree(model([node("Transpose", ["x"], ["y"], perm=order)], {"x": ["N", *sizes]}))


def test_windows_of_an_open_image():
    """Images are taken apart into windows as in a shifted-window transformer: 6 axes, of which two stay together."""
    nodes = [
        node("Reshape", ["x", "s"], ["a"]),
        node("Transpose", ["a"], ["b"], perm=[0, 1, 3, 2, 4, 5]),
        node("Reshape", ["b", "t"], ["y"]),
    ]
    stored = [tensor("s", [-1, 2, 4, 3, 4, 5], "int64"), tensor("t", [-1, 6, 16, 5], "int64")]
    agree(model(nodes, {"x": ["N", 8, 12, 5]}, stored))


def test_vectors_multiply_matrices():
    agree(model([node("MatMul", ["x", "w"], ["y"])], {"x": ["N", 3, 4]}, [random("w", 4)]))
    agree(model([node("MatMul", ["x", "w"], ["y"])], {"x": ["N", 4]}, [random("w", 4)]))
    agree(model([node("MatMul", ["w", "x"], ["y"])], {"x": ["N", 2, 3, 4]}, [random("w", 3)]))
    agree_as_one_image(
        model([node("MatMul", ["x", "z"], ["y"])], {"x": [4], "z": [2, 4, 3]}), {"x": numbers(4), "z": numbers(2, 4, 3)}
    )


def test_images_of_a_batch_are_not_multiplied_with_each_other():
    made = model([node("MatMul", ["x", "z"], ["y"])], {"x": ["N"], "z": ["N", 3]})
    assert "multiplies the images of a batch" in reason(made)


@pytest.mark.parametrize("turned", [{}, {"transA": 1}, {"transB": 1, "alpha": 0.5, "beta": -2.0}], ids=str)
def test_general_products_of_two_values(turned):
    shapes = {"x": [5, 5], "z": [5, 5], "c": [5, 5]}
    given = {name: numbers(*shape, seed=place) for place, (name, shape) in enumerate(shapes.items())}
    agree_as_one_image(model([node("Gemm", ["x", "z", "c"], ["y"], **turned)], shapes), given)


def test_general_products_that_add_a_value():
    made = model(
        [node("Gemm", ["x", "w", "z"], ["y"], transB=1, beta=3.0)], {"x": ["N", 4], "z": ["N", 6]}, [random("w", 6, 4)]
    )
    assert layers(agree(made)) == ["dense", "scale", "add"]


def test_a_clip_whose_bounds_are_crossed_gives_the_upper_one():
    agree(model([node("Clip", ["x", "l", "h"], ["y"])], IMAGE, [tensor("l", 2.0), tensor("h", 1.0)]))


def pooled(**unpool) -> list:
    return [
        node("MaxPool", ["x"], ["m", "i"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Relu", ["m"], ["r"]),
        node("MaxUnpool", ["r", "i", *unpool.pop("shape", [])], ["y"], kernel_shape=[2, 2], strides=[2, 2]),
    ]


def test_maxima_go_back_to_their_places():
    found = agree(model(pooled(), {"x": ["N", 3, 8, 6]}))
    assert layers(found) == ["maxpool", "relu", "max_unpool"]


def test_maxima_go_back_into_an_image_of_the_size_that_is_asked_for():
    agree(model(pooled(shape=["s"]), {"x": [1, 3, 7, 9]}, [tensor("s", [1, 3, 7, 9], "int64")]))


def test_places_of_maxima_are_theirs_in_the_whole_batch():
    made = node("MaxPool", ["x"], ["y", "i"], kernel_shape=[2, 2])
    kinds = {"i": TensorProto.INT64}
    agree(model([made], {"x": [1, 1, 5, 6]}, outputs=["y", "i"], kinds=kinds), batch=1)
    assert "count through the batch" in reason(model([made], {"x": ["N", 1, 5, 6]}, outputs=["y", "i"], kinds=kinds))
    assert "count through the batch" in reason(model([made], {"x": [1, 2, 5, 6]}, outputs=["y", "i"], kinds=kinds))
    spoilt = [made, node("Cast", ["i"], ["f"], to=TensorProto.FLOAT)]
    assert "count through the batch" in reason(model(spoilt, {"x": ["N", 1, 5, 6]}))


def test_places_in_an_image_of_another_size_are_refused():
    assert "another size than it makes" in reason(model(pooled(), {"x": ["N", 3, 7, 6]}))


@pytest.mark.parametrize(
    ("mode", "opset"), [(None, 10), (None, 16), ("half_pixel", 16), ("output_half_pixel", 16)], ids=str
)
def test_regions_of_one_image(mode, opset):
    given = {} if mode is None else {"coordinate_transformation_mode": mode}
    align = node("RoiAlign", ["x", "r", "i"], ["y"], output_height=3, output_width=2, sampling_ratio=2, **given)
    made = model([align], {"x": [1, 5, 9, 8], "r": [4, 4]}, [tensor("i", [0, 0, 0, 0], "int64")], opset=opset)
    corners = np.array([[0, 0, 4, 5], [1.5, 2, 7.25, 8], [3, 3, 3.5, 3.25], [-2, 1, 9, 12]], np.float32)
    agree_as_one_image(made, {"x": numbers(1, 5, 9, 8), "r": corners})


def test_regions_of_a_batch_are_refused():
    align = node("RoiAlign", ["x", "r", "i"], ["y"], output_height=3, output_width=2)
    made = model([align], {"x": [1, 5, 9, 8], "r": [1, 4]}, [tensor("i", [0], "int64")])
    assert "regions the first axis" in reason(made)


def test_a_gate_of_two_projections():
    """ONNX Runtime does not know SwiGLU yet: the onnx package's reference evaluates it."""
    gated = node("SwiGLU", ["x", "z"], ["y"], alpha=0.5)
    graph = model([gated], {"x": ["N", 4], "z": ["N", 4]}, opset=17).graph
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 28)])
    given = {"x": numbers(2, 4), "z": numbers(2, 4, seed=1)}
    found = imported(made)
    (theirs,) = ReferenceEvaluator(made).run(None, given)
    np.testing.assert_allclose(runs(found, given)[0], theirs, rtol=1e-5)


@pytest.mark.parametrize("modulated", [True, False])
@pytest.mark.parametrize("settings", [{}, {"strides": [2, 1], "pads": [1, 0, 0, 1], "dilations": [1, 2]}], ids=str)
def test_deformed_convolutions(settings, modulated):
    """Offsets are made by a convolution of the network, modulation by another one and a sigmoid."""
    nodes = [node("Conv", ["x", "ow"], ["o"], **settings), node("Conv", ["x", "mw"], ["m"], **settings)]
    given = ["x", "w", "o", "b", "s"] if modulated else ["x", "w", "o", "b"]
    deform = node("DeformConv", given, ["y"], group=2, offset_group=2, **settings)
    stored = [random("ow", 24, 4, 2, 3), random("mw", 12, 4, 2, 3), random("w", 6, 2, 2, 3), random("b", 6)]
    found = agree(model([*nodes, node("Sigmoid", ["m"], ["s"]), deform], IMAGE, stored, opset=19))
    assert layers(found)[-1] == "deform_conv"


def test_stored_offsets_are_those_of_one_image():
    deform = node("DeformConv", ["x", "w", "o"], ["y"])
    stored = [random("o", 1, 8, 8, 7), random("w", 3, 4, 2, 2)]
    agree(model([deform], {"x": [1, 4, 9, 8]}, stored, opset=19), batch=1)
    assert "differ between the images" in reason(
        model([deform], {"x": [2, 4, 9, 8]}, [random("o", 2, 8, 8, 7), stored[1]], opset=19)
    )


def branch(nodes: list, output: str = "b", stored: tuple = ()) -> GraphProto:
    made = [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)]
    return helper.make_graph(nodes, "branch", [], made, list(stored))


def chosen(condition: bool, first: GraphProto, second: GraphProto) -> ModelProto:
    nodes = [
        node("Conv", ["x", "w"], ["c"]),
        node("If", ["k"], ["i"], then_branch=first, else_branch=second),
        node("Add", ["c", "i"], ["y"]),
    ]
    return model(nodes, IMAGE, [random("w", 3, 4, 1, 1), tensor("k", condition, "bool")])


@pytest.mark.parametrize("condition", [True, False])
def test_a_branch_whose_condition_is_known(condition):
    """What a branch uses of the graph around it is used there as well: no bias is put into the convolution."""
    first = branch([node("Add", ["c", "d"], ["a"]), node("Relu", ["a"], ["b"])], stored=(random("d", 3, 1, 1),))
    second = branch([node("Tanh", ["c"], ["e"])], "e")
    found = agree(chosen(condition, first, second))
    assert ("tanh" in layers(found)) != condition


def test_branches_that_are_broken():
    sound = branch([node("Relu", ["c"], ["b"])])
    for nodes, why in (
        ([node("Relu", ["nowhere"], ["b"])], "nothing makes"),
        ([node("Relu", ["a"], ["b"]), node("Tanh", ["c"], ["a"])], "nothing makes"),
        ([node("Relu", ["c"], ["a"])], "nothing makes"),
    ):
        with pytest.raises(DiagnosticError, match="damaged") as caught:
            imported(chosen(True, branch(nodes), sound))
        assert why in caught.value.diagnostics[0].message
    several = branch([node("Relu", ["c"], ["b"])])
    several.output.add().name = "c"
    with pytest.raises(DiagnosticError, match="as many outputs"):
        imported(chosen(True, several, sound))
    with pytest.raises(DiagnosticError) as caught:
        imported(chosen(True, branch([node("NonZero", ["c"], ["b"])]), sound))
    assert "NonZero" in caught.value.diagnostics[0].notes[0]
