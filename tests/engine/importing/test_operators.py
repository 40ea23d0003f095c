"""Every operator in its forms, over operator sets: the imported network computes what ONNX Runtime does."""

import numpy as np
import pytest
from onnx import TensorProto

from striate_dsl.diagnostics import DiagnosticError
from tests.engine.importing.written import agree, imported, layers, model, node, random, tensor

IMAGE = {"x": ["N", 4, 9, 8]}


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"pads": [1, 1, 1, 1], "strides": [2, 1]},
        {"pads": [0, 1, 2, 3]},
        {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
        {"auto_pad": "SAME_LOWER", "strides": [2, 2]},
        {"auto_pad": "SAME_LOWER"},
        {"auto_pad": "VALID", "dilations": [2, 1]},
        {"kernel_shape": [3, 2], "dilations": [1, 3], "pads": [1, 3, 0, 2]},
    ],
    ids=str,
)
@pytest.mark.parametrize("bias", [True, False])
def test_convolutions(attributes, bias):
    stored = [random("w", 6, 4, 3, 2), random("b", 6)]
    made = model([node("Conv", ["x", "w", "b"][: 2 + bias], ["y"], **attributes)], IMAGE, stored[: 1 + bias])
    assert layers(agree(made)) == ["conv"]


@pytest.mark.parametrize("groups", [2, 4])
def test_convolutions_in_groups(groups):
    agree(model([node("Conv", ["x", "w"], ["y"], group=groups)], IMAGE, [random("w", 8, 4 // groups, 3, 3)]))


def test_convolutions_of_sequences_and_volumes():
    agree(model([node("Conv", ["x", "w"], ["y"], pads=[2, 0])], {"x": ["N", 3, 9]}, [random("w", 2, 3, 4)]))
    agree(
        model(
            [node("Conv", ["x", "w"], ["y"], pads=[0, 1, 2, 1, 0, 0])],
            {"x": ["N", 3, 5, 4, 6]},
            [random("w", 2, 3, 2, 3, 2)],
        )
    )


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"strides": [2, 3], "pads": [1, 0, 0, 1]},
        {"strides": [2, 2], "output_padding": [1, 1], "pads": [1, 1, 1, 1]},
        {"strides": [2, 2], "auto_pad": "SAME_UPPER"},
        {"strides": [2, 2], "auto_pad": "SAME_LOWER"},
        {"strides": [2, 2], "output_shape": [17, 15]},
        {"strides": [3, 3], "output_shape": [27, 24], "auto_pad": "SAME_UPPER"},
        {"dilations": [2, 1], "group": 2},
    ],
    ids=str,
)
def test_transposed_convolutions(attributes):
    stored = [random("w", 4, 3, 3, 3), random("b", 3 * attributes.get("group", 1))]
    assert layers(agree(model([node("ConvTranspose", ["x", "w", "b"], ["y"], **attributes)], IMAGE, stored))) == [
        "deconv"
    ]


@pytest.mark.parametrize(
    "attributes",
    [
        {"kernel_shape": [2, 3]},
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]},
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [0, 1, 2, 0]},
        {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1},
        {"kernel_shape": [3, 2], "strides": [2, 3], "pads": [1, 0, 1, 1], "ceil_mode": 1},
        {"kernel_shape": [2, 2], "auto_pad": "SAME_UPPER", "strides": [2, 2]},
        {"kernel_shape": [2, 2], "auto_pad": "SAME_LOWER", "strides": [2, 2]},
        {"kernel_shape": [4, 4], "auto_pad": "VALID"},
    ],
    ids=str,
)
@pytest.mark.parametrize("operator", ["MaxPool", "AveragePool"])
def test_pools(operator, attributes):
    agree(model([node(operator, ["x"], ["y"], **attributes)], IMAGE))


def test_pools_that_count_their_padding():
    given = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 0, 1], "count_include_pad": 1}
    agree(model([node("AveragePool", ["x"], ["y"], **given)], IMAGE))


def test_pools_with_dilation():
    agree(model([node("MaxPool", ["x"], ["y"], kernel_shape=[2, 3], dilations=[3, 2])], IMAGE))


