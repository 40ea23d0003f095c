"""Operators that find entries by places, stored and computed, held against ONNX Runtime."""

import numpy as np
import pytest
from onnx import TensorProto

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


def whole(name: str, values):
    return tensor(name, values, "int64")


def reason(made) -> str:
    with pytest.raises(DiagnosticError) as caught:
        imported(made)
    return caught.value.diagnostics[0].notes[0]


@pytest.mark.parametrize("attributes", [{}, {"axis": 1, "largest": 0}, {"axis": 2, "sorted": 1}], ids=str)
def test_largest_entries_and_their_places(attributes):
    top = node("TopK", ["x", "k"], ["y", "i"], **attributes)
    made = model([top], IMAGE, [whole("k", [3])], outputs=["y", "i"], kinds={"i": TensorProto.INT64})
    found = agree(made)
    assert layers(found) == ["topk"]


def test_places_of_equal_entries_are_those_of_onnx():
    top = node("TopK", ["r", "k"], ["y", "i"])
    made = model(
        [node("Relu", ["x"], ["r"]), top],
        {"x": ["N", 3, 64]},
        [whole("k", [60])],
        outputs=["y", "i"],
        kinds={"i": TensorProto.INT64},
    )
    agree(made)


def test_the_best_boxes_of_a_detector():
    """Scores are sorted, and the boxes of the best taken along: as centre-based detectors are exported."""
    nodes = [
        node("ReduceMax", ["s"], ["m"], axes=[2], keepdims=0),
        node("TopK", ["m", "k"], ["best", "i"], axis=1),
        node("Unsqueeze", ["i", "last"], ["j"]),
        node("Expand", ["j", "sizes"], ["e"]),
        node("GatherElements", ["b", "e"], ["boxes"], axis=1),
    ]
    stored = [whole("k", [5]), whole("last", [-1]), whole("sizes", [1, 5, 4])]
    made = model(nodes, {"s": ["N", 20, 7], "b": ["N", 20, 4]}, stored, outputs=["best", "boxes"])
    assert layers(agree(made))[-1] == "gather"


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_entries_at_stored_places(axis):
    places = np.random.default_rng(3).integers(-8, 8, (1, 4, 9, 8)) % [None, 4, 9, 8][axis]
    places = np.where(places % 2, places, places - [None, 4, 9, 8][axis])
    made = model([node("GatherElements", ["x", "i"], ["y"], axis=axis)], {"x": [1, 4, 9, 8]}, [whole("i", places)])
    assert layers(agree(made)) == ["parameter", "gather"]


def test_fewer_places_than_rows():
    places = np.random.default_rng(3).integers(0, 9, (1, 2, 3, 5))
    made = model([node("GatherElements", ["x", "i"], ["y"], axis=2)], {"x": [1, 4, 9, 8]}, [whole("i", places)])
    agree(made)


def test_places_that_differ_between_images_are_refused():
    made = model([node("GatherElements", ["x", "i"], ["y"], axis=1)], {"x": [2, 4]}, [whole("i", [[0, 1], [2, 3]])])
    assert "differ between the images" in reason(made)
    across = model([node("GatherElements", ["x", "i"], ["y"])], {"x": [2, 4]}, [whole("i", [[0, 1, 1, 0]] * 2)])
    assert "along the batch axis" in reason(across)


def test_places_that_do_not_exist_are_refused():
    made = model([node("GatherElements", ["x", "i"], ["y"], axis=1)], {"x": [1, 4]}, [whole("i", [[0, 4]])])
    assert "names a place that does not exist, of 4" in reason(made)


@pytest.mark.parametrize("reduction", [None, "add", "mul", "max", "min"])
def test_entries_put_to_stored_places(reduction):
    places = np.stack([np.random.default_rng(each).permutation(9)[:5] for each in range(32)])
    places = places.reshape(1, 4, 8, 5).transpose(0, 1, 3, 2)
    given = {} if reduction is None else {"reduction": reduction}
    scatter = node("ScatterElements", ["x", "i", "z"], ["y"], axis=2, **given)
    made = model([scatter], {"x": [1, 4, 9, 8], "z": [1, 4, 5, 8]}, [whole("i", places)], opset=18)
    assert layers(agree(made, batch=1)) == ["parameter", "scatter"]


