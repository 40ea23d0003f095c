"""Check an ONNX file as thoroughly as onnx can: full check, then strict shape inference."""

import sys

import onnx
from onnx import shape_inference

model = onnx.load(sys.argv[1])
onnx.checker.check_model(model, full_check=True)
inferred = shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
assert len(inferred.graph.value_info) >= len(inferred.graph.node) - 1
print("fine,", len(model.graph.node), "nodes")