@pytest.mark.parametrize("operator", ["GlobalAveragePool", "GlobalMaxPool"])
def test_pools_of_whole_images(operator):
    agree(model([node(operator, ["x"], ["y"])], {"x": ["N", 4, "H", "W"]}), {"H": 5, "W": 6})


@pytest.mark.parametrize(
    "attributes",
    [
        {"kernel_shape": [2, 3]},
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 0, 1, 2], "p": 1},
        {"kernel_shape": [2, 2], "auto_pad": "SAME_UPPER", "strides": [2, 2], "p": 3},
    ],
    ids=str,
)
def test_norms_of_windows(attributes):
    assert layers(agree(model([node("LpPool", ["x"], ["y"], **attributes)], IMAGE))) == ["lppool"]


@pytest.mark.parametrize("exponent", [1, 2, 3])
def test_norms_of_whole_images(exponent):
    given = {"x": ["N", 4, "H", "W"]}
    assert layers(agree(model([node("GlobalLpPool", ["x"], ["y"], p=exponent)], given), {"H": 5, "W": 6})) == [
        "global_lppool"
    ]


def statistics(channels: int = 4) -> list:
    return [random(name, channels, seed=index) for index, name in enumerate(("s", "b", "m"))] + [
        tensor("v", np.linspace(0.5, 2, channels))
    ]


@pytest.mark.parametrize("opset", [7, 9, 14, 15, 17])
def test_batch_norm_over_operator_sets(opset):
    made = model(
        [node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"], epsilon=1e-3)], IMAGE, statistics(), opset=opset
    )
    found = agree(made)
    (bn,) = found.model.graph.nodes
    assert (bn.op, bn.attributes["eps"], bn.attributes["momentum"]) == ("bn", 1e-3, 0.1)


def test_other_norms():
    agree(model([node("InstanceNormalization", ["x", "s", "b"], ["y"])], IMAGE, statistics()[:2]))
    agree(model([node("LRN", ["x"], ["y"], size=3, alpha=0.5, bias=2.0)], IMAGE))
    agree(model([node("LpNormalization", ["x"], ["y"], axis=1)], IMAGE))
    for axis, shape in ((-1, (8,)), (1, (4, 9, 8)), (2, (9, 8))):
        stored = [random("s", *shape), random("b", *shape)]
        agree(model([node("LayerNormalization", ["x", "s", "b"], ["y"], axis=axis)], IMAGE, stored))


def test_dense_layers():
    flat = {"x": ["N", 5]}
    stored = [random("w", 5, 3), random("b", 3), random("t", 3, 5), tensor("one", [0.5])]
    found = agree(model([node("Gemm", ["x", "w", "b"], ["y"], alpha=0.5, beta=2.0)], flat, stored[:2]))
    assert layers(found) == ["dense"]
    agree(model([node("Gemm", ["x", "t", "b"], ["y"], transB=1)], flat, stored[1:3]))
    agree(model([node("Gemm", ["x", "w", "one"], ["y"])], flat, [stored[0], stored[3]]))
    found = agree(model([node("MatMul", ["x", "w"], ["h"]), node("Add", ["b", "h"], ["y"])], flat, stored[:2]))
    assert layers(found) == ["dense"]
    assert found.model.graph.nodes[0].attributes["bias"]


def test_a_bias_added_behind_a_convolution_is_its_own():
    stored = [random("w", 6, 4, 1, 1), random("b", 1, 6, 1, 1)]
    found = agree(model([node("Conv", ["x", "w"], ["h"]), node("Add", ["h", "b"], ["y"])], IMAGE, stored))
    assert layers(found) == ["conv"]


def test_a_convolution_that_is_used_twice_keeps_its_value():
    stored = [random("w", 6, 4, 1, 1), tensor("b", 1.5)]
    nodes = [node("Conv", ["x", "w"], ["h"]), node("Add", ["h", "b"], ["a"]), node("Mul", ["h", "a"], ["y"])]
    assert layers(agree(model(nodes, IMAGE, stored))) == ["conv", "offset", "mul"]


ENTRYWISE = [
    ("Relu", {}), ("LeakyRelu", {"alpha": 0.2}), ("LeakyRelu", {}), ("Elu", {"alpha": 0.5}), ("Selu", {}),
    ("Selu", {"alpha": 2.0, "gamma": 0.5}), ("Celu", {"alpha": 2.0}), ("Sigmoid", {}), ("Tanh", {}), ("Softplus", {}),
    ("Softsign", {}), ("HardSigmoid", {}), ("HardSigmoid", {"alpha": 1 / 6}), ("HardSwish", {}), ("Exp", {}),
    ("Abs", {}),
    ("Neg", {}), ("Identity", {}), ("ThresholdedRelu", {"alpha": 0.3}), ("Reciprocal", {}), ("Dropout", {}),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "attributes"), ENTRYWISE, ids=str)
