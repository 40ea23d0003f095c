"""The batch as another axis than the first, and as one with others, held against ONNX Runtime."""

from collections import Counter

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, TensorProto, shape_inference

from striate_dsl.diagnostics import DiagnosticError
from tests.engine.importing.written import agree, expected, imported, layers, model, node, random, runs, tensor

TOKENS = {"x": ["N", 6, 8]}
TURN = node("Transpose", ["x"], ["t"], perm=[1, 0, 2])
BACK = node("Transpose", ["r"], ["y"], perm=[1, 0, 2])


def reason(made: ModelProto) -> str:
    with pytest.raises(DiagnosticError) as caught:
        imported(made)
    return caught.value.diagnostics[0].notes[0]


def whole(name: str, values) -> TensorProto:
    return tensor(name, values, "int64")


INSIDE = {
    "a product": (node("MatMul", ["t", "w"], ["r"]), [random("w", 8, 8)]),
    "a row that is added": (node("Add", ["t", "w"], ["r"]), [random("w", 8)]),
    "a column that is added": (node("Add", ["t", "w"], ["r"]), [random("w", 6, 1, 8)]),
    "a norm": (node("LayerNormalization", ["t", "w"], ["r"], axis=-1), [random("w", 8)]),
    "shares of steps": (node("Softmax", ["t"], ["r"], axis=0), []),
    "a part of the steps": (
        node("Slice", ["t", "s", "e", "a"], ["r"]),
        [whole("s", [1]), whole("e", [4]), whole("a", [0])],
    ),
    "a mean of the features": (
        node("ReduceMean", ["t", "a"], ["r"], noop_with_empty_axes=0),
        [whole("a", [2])],
    ),
}

ACROSS = {
    "shares of images": (node("Softmax", ["t"], ["r"], axis=1), []),
    "a part of the images": (
        node("Slice", ["t", "s", "e", "a"], ["r"]),
        [whole("s", [1]), whole("e", [2]), whole("a", [1])],
    ),
    "a norm": (node("LayerNormalization", ["t", "w"], ["r"], axis=0), [random("w", 8)]),
    "a mean": (node("ReduceMean", ["t"], ["r"], axes=[1]), []),
    "a mean of everything": (node("ReduceMean", ["t"], ["r"]), []),
    "other numbers for each image": (node("Add", ["t", "w"], ["r"]), [random("w", 1, 3, 8)]),
    "a window": (node("AveragePool", ["t"], ["r"], kernel_shape=[2]), []),
    "columns of all images": (node("Gemm", ["u", "w"], ["r"]), [random("w", 3, 8)]),
    "rows of all images": (node("Gemm", ["v", "w"], ["r"], transA=1), [random("w", 18, 8)]),
    "one image": (node("Gather", ["t", "p"], ["r"], axis=1), [whole("p", 0)]),
}


@pytest.mark.parametrize("name", INSIDE)
def test_steps_come_first(name):
    inner, stored = INSIDE[name]
    agree(model([TURN, inner, BACK], TOKENS, stored, opset=18))


@pytest.mark.parametrize("name", ACROSS)
def test_images_do_not_meet(name):
    inner, stored = ACROSS[name]
    flat = [node("Reshape", ["x", "f"], ["u0"]), node("Transpose", ["u0"], ["u"], perm=[1, 0])]
    rows = [node("Reshape", ["x", "g"], ["v"])]
    nodes = [TURN, *flat, *rows, inner, node("Relu", ["r"], ["y"])]
    assert "batch" in reason(model(nodes, {"x": [3, 6, 8]}, [*stored, whole("f", [3, 48]), whole("g", [18, 8])]))


def test_images_are_not_multiplied_with_each_other():
    """The last two axes of the product are the batch and the features."""
    nodes = [
        TURN,
        node("Transpose", ["t"], ["u"], perm=[0, 2, 1]),
        node("MatMul", ["t", "u"], ["r"]),
        node("Relu", ["r"], ["y"]),
    ]
    assert "batch" in reason(model(nodes, TOKENS))


def test_an_output_has_the_batch_in_front():
    assert "the batch is not its first axis" in reason(model([node("Transpose", ["x"], ["y"], perm=[1, 0, 2])], TOKENS))


def test_rows_of_all_steps_in_one_product():
    """As attention of torch ends: steps and images are one axis, the images running faster."""
    nodes = [
        TURN,
        node("Reshape", ["t", "rows"], ["flat"]),
        node("Gemm", ["flat", "w", "b"], ["g"], transB=1),
        node("Reshape", ["g", "steps"], ["r"]),
        BACK,
    ]
    stored = [whole("rows", [-1, 8]), whole("steps", [6, -1, 5]), random("w", 5, 8), random("b", 5)]
    for inputs in (TOKENS, {"x": [3, 6, 8]}, {"x": [1, 6, 8]}):
        found = agree(model(nodes, inputs, stored), batch=3)
        assert layers(found) == ["parameter", "matmul", "parameter", "broadcast", "add"]


