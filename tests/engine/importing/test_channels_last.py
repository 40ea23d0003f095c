"""Files of Keras and TensorFlow: channels last, norms as arithmetic, names with slashes, padding and sizes by name."""

import numpy as np
import pytest

from striate.importer import Imported
from tests.engine.importing.written import agree, layers, model, node, random, tensor

IMAGE = {"x": ["unk__17", 9, 8, 4]}
FIRST, LAST = [0, 3, 1, 2], [0, 2, 3, 1]


def conv(given: str, made: str, weight: str, name: str, **attributes):
    """Return a convolution of an image with channels last, as exporters write it."""
    return [
        node("Transpose", [given], [f"{made}_first"], perm=FIRST),
        node("Conv", [f"{made}_first", weight], [f"{made}_conv"], name=name, **attributes),
        node("Transpose", [f"{made}_conv"], [made], perm=LAST),
    ]


def norm(given: str, made: str, count: int = 4):
    """Return a batch norm as arithmetic on channels that are last, and its numbers."""
    nodes = [
        node("Sub", [given, f"{made}_mean"], [f"{made}_a"]),
        node("Mul", [f"{made}_a", f"{made}_scale"], [f"{made}_b"]),
        node("Add", [f"{made}_b", f"{made}_offset"], [made]),
    ]
    return nodes, [
        random(f"{made}_{part}", count, seed=place) for place, part in enumerate(("mean", "scale", "offset"))
    ]


def turns(found: Imported) -> int:
    return sum(name in ("permute", "transpose") for name in layers(found))


def test_permutations_around_convolutions_cancel():
    nodes = [
        *conv("x", "a", "w1", "net/stem/Conv2D", auto_pad="SAME_UPPER", strides=[2, 2]),
        node("Relu", ["a"], ["b"], name="net/stem/Relu"),
        *conv("b", "c", "w2", "net/next/Conv2D", auto_pad="SAME_UPPER"),
        node("Sigmoid", ["c"], ["d"]),
        node("Mul", ["d", "b"], ["e"]),
        node("Concat", ["e", "b"], ["f"], axis=3),
        node("Transpose", ["f"], ["y"], perm=FIRST),
    ]
    stored = [random("w1", 4, 4, 3, 3), random("w2", 4, 4, 3, 3)]
    found = agree(model(nodes, IMAGE, stored))
    assert layers(found) == ["permute", "conv", "relu", "conv", "sigmoid", "mul", "concat"]
    assert "conv(4, 3, stride = 2, pad = (1, 1, 0, 1), bias = false)" in found.text
    assert "as net.next.Conv2D" in found.text


def test_norms_written_as_arithmetic_are_one_layer():
    nodes, stored = norm("a", "b")
    nodes = [
        *conv("x", "a", "w", "conv"),
        *nodes,
        node("Relu", ["b"], ["c"]),
        node("Transpose", ["c"], ["y"], perm=FIRST),
    ]
    found = agree(model(nodes, IMAGE, [*stored, random("w", 4, 4, 1, 1)]))
    assert layers(found) == ["permute", "conv", "bn", "relu"]
    assert {item.size for item in found.model.graph.weights.values() if item.name.startswith("bn")} == {4}


def test_norms_before_a_convolution_and_channels_first():
    part = {"m": [4, 1, 1], "s": [1, 4, 1, 1], "o": [4, 1, 1]}
    nodes = [
        node("Mul", ["s", "x"], ["a"]),
        node("Sub", ["a", "m"], ["b"]),
        node("Add", ["o", "b"], ["c"]),
        node("Conv", ["c", "w"], ["y"]),
    ]
    stored = [random(name, *sizes, seed=place) for place, (name, sizes) in enumerate(part.items())]
    found = agree(
        model(nodes, {"x": ["N", 4, "unk__1", "unk__2"]}, [*stored, random("w", 2, 4, 1, 1)]),
        {"unk__1": 5, "unk__2": 6},
    )
    assert layers(found) == ["bn", "conv"]
    assert "UNK__1 x UNK__2" in found.text


def test_one_factor_alone_stays_what_it_is():
    nodes = [node("Mul", ["x", "gamma"], ["y"])]
    found = agree(model(nodes, {"x": ["N", 4, 5, 6]}, [random("gamma", 4, 1, 1)]))
    assert layers(found)[-1] == "mul"


def test_a_value_between_the_parts_of_a_norm_that_is_used_keeps_them_apart():
    nodes, stored = norm("x", "b")
    nodes = [*nodes, node("Mul", ["b", "b_a"], ["y"])]
    found = agree(model(nodes, {"x": ["N", 9, 8, 4]}, stored))
    assert "sub" in layers(found)


@pytest.mark.parametrize("keep", [0, 1])
@pytest.mark.parametrize("operator", ["ReduceMean", "ReduceMax"])
def test_means_over_the_pixels(operator, keep):
    nodes = [
        *conv("x", "a", "w", "conv"),
        node("Relu", ["a"], ["b"]),
        node(operator, ["b"], ["y"], axes=[1, 2], keepdims=keep),
    ]
    found = agree(model(nodes, IMAGE, [random("w", 3, 4, 1, 1)]))
    assert turns(found) == 1 + keep


def test_a_value_that_is_used_both_ways_is_turned_once():
    nodes = [
        *conv("x", "a", "w", "conv"),
        node("Relu", ["a"], ["b"]),
        *conv("b", "c", "v", "again"),
        node("Reshape", ["b", "flat"], ["d"]),
        node("Reshape", ["c", "flat"], ["e"]),
        node("Add", ["d", "e"], ["f"]),
        node("Reshape", ["b", "flat"], ["g"]),
        node("Mul", ["f", "g"], ["y"]),
    ]
    stored = [random("w", 4, 4, 1, 1), random("v", 4, 4, 1, 1), tensor("flat", [-1, 288], "int64")]
    found = agree(model(nodes, IMAGE, stored))
    assert turns(found) == 3


def test_permutations_that_do_not_cancel_stay():
    first = node("Transpose", ["x"], ["a"], perm=FIRST)
    nodes = [first, node("Softmax", ["a"], ["b"], axis=3), node("Relu", ["b"], ["y"])]
    assert layers(agree(model(nodes, IMAGE))) == ["permute", "softmax", "relu"]
    nodes = [first, node("Transpose", ["a"], ["b"], perm=LAST), node("Relu", ["b"], ["y"])]
    assert layers(agree(model(nodes, IMAGE))) == ["relu"]


def test_stored_images_are_turned_with_what_they_meet():
    nodes = [
        *conv("x", "a", "w", "conv"),
        node("Add", ["a", "place"], ["b"]),
        *conv("b", "c", "v", "again"),
        node("Transpose", ["c"], ["y"], perm=FIRST),
    ]
    stored = [random("w", 4, 4, 1, 1), random("v", 4, 4, 1, 1), random("place", 9, 8, 4)]
    found = agree(model(nodes, IMAGE, stored))
    assert turns(found) == 1
    (place,) = [array for array in found.weights.values() if array.shape == (4, 9, 8)]
    assert np.isfinite(place).all()