def test_entries_that_leave_rows_out_are_refused():
    scatter = node("ScatterElements", ["x", "i", "z"], ["y"], axis=1)
    made = model([scatter], {"x": [1, 4, 3], "z": [1, 2, 2]}, [whole("i", [[[0, 1], [2, 3]]])], opset=18)
    assert "leaves rows out" in reason(made)


@pytest.mark.parametrize("reduction", [None, "add", "max"])
def test_part_of_an_image_is_replaced_as_torch_writes_it(reduction):
    """x[:, 1, 2:5, ::2] = z: coordinates of every entry, the number of the image first."""
    images, rows, columns = np.meshgrid(np.arange(2), [2, 3, 4], [0, 2, 4, 6], indexing="ij")
    places = np.stack([images, np.ones_like(images), rows, columns], -1)
    given = {} if reduction is None else {"reduction": reduction}
    put = node("ScatterND", ["x", "i", "z"], ["y"], **given)
    agree(model([put], {"x": [2, 4, 9, 8], "z": [2, 3, 4]}, [whole("i", places)], opset=18))
    stored = [whole("i", places), tensor("z", np.tile(numbers(1, 3, 4), (2, 1, 1)))]
    agree(model([put], {"x": [2, 4, 9, 8]}, stored, opset=18))


def test_rows_at_coordinates():
    take = node("GatherND", ["x", "i"], ["y"])
    made = model([take], {"x": [3, 4, 5]}, [whole("i", [[[0, 1]], [[2, -1]]])])
    agree_as_one_image(made, {"x": numbers(3, 4, 5)})
    take = node("GatherND", ["x", "i"], ["y"], batch_dims=1)
    agree(model([take], {"x": [2, 4, 5]}, [whole("i", [[[0], [3], [3]]] * 2)]))
    put = node("ScatterND", ["x", "i", "z"], ["y"])
    made = model([put], {"x": [3, 4, 5], "z": [2, 4, 5]}, [whole("i", [[2], [0]])])
    agree_as_one_image(made, {"x": numbers(3, 4, 5), "z": numbers(2, 4, 5, seed=1)})


@pytest.mark.parametrize("axis", [1, -1, 2])
def test_numbers_of_classes(axis):
    nodes = [
        node("ArgMax", ["x"], ["c"], axis=1, keepdims=0),
        node("OneHot", ["c", "n", "v"], ["y"], axis=axis),
    ]
    found = agree(model(nodes, IMAGE, [whole("n", 4), tensor("v", [0.25, 3.0])]))
    assert found.model.graph.nodes[-1].op == "one_hot"


def test_one_number_of_a_class_per_image():
    nodes = [node("ArgMax", ["x"], ["c"], axis=1, keepdims=0), node("OneHot", ["c", "n", "v"], ["y"])]
    agree(model(nodes, {"x": ["N", 6]}, [whole("n", [6]), tensor("v", [0.0, 1.0])]))


def test_sequences_of_stored_lengths_are_turned_around():
    turn = node("ReverseSequence", ["x", "l"], ["y"], batch_axis=0, time_axis=1)
    agree(model([turn], {"x": [2, 6, 3]}, [whole("l", [4, 4])]))
    assert "differ between the images" in reason(model([turn], {"x": [2, 6, 3]}, [whole("l", [4, 2])]))
    turn = node("ReverseSequence", ["x", "l"], ["y"], batch_axis=1, time_axis=0)
    agree_as_one_image(model([turn], {"x": [6, 2, 3]}, [whole("l", [1, 5])]), {"x": numbers(6, 2, 3)})
    turn = node("ReverseSequence", ["x", "l"], ["y"], batch_axis=0, time_axis=1)
    agree_as_one_image(model([turn], {"x": [2, 6, 3]}, [whole("l", [6, 3])]), {"x": numbers(2, 6, 3)})


def test_remainders_with_the_sign_of_the_divisor():
    """Of fractions ONNX Runtime has no such remainder; numpy has."""
    rest = model([node("Mod", ["x", "z"], ["y"])], {"x": ["N", 50], "z": ["N", 50]})
    given = {"x": 9 * numbers(2, 50), "z": numbers(2, 50, seed=1)}
    found = imported(rest)
    assert layers(found) == ["mod"]
    np.testing.assert_allclose(runs(found, given)[0], np.mod(given["x"], given["z"]), rtol=1e-4, atol=1e-5)
    assert layers(agree(model([node("Mod", ["x", "w"], ["y"], fmod=1)], IMAGE, [random("w", 8)]))) == [
        "parameter",
        "fmod",
    ]