def test_heads_are_one_axis_with_the_batch():
    nodes = [
        TURN,
        node("Reshape", ["t", "heads"], ["h"]),
        node("Transpose", ["h"], ["q"], perm=[1, 0, 2]),
        node("Transpose", ["h"], ["k"], perm=[1, 2, 0]),
        node("MatMul", ["q", "k"], ["s"]),
        node("Softmax", ["s"], ["p"], axis=-1),
        node("MatMul", ["p", "q"], ["o"]),
        node("Transpose", ["o"], ["c"], perm=[1, 0, 2]),
        node("Reshape", ["c", "joined"], ["r"]),
        BACK,
    ]
    stored = [whole("heads", [6, -1, 4]), whole("joined", [6, -1, 8])]
    for inputs in (TOKENS, {"x": [3, 6, 8]}, {"x": [1, 6, 8]}):
        agree(model(nodes, inputs, stored), batch=3)


# ------------------------------------------------------------------------------------------------ at random


def drawn(seed: int) -> ModelProto:
    """Return a chain of nodes that move the axes of 2 images, put axes together and take them apart, and compute."""
    draw = np.random.default_rng(seed)
    sizes = [2, 3, 4, 2]
    nodes: list[NodeProto] = []
    stored: list[TensorProto] = []

    def add(operator: str, *more: str, **attributes: object) -> None:
        name = f"v{len(nodes)}"
        nodes.append(node(operator, [nodes[-1].output[0] if nodes else "x", *more], [name], **attributes))

    for step in range(int(draw.integers(2, 7))):
        kind = draw.choice(["turn", "join", "part", "softmax", "product", "add", "pick", "norm", "new", "mean"])
        axis = int(draw.integers(len(sizes)))
        if kind == "turn":
            order = [int(each) for each in draw.permutation(len(sizes))]
            sizes = [sizes[each] for each in order]
            add("Transpose", perm=order)
        elif kind == "join" and axis + 1 < len(sizes):
            sizes = [*sizes[:axis], sizes[axis] * sizes[axis + 1], *sizes[axis + 2 :]]
            stored.append(whole(f"s{step}", sizes))
            add("Reshape", f"s{step}")
        elif kind == "part" and sizes[axis] % 2 == 0 and sizes[axis] > 2:
            sizes = [*sizes[:axis], 2, sizes[axis] // 2, *sizes[axis + 1 :]]
            stored.append(whole(f"s{step}", sizes))
            add("Reshape", f"s{step}")
        elif kind == "softmax":
            add("Softmax", axis=axis)
        elif kind == "product" and len(sizes) > 1:
            stored.append(random(f"w{step}", sizes[-1], sizes[-1], seed=step))
            add("MatMul", f"w{step}")
        elif kind == "add":
            shape = [int(draw.choice([1, size])) for size in sizes]
            stored.append(random(f"w{step}", *shape, seed=step))
            add("Add", f"w{step}")
        elif kind == "pick" and len(sizes) > 2:
            stored.append(whole(f"p{step}", int(draw.integers(sizes[axis]))))
            sizes = [*sizes[:axis], *sizes[axis + 1 :]]
            add("Gather", f"p{step}", axis=axis)
        elif kind == "norm":
            stored.append(random(f"w{step}", *sizes[axis:], seed=step))
            add("LayerNormalization", f"w{step}", axis=axis)
        elif kind == "mean" and len(sizes) > 1:
            keep = int(draw.integers(2))
            sizes = [*sizes[:axis], *[1] * keep, *sizes[axis + 1 :]]
            add("ReduceMean", axes=[axis], keepdims=keep)
        elif kind == "new" and len(sizes) < 5:
            stored.append(whole(f"s{step}", [axis]))
            sizes = [*sizes[:axis], 1, *sizes[axis:]]
            add("Unsqueeze", f"s{step}")
    add("Identity")
    return model(nodes, {"x": [2, 3, 4, 2]}, stored)


def test_chains_at_random_are_read_rightly_or_not_at_all():
    """The batch has the size of another axis, so that taking one for the other would pass unnoticed but for values."""
    came: Counter[bool] = Counter()
    given = {"x": np.random.default_rng(0).standard_normal((2, 3, 4, 2)).astype(np.float32)}
    for seed in range(400):
        made = drawn(seed)
        shape_inference.infer_shapes(made, strict_mode=True)
        try:
            found = imported(made)
        except DiagnosticError:
            came[False] += 1
            continue
        came[True] += 1
        (theirs,), (ours,) = expected(made, given), runs(found, given)
        assert ours.size == theirs.size, seed
        np.testing.assert_allclose(ours.reshape(theirs.shape), theirs, rtol=1e-3, atol=1e-4, err_msg=f"seed {seed}")
    assert came[True] > 60