def test_functions_of_one_entry(operator, attributes):
    made = model([node(operator, ["x"], ["h"], **attributes), node("Relu", ["h"], ["y"])], IMAGE)
    agree(made)


@pytest.mark.parametrize("opset", [6, 10, 11, 13])
@pytest.mark.parametrize("bounds", [(0.0, 6.0), (-0.5, 0.25), (0.0, None), (None, 0.5), (None, None)], ids=str)
def test_clips_over_operator_sets(opset, bounds):
    low, high = bounds
    if opset < 11:
        given = {name: value for name, value in (("min", low), ("max", high)) if value is not None}
        agree(model([node("Clip", ["x"], ["h"], **given), node("Neg", ["h"], ["y"])], IMAGE, opset=opset))
        return
    stored = [tensor(name, value) for name, value in (("low", low), ("high", high)) if value is not None]
    names = ["x", "low" if low is not None else "", "high" if high is not None else ""]
    agree(model([node("Clip", names, ["h"]), node("Neg", ["h"], ["y"])], IMAGE, stored, opset=opset))


def test_slopes_of_channels():
    agree(model([node("PRelu", ["x", "s"], ["y"])], IMAGE, [random("s", 4, 1, 1)]))
    agree(model([node("PRelu", ["x", "s"], ["y"])], IMAGE, [random("s", 1)]))


@pytest.mark.parametrize("operator", ["Add", "Sub", "Mul", "Div"])
def test_two_values_and_numbers_on_either_side(operator):
    two = {"x": ["N", 4, 3, 2], "z": ["N", 4, 3, 2]}
    agree(model([node(operator, ["x", "z"], ["y"])], two))
    for names in (["x", "c"], ["c", "x"]):
        agree(model([node(operator, names, ["y"])], {"x": ["N", 4, 3, 2]}, [tensor("c", [2.5])]))


def test_gates_repeat_sizes_of_1():
    agree(model([node("Mul", ["x", "g"], ["y"])], {"x": ["N", 4, 3, 2], "g": ["N", 4, 1, 1]}))


@pytest.mark.parametrize("operator", ["Sum", "Max", "Min", "Mean"])
def test_several_values(operator):
    agree(model([node(operator, ["x", "z", "x"], ["y"])], {"x": ["N", 4, 3], "z": ["N", 4, 3]}))


def test_joining_along_every_axis():
    for axis in (1, 2, -1):
        agree(model([node("Concat", ["x", "z"], ["y"], axis=axis)], {"x": ["N", 4, 3, 2], "z": ["N", 4, 3, 2]}))


@pytest.mark.parametrize("opset", [9, 13])
@pytest.mark.parametrize("axis", [1, 2, 3, None])
@pytest.mark.parametrize("operator", ["Softmax", "LogSoftmax"])
def test_shares_flatten_before_opset_13(opset, axis, operator):
    given = {} if axis is None else {"axis": axis}
    agree(model([node(operator, ["x"], ["y"], **given)], {"x": ["N", 4, 3, 2]}, opset=opset))


@pytest.mark.parametrize("keep", [0, 1])
@pytest.mark.parametrize(
    "operator", ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL2", "ReduceL1", "ReduceSumSquare"]
)
def test_reductions_with_axes_as_attribute_and_as_input(operator, keep):
    for axes in ([2, 3], [-3], [1, 2, 3]):
        agree(model([node(operator, ["x"], ["y"], axes=axes, keepdims=keep)], IMAGE, opset=11))
        made = model([node(operator, ["x", "a"], ["y"], keepdims=keep)], IMAGE, [tensor("a", axes, "int64")], opset=18)
        agree(made)


def test_places_of_the_largest():
    for keep in (0, 1):
        made = model([node("ArgMax", ["x"], ["y"], axis=1, keepdims=keep)], IMAGE, kinds={"y": TensorProto.INT64})
        agree(made)


