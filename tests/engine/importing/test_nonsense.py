"""Nodes that mean nothing: each is refused with a reason, with a batch and without, and none ends in an error."""

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto

from striate.importer import import_model
from striate_dsl.diagnostics import DiagnosticError
from tests.engine.importing.written import model, node, random, tensor

IMAGE = {"x": ["N", 4, 9, 8]}
STEPS = {"x": ["N", 3, 4]}
TURN = node("Transpose", ["x"], ["t"], perm=[1, 0, 2])


def whole(name: str, values) -> TensorProto:
    return tensor(name, values, "int64")


NONSENSE = {
    "einsum int": ([node("Einsum", ["x"], ["y"], equation=5)], IMAGE, []),
    "einsum empty": ([node("Einsum", ["x"], ["y"], equation="")], IMAGE, []),
    "einsum dots": ([node("Einsum", ["x"], ["y"], equation="......->...")], IMAGE, []),
    "einsum long": ([node("Einsum", ["x"], ["y"], equation="abcde->a")], IMAGE, []),
    "einsum out twice": ([node("Einsum", ["x"], ["y"], equation="abcd->abb")], IMAGE, []),
    "einsum new": ([node("Einsum", ["x"], ["y"], equation="abcd->abz")], IMAGE, []),
    "topk none": ([node("TopK", ["x", "k"], ["y", "i"])], IMAGE, [whole("k", [0])]),
    "topk neg": ([node("TopK", ["x", "k"], ["y", "i"])], IMAGE, [whole("k", [-3])]),
    "gatherel missing": ([node("GatherElements", ["x"], ["y"])], IMAGE, []),
    "gnd empty": ([node("GatherND", ["x", "i"], ["y"], batch_dims=1)], IMAGE, [whole("i", np.zeros((1, 0)))]),
    "gnd 0d": ([node("GatherND", ["x", "i"], ["y"])], IMAGE, [whole("i", 3)]),
    "gnd far": ([node("GatherND", ["x", "i"], ["y"], batch_dims=1)], {"x": [1, 4]}, [whole("i", [[9]])]),
    "gnd deep": ([node("GatherND", ["x", "i"], ["y"], batch_dims=1)], {"x": [1, 4]}, [whole("i", [[1, 2, 3]])]),
    "snd 0d": ([node("ScatterND", ["x", "i", "x"], ["y"])], IMAGE, [whole("i", 3)]),
    "snd few": ([node("ScatterND", ["x", "i", "z"], ["y"])], {"x": [1, 4, 5], "z": [1, 2]}, [whole("i", [[[0, 1]]])]),
    "snd deep": (
        [node("ScatterND", ["x", "i", "z"], ["y"])],
        {"x": [1, 4], "z": [1, 2]},
        [whole("i", [[[0, 1, 2, 3]]])],
    ),
    "onehot neg": ([node("OneHot", ["x", "n", "v"], ["y"])], IMAGE, [whole("n", -4), tensor("v", [0, 1])]),
    "onehot axis": ([node("OneHot", ["x", "n", "v"], ["y"], axis=9)], IMAGE, [whole("n", 4), tensor("v", [0, 1])]),
    "rev 0d": ([node("ReverseSequence", ["x", "l"], ["y"], batch_axis=0, time_axis=1)], {"x": [2, 4]}, [whole("l", 3)]),
    "rev far": (
        [node("ReverseSequence", ["x", "l"], ["y"], batch_axis=0, time_axis=1)],
        {"x": [2, 4]},
        [whole("l", [9, 9])],
    ),
    "rev same": (
        [node("ReverseSequence", ["x", "l"], ["y"], batch_axis=0, time_axis=0)],
        {"x": [2, 4]},
        [whole("l", [1, 1])],
    ),
    "ccp neg": ([node("CenterCropPad", ["x", "s"], ["y"], axes=[2])], IMAGE, [whole("s", [-3])]),
    "ccp zero": ([node("CenterCropPad", ["x", "s"], ["y"], axes=[2])], IMAGE, [whole("s", [0])]),
    "ccp axes": ([node("CenterCropPad", ["x", "s"], ["y"], axes=[7])], IMAGE, [whole("s", [3])]),
    "pad all": ([node("Pad", ["x", "p"], ["y"])], IMAGE, [whole("p", [0, 0, -9, 0, 0, 0, -9, 0])]),
    "lstm none": ([node("LSTM", ["x"], ["y"])], STEPS, []),
    "lstm sizes": ([TURN, node("LSTM", ["t", "w", "r"], ["y"])], STEPS, [random("w", 1, 8, 4), random("r", 1, 8, 3)]),
    "lstm flat": ([TURN, node("LSTM", ["t", "w", "r"], ["y"])], STEPS, [random("w", 8), random("r", 8)]),
    "lstm dirs": (
        [TURN, node("LSTM", ["t", "w", "r", "b"], ["y"], direction="bidirectional")],
        STEPS,
        [random("w", 1, 8, 4), random("r", 1, 8, 2), random("b", 1, 16)],
    ),
    "lstm bias": (
        [TURN, node("LSTM", ["t", "w", "r", "b"], ["y"])],
        STEPS,
        [random("w", 1, 8, 4), random("r", 1, 8, 2), random("b", 1, 7)],
    ),
    "lstm way": (
        [TURN, node("LSTM", ["t", "w", "r"], ["y"], direction="sideways")],
        STEPS,
        [random("w", 1, 8, 4), random("r", 1, 8, 2)],
    ),
    "lstm act int": (
        [TURN, node("LSTM", ["t", "w", "r"], ["y"], activations=[1, 2])],
        STEPS,
        [random("w", 1, 8, 4), random("r", 1, 8, 2)],
    ),
    "unpool": ([node("MaxUnpool", ["x", "x"], ["y"], kernel_shape=[2, 2])], IMAGE, []),
    "unpool pads": (
        [
            node("MaxPool", ["x"], ["m", "i"], kernel_shape=[2, 2], strides=[2, 2]),
            node("MaxUnpool", ["m", "i"], ["y"], kernel_shape=[2, 2], strides=[2, 2], pads=[1]),
        ],
        IMAGE,
        [],
    ),
    "deform 1d": (
        [node("DeformConv", ["x", "w", "o"], ["y"])],
        {"x": ["N", 4, 9], "o": ["N", 4, 9]},
        [random("w", 3, 4, 2)],
    ),
    "deform none": ([node("DeformConv", ["x", "w"], ["y"])], IMAGE, [random("w", 3, 4, 2, 2)]),
    "deform o": ([node("DeformConv", ["x", "w", "o"], ["y"])], IMAGE, [random("w", 3, 4, 2, 2), random("o", 5)]),
    "perm str": ([node("Transpose", ["x"], ["y"], perm="abc")], IMAGE, []),
    "perm twice": ([node("Transpose", ["x"], ["y"], perm=[0, 0, 1, 2])], IMAGE, []),
    "matmul 0d": ([node("MatMul", ["x", "w"], ["y"])], IMAGE, [tensor("w", 3.0)]),
    "matmul none": ([node("MatMul", ["x", ""], ["y"])], IMAGE, []),
    "gemm none": ([node("Gemm", ["x", ""], ["y"])], {"x": ["N", 4]}, []),
    "gemm 1d": ([node("Gemm", ["x", "w"], ["y"])], {"x": ["N", 4]}, [random("w", 4)]),
    "unsq": ([node("Unsqueeze", ["x", "a"], ["y"])], IMAGE, [whole("a", [0, 0])]),
    "unsq far": ([node("Unsqueeze", ["x", "a"], ["y"])], IMAGE, [whole("a", [19])]),
    "slice zero": (
        [node("Slice", ["x", "s", "e", "a", "t"], ["y"])],
        IMAGE,
        [whole("s", [0]), whole("e", [4]), whole("a", [2]), whole("t", [0])],
    ),
    "cos expand": ([node("ConstantOfShape", ["s"], ["c"]), node("Add", ["x", "c"], ["y"])], IMAGE, [whole("s", [-1])]),
    "roi": (
        [node("RoiAlign", ["x", "r", "i"], ["y"], output_height=0)],
        {"x": [1, 4, 9, 8], "r": [3, 4]},
        [whole("i", [0, 0, 0])],
    ),
    "swiglu one": ([node("SwiGLU", ["x"], ["y"])], IMAGE, []),
    "mod none": ([node("Mod", ["x"], ["y"])], IMAGE, []),
    "reshape batch": ([node("Reshape", ["x", "s"], ["y"])], IMAGE, [whole("s", [-1, -1])]),
    "reshape zero": ([node("Reshape", ["x", "s"], ["y"])], {"x": [2, 4, 6]}, [whole("s", [0, 0, 0, 0, 0])]),
    "reshape no": ([node("Reshape", ["x", "s"], ["y"])], {"x": [2, 4, 6]}, [whole("s", [5, 5])]),
}


@pytest.mark.parametrize("name", NONSENSE)
@pytest.mark.parametrize("batched", [True, False])
def test_it_is_refused(name, batched):
    nodes, inputs, stored = NONSENSE[name]
    with pytest.raises(DiagnosticError) as caught:
        import_model(model(nodes, inputs, stored, opset=20), Path("net.onnx"), batched=batched)
    assert caught.value.diagnostics[0].code in ("E0611", "E0612")
