"""Layers: what a record is, and the built-in ones. Nothing here imports torch, onnx or numpy until a rule is run."""

from striate.ops.arguments import (
    REQUIRED,
    Argument,
    ArgumentError,
    Choice,
    Flag,
    Integer,
    Kind,
    OneOf,
    Optional,
    Padding,
    Pair,
    PerAxis,
    Real,
    convert_all,
)
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import POINTWISE, OpRecord, Sample, TorchCall, WeightSpec, Window
from striate.ops.registry import BUILTIN
from striate.ops.targets import OnnxCall, OnnxSink

__all__ = [
    "BUILTIN",
    "POINTWISE",
    "REQUIRED",
    "Argument",
    "ArgumentError",
    "Check",
    "Choice",
    "Flag",
    "Integer",
    "Kind",
    "LayerError",
    "OneOf",
    "OnnxCall",
    "OnnxSink",
    "OpRecord",
    "Optional",
    "Padding",
    "Pair",
    "PerAxis",
    "Problem",
    "Real",
    "Sample",
    "TorchCall",
    "WeightSpec",
    "Window",
    "convert_all",
]