@pytest.mark.parametrize("wanted", [[0, -1], [-1, 288], [0, 4, 72], [0, 0, -1], [0, 2, 2, 9, 8], [0, 36, -1]], ids=str)
def test_reshapes(wanted):
    agree(model([node("Reshape", ["x", "s"], ["y"])], IMAGE, [tensor("s", wanted, "int64")]))


def test_a_reshape_to_a_fixed_batch():
    made = model([node("Reshape", ["x", "s"], ["y"])], {"x": [3, 4, 5]}, [tensor("s", [3, 20], "int64")])
    assert layers(agree(made)) == ["flatten"]


def test_a_reshape_whose_size_is_computed_from_the_input():
    nodes = [
        node("Shape", ["x"], ["shape"]),
        node("Gather", ["shape", "zero"], ["n"], axis=0),
        node("Unsqueeze", ["n", "first"], ["n1"]),
        node("Concat", ["n1", "rest"], ["wanted"], axis=0),
        node("Reshape", ["x", "wanted"], ["y"]),
    ]
    stored = [tensor("zero", 0, "int64"), tensor("first", [0], "int64"), tensor("rest", [-1], "int64")]
    assert layers(agree(model(nodes, IMAGE, stored))) == ["flatten"]


def test_pixels_in_a_row_of_open_sizes():
    nodes = [
        node("Shape", ["x"], ["shape"]),
        node("Slice", ["shape", "a", "b"], ["kept"]),
        node("Concat", ["kept", "rest"], ["wanted"], axis=0),
        node("Reshape", ["x", "wanted"], ["h"]),
        node("Transpose", ["h"], ["y"], perm=[0, 2, 1]),
    ]
    stored = [tensor("a", [0], "int64"), tensor("b", [2], "int64"), tensor("rest", [-1], "int64")]
    found = agree(model(nodes, {"x": ["N", 4, "H", "W"]}, stored), {"H": 3, "W": 5})
    assert layers(found) == ["reshape", "transpose"]


def test_channel_shuffle_as_exporters_write_it():
    nodes = [
        node("Reshape", ["x", "s"], ["a"]),
        node("Transpose", ["a"], ["b"], perm=[0, 2, 1, 3, 4]),
        node("Reshape", ["b", "t"], ["y"]),
    ]
    made = model(
        nodes, {"x": [1, 4, 3, 2]}, [tensor("s", [1, 2, 2, 3, 2], "int64"), tensor("t", [1, -1, 3, 2], "int64")]
    )
    agree(made)


def test_squeezes_over_operator_sets():
    given = {"x": ["N", 4, 1, 1]}
    agree(model([node("Squeeze", ["x"], ["y"], axes=[2, 3])], given, opset=11))
    agree(model([node("Squeeze", ["x", "a"], ["y"])], given, [tensor("a", [-1], "int64")], opset=13))
    agree(model([node("Unsqueeze", ["x"], ["y"], axes=[2])], {"x": ["N", 4]}, opset=11))
    agree(model([node("Unsqueeze", ["x", "a"], ["y"])], {"x": ["N", 4]}, [tensor("a", [-1], "int64")], opset=13))


def test_transposes():
    for perm in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 3, 2, 1], [0, 1, 2, 3]):
        agree(model([node("Transpose", ["x"], ["h"], perm=perm), node("Relu", ["h"], ["y"])], IMAGE))


@pytest.mark.parametrize(
    "part", [([1], [3], [1], [1]), ([0, 2], [9, -1], [2, 3], [2, 1]), ([-4], [2**40], [2], [3])], ids=str
)
def test_slices_over_operator_sets(part):
    starts, ends, axes, steps = part
    if set(steps) == {1}:
        agree(model([node("Slice", ["x"], ["y"], starts=starts, ends=ends, axes=axes)], IMAGE, opset=9))
    stored = [tensor(name, values, "int64") for name, values in zip("abcd", part, strict=True)]
    agree(model([node("Slice", ["x", *"abcd"], ["y"])], IMAGE, stored))


def test_a_slice_backwards_is_a_flip():
    stored = [tensor(name, [value], "int64") for name, value in zip("abcd", (-1, -(2**63) + 1, 3, -1), strict=True)]
    assert layers(agree(model([node("Slice", ["x", *"abcd"], ["y"])], IMAGE, stored))) == ["flip"]


