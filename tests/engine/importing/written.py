"""ONNX models written by hand for the tests, and what the importer makes of them held against ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from striate.importer import Imported, import_model
from striate.lower.torch import Program, load_arrays
from striate.lower.torch.reference import ArrayReference
from striate.onnx.opsets import IR_VERSIONS

node = helper.make_node
Sizes = Sequence[int | str | None]


def tensor(name: str, values: Any, dtype: str = "float32") -> TensorProto:
    """Return a stored tensor."""
    return numpy_helper.from_array(np.asarray(values, dtype=dtype), name)


def random(name: str, *shape: int, seed: int = 1) -> TensorProto:
    """Return a stored tensor of random numbers."""
    return tensor(name, np.random.default_rng(seed).standard_normal(shape))


def model(
    nodes: Sequence[NodeProto],
    inputs: Mapping[str, Sizes],
    stored: Sequence[TensorProto] = (),
    outputs: Sequence[str] | None = None,
    opset: int = 17,
    name: str = "Net",
    kinds: Mapping[str, int] | None = None,
) -> ModelProto:
    """Return a model; its outputs are those of the last node unless others are named."""
    known = kinds or {}
    graph = helper.make_graph(
        list(nodes),
        name,
        [helper.make_tensor_value_info(key, known.get(key, TensorProto.FLOAT), sizes) for key, sizes in inputs.items()],
        [
            helper.make_tensor_value_info(key, known.get(key, TensorProto.FLOAT), None)
            for key in (outputs or nodes[-1].output[:1])
        ],
        list(stored),
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=IR_VERSIONS.get(opset, 7 if opset < 13 else 8)
    )


def imported(made: ModelProto, folder: Path = Path("nowhere")) -> Imported:
    """Import a model that is in no file."""
    return import_model(made, folder / "net.onnx")


def runs(found: Imported, inputs: Mapping[str, np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
    """Return the outputs of the imported network in torch."""
    built = found.model
    program = load_arrays(Program(built.graph, built.catalogue.lookup), found.weights)
    theirs = {ours: inputs[name] for ours, name in found.inputs.items()}
    made = ArrayReference(program).outputs(theirs)
    return [made[name] for name in found.outputs]


def expected(made: ModelProto, inputs: Mapping[str, np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
    """Return the outputs that ONNX Runtime gives."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    content = made.SerializeToString()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    results: list[np.ndarray[Any, Any]] = session.run(None, dict(inputs))
    return results


def agree(made: ModelProto, sizes: Mapping[str, int] | None = None, batch: int = 2, seed: int = 0) -> Imported:
    """Import a model and hold its numbers against ONNX Runtime on random input; returns what was imported."""
    generator = np.random.default_rng(seed)
    inputs = {}
    for item in made.graph.input:
        shape = [
            axis.dim_value or (batch if place == 0 else (sizes or {})[axis.dim_param])
            for place, axis in enumerate(item.type.tensor_type.shape.dim)
        ]
        inputs[item.name] = generator.standard_normal(shape).astype(np.float32)
    found = imported(made)
    for ours, theirs in zip(runs(found, inputs), expected(made, inputs), strict=True):
        assert ours.size == theirs.size
        np.testing.assert_allclose(ours.reshape(theirs.shape), theirs, rtol=2e-4, atol=2e-5)
    return found


def agree_as_one_image(made: ModelProto, inputs: Mapping[str, np.ndarray[Any, Any]]) -> Imported:
    """Import a model whose tensors have no batch axis and hold its numbers against ONNX Runtime; see `agree`."""
    found = import_model(made, Path("nowhere/net.onnx"), batched=False)
    ours = runs(found, {name: array[None] for name, array in inputs.items()})
    for mine, theirs in zip(ours, expected(made, inputs), strict=True):
        np.testing.assert_allclose(mine.reshape(theirs.shape), theirs, rtol=2e-4, atol=2e-5)
    return found


def layers(found: Imported) -> list[str]:
    """Return the layers of an imported network in order."""
    return [item.op for item in found.model.graph.nodes]
