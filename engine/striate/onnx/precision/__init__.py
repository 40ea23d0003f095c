"""The ONNX file in other numbers than float32: float16 and bfloat16 (`narrowing`), int8 (`quantizing`).

`formats` is the table of them and imports nothing heavy; the rest rewrites a document that was written in float32.
"""