def test_gathers_of_known_places():
    for places in ([2, 0, 0], [1, 2], [-1], 1):
        agree(model([node("Gather", ["x", "p"], ["y"], axis=1)], IMAGE, [tensor("p", places, "int64")]))


def test_splits_over_operator_sets():
    outputs = ["a", "b"]
    agree(model([node("Split", ["x"], outputs, axis=1)], IMAGE, outputs=outputs, opset=11))
    agree(model([node("Split", ["x"], outputs, axis=1, split=[1, 3])], IMAGE, outputs=outputs, opset=11))
    agree(model([node("Split", ["x", "s"], outputs, axis=3)], IMAGE, [tensor("s", [3, 5], "int64")], outputs=outputs))
    agree(model([node("Split", ["x"], outputs, axis=2, num_outputs=2)], IMAGE, outputs=outputs, opset=18))


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge"])
def test_pads_over_operator_sets(mode):
    pads = [0, 0, 1, 2, 0, 0, 3, 1]
    agree(model([node("Pad", ["x"], ["y"], pads=pads, mode=mode)], IMAGE, opset=10))
    agree(model([node("Pad", ["x", "p"], ["y"], mode=mode)], IMAGE, [tensor("p", pads, "int64")]))
    stored = [tensor("p", [1, 2], "int64"), tensor("v", 0.0), tensor("a", [-1], "int64")]
    agree(model([node("Pad", ["x", "p", "v", "a"], ["y"], mode=mode)], IMAGE, stored, opset=18))


def test_a_pad_below_zero_crops():
    pads = tensor("p", [0, 0, -1, 0, 0, 0, -2, -3], "int64")
    assert layers(agree(model([node("Pad", ["x", "p"], ["y"])], IMAGE, [pads]))) == ["crop"]


def test_channels_into_pixels():
    for mode in ("DCR", "CRD"):
        agree(model([node("DepthToSpace", ["x"], ["y"], blocksize=2, mode=mode)], {"x": ["N", 8, 3, 2]}))
    agree(model([node("SpaceToDepth", ["x"], ["y"], blocksize=2)], {"x": ["N", 2, 4, 6]}))
    agree(model([node("Tile", ["x", "t"], ["y"])], IMAGE, [tensor("t", [1, 1, 2, 3], "int64")]))


COORDINATES = ["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"]


@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("mode", ["linear", "cubic"])
@pytest.mark.parametrize("scales", [[1, 1, 2, 2], [1, 1, 3, 1], [1, 1, 0.5, 2.5]], ids=str)
def test_resizes_by_a_factor(coordinates, mode, scales):
    given = {"mode": mode, "coordinate_transformation_mode": coordinates}
    made = model([node("Resize", ["x", "", "s"], ["y"], **given)], {"x": ["N", 2, 4, 6]}, [tensor("s", scales)])
    try:
        agree(made)
    except DiagnosticError as error:
        assert mode == "cubic" and coordinates == "asymmetric", error.diagnostics


