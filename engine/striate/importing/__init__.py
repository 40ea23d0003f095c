"""ONNX files read back as networks: reading, folding of constants, conversion node by node, names, text."""
