"""Back ends: what runs a network instead of torch."""

from striate.plugin import BackendRecord, Factory

BACKENDS = (
    BackendRecord(
        "onnxruntime",
        "ONNX Runtime on the processor, given the network as an ONNX file in memory.",
        Factory("striate_plugins.backends.onnx_runtime:onnx_runtime"),
    ),
)
