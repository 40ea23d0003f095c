"""The network as an ONNX file, written from the graph without tracing, and its verification in ONNX Runtime.

Importing this package imports no onnx: `contract` and `opsets` serve the checks of a file too.
"""