@pytest.mark.parametrize("rounding", ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
@pytest.mark.parametrize("coordinates", ["half_pixel", "align_corners", "asymmetric"])
@pytest.mark.parametrize("size", [[8, 12], [3, 9], [2, 4]], ids=str)
def test_nearest_pixels_are_the_same_or_refused_on_open_sizes(rounding, coordinates, size):
    given = {"mode": "nearest", "coordinate_transformation_mode": coordinates, "nearest_mode": rounding}
    sizes = tensor("s", [2, 2, *size], "int64")
    made = model([node("Resize", ["x", "", "", "s"], ["y"], **given)], {"x": [2, 2, 4, 6]}, [sizes])
    assert set(layers(agree(made))) in ({"resize"}, {"select"})
    factors = tensor("f", [1, 1, 2, 3])
    opened = model([node("Resize", ["x", "", "f"], ["y"], **given)], {"x": ["N", 2, "H", "W"]}, [factors])
    try:
        assert layers(agree(opened, {"H": 4, "W": 3})) == ["upsample"]
    except DiagnosticError as error:
        assert "nearest pixel" in error.diagnostics[0].notes[0]
        assert (coordinates, rounding) not in (("asymmetric", "floor"), ("half_pixel", "round_prefer_ceil"))


def test_resizes_of_older_operator_sets():
    for opset, operator in ((9, "Upsample"), (10, "Resize")):
        made = model(
            [node(operator, ["x", "s"], ["y"], mode="nearest")], IMAGE, [tensor("s", [1, 1, 2, 2])], opset=opset
        )
        assert layers(agree(made)) == ["upsample"]


def test_a_resize_to_the_size_of_another_value():
    nodes = [
        node("MaxPool", ["x"], ["small"], kernel_shape=[3, 3], strides=[2, 2]),
        node("Shape", ["x"], ["s"]),
        node("Resize", ["small", "", "", "s"], ["y"], mode="linear"),
    ]
    found = agree(model(nodes, {"x": ["N", 2, "H", "W"]}), {"H": 9, "W": 7})
    assert layers(found) == ["maxpool", "resize"]


def test_what_is_made_from_truths_or_whole_numbers_is_refused():
    with pytest.raises(DiagnosticError) as caught:
        imported(model([node("Add", ["x", "x"], ["y"])], {"x": ["N", 3]}, kinds={"x": TensorProto.INT32}))
    assert "int32" in caught.value.diagnostics[0].notes[0]


@pytest.mark.parametrize("gate", [("Sigmoid", "silu"), ("HardSigmoid", "hardswish")], ids=str)
@pytest.mark.parametrize("turned", [False, True])
def test_a_value_gated_by_itself_is_one_layer(gate, turned):
    operator, name = gate
    given = {"alpha": 1 / 6} if operator == "HardSigmoid" else {}
    nodes = [node(operator, ["x"], ["g"], **given), node("Mul", ["g", "x"] if turned else ["x", "g"], ["y"])]
    assert layers(agree(model(nodes, IMAGE))) == [name]
    used_twice = [*nodes, node("Add", ["y", "g"], ["z"])]
    assert len(layers(agree(model(used_twice, IMAGE)))) == 3


def test_mish_and_unit_length_are_one_layer():
    nodes = [node("Softplus", ["x"], ["a"]), node("Tanh", ["a"], ["b"]), node("Mul", ["x", "b"], ["y"])]
    assert layers(agree(model(nodes, IMAGE))) == ["mish"]
    nodes = [
        node("ReduceL2", ["x"], ["a"], axes=[1], keepdims=1),
        node("Max", ["a", "e"], ["b"]),
        node("Div", ["x", "b"], ["y"]),
    ]
    assert layers(agree(model(nodes, IMAGE, [tensor("e", 1e-6)]))) == ["l2norm"]


def test_what_is_repeated_and_stored_tensors():
    for operator in ("Add", "Sub", "Mul", "Div", "Max"):
        for shape in ((1, 4, 1, 1), (9, 8), (1, 1, 9, 8), (4, 1, 8)):
            for names in (["h", "c"], ["c", "h"]):
                stored = tensor("c", np.random.default_rng(3).uniform(0.5, 2, shape))
                nodes = [node("Exp", ["x"], ["h"]), node(operator, names, ["y"])]
                agree(model(nodes, IMAGE, [stored]))
        agree(model([node(operator, ["x", "z"], ["y"])], {"x": ["N", 4, 3, 2], "z": ["N", 1, 3, 1]}))


def test_a_class_token_is_joined():
    agree(model([node("Concat", ["c", "x"], ["y"], axis=1)], {"x": [1, 4, 3]}, [random("c", 1, 2, 3)]), batch=1)


def test_tensors_that_differ_between_images_are_refused():
    with pytest.raises(DiagnosticError) as caught:
        imported(model([node("Add", ["x", "c"], ["y"])], {"x": [2, 3]}, [random("c", 2, 3)]))
    assert "differ between them" in caught.value.diagnostics[0].notes[0]


def test_old_alignment_from_another_axis_is_refused():
    made = model([node("Mul", ["x", "c"], ["y"], broadcast=1, axis=1)], {"x": ["N", 4, 3]}, [random("c", 4)], opset=6)
    with pytest.raises(DiagnosticError) as caught:
        imported(made)
    assert "from axis 1 on" in caught.value.diagnostics[0].notes[0]


@pytest.mark.parametrize("operator", ["Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal"])
def test_comparisons_and_choices(operator):
    nodes = [node(operator, ["x", "z"], ["t"]), node("Where", ["t", "x", "z"], ["y"])]
    agree(model(nodes, {"x": ["N", 4, 3], "z": ["N", 4, 1]}))


def test_truths():
    nodes = [
        node("Greater", ["x", "zero"], ["a"]),
        node("Less", ["z", "zero"], ["b"]),
        node("And", ["a", "b"], ["c"]),
        node("Or", ["c", "b"], ["d"]),
        node("Xor", ["d", "a"], ["e"]),
        node("Not", ["e"], ["f"]),
        node("Cast", ["f"], ["y"], to=1),
    ]
    agree(model(nodes, {"x": ["N", 4, 3], "z": ["N", 4, 3]}, [tensor("zero", [0.0])]))


@pytest.mark.parametrize("operator", ["Sin", "Cos", "Atan", "Sinh", "Asinh", "Erf", "Ceil", "Floor", "Round", "Sign"])
def test_elementary_functions(operator):
    agree(model([node(operator, ["x"], ["y"])], IMAGE, opset=13))


def test_powers():
    for exponent in (1.0, 2.0, 3.0, -1.0):
        agree(model([node("Pow", ["x", "e"], ["y"])], IMAGE, [tensor("e", exponent)]))


def test_places_and_products_and_sums_of_exponentials():
    for select in (0, 1):
        for operator in ("ArgMax", "ArgMin"):
            made = node(operator, ["x"], ["y"], axis=1, keepdims=0, select_last_index=select)
            agree(model([made], IMAGE, kinds={"y": TensorProto.INT64}))
    for operator in ("ReduceProd", "ReduceLogSumExp"):
        agree(model([node(operator, ["x"], ["y"], axes=[1, 3])], IMAGE))
    agree(model([node("Hardmax", ["x"], ["y"], axis=2)], IMAGE))


def test_matrices_in_every_place():
    agree(model([node("MatMul", ["x", "z"], ["y"])], {"x": ["N", 2, 3, 4], "z": ["N", 1, 4, 5]}))
    agree(model([node("MatMul", ["x", "w"], ["y"])], {"x": ["N", 2, 3, 4]}, [random("w", 4, 5)]))
    agree(model([node("MatMul", ["w", "x"], ["y"])], {"x": ["N", 3, 4]}, [random("w", 6, 3)]))


def test_norms_over_axes_without_a_name_of_their_own():
    stored = [random("s", 9, 8), random("b", 9, 8)]
    norm = node("LayerNormalization", ["x", "s", "b"], ["y", "m", "d"], axis=2)
    agree(model([norm], IMAGE, stored, outputs=[*"ymd"]))
    volume = {"x": ["N", 2, 3, 4, 5]}
    agree(model([node("LayerNormalization", ["x", "s"], ["y"], axis=3)], volume, [random("s", 4, 5)]))


@pytest.mark.parametrize(
    "attributes", [{}, {"mode": "nearest"}, {"padding_mode": "border", "align_corners": 1}], ids=str
)
def test_images_at_the_places_of_a_grid(attributes):
    agree(model([node("GridSample", ["x", "g"], ["y"], **attributes)], {"x": ["N", 3, 6, 5], "g": ["N", 4, 7, 2]}))


def test_pixel_shuffle_as_older_exporters_write_it():
    nodes = [
        node("Reshape", ["x", "s"], ["a"]),
        node("Transpose", ["a"], ["b"], perm=[0, 1, 4, 2, 5, 3]),
        node("Reshape", ["b", "t"], ["y"]),
    ]
    stored = [tensor("s", [-1, 2, 3, 3, 4, 5], "int64"), tensor("t", [-1, 2, 12, 15], "int64")]
    found = agree(model(nodes, {"x": ["N", 18, 4, 5]}, stored))
    assert layers(found) == ["pixel_shuffle"]


def test_an_attribute_that_is_not_read_is_never_passed_over():
    with pytest.raises(DiagnosticError) as caught:
        imported(model([node("Relu", ["x"], ["y"], slope=0.5)], IMAGE))
    assert "its attribute slope is not read" in caught.value.diagnostics[0].notes[0]
