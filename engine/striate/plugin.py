"""What plugin authors import: the hook marker, the record types and the kinds of arguments.

Nothing here imports torch or onnx; a plugin's module that only declares records stays quick to load. What the functions
behind records are given and return is in `striate.factories`, and for data sets in `striate.data`.
"""

from striate.dims import Dim, ceil_div, format_dim
from striate.graph import Frame, Graph, Initializer, Node, Origin, TensorType, Value, Weight
from striate.host.loss_traits import LossExample
from striate.host.records import (
    AugmentationRecord,
    DataRecord,
    Factory,
    FileRecord,
    HeadRecord,
    InitializerRecord,
    LossRecord,
    MetricRecord,
    OptimizerRecord,
    RegularizerRecord,
    ScheduleRecord,
    TaskRecord,
)
from striate.host.spec import PluginContext, hookimpl
from striate.host.training_records import AverageRecord, EpochOutcome, WrapperRecord
from striate.host.weight_info import RegularizedWeight, WeightInfo
from striate.host.work_records import (
    BackendRecord,
    CommandRecord,
    ExplainerRecord,
    ExporterRecord,
    ImporterRecord,
    PassRecord,
)
from striate.ops.arguments import (
    Argument,
    ArgumentError,
    Choice,
    Flag,
    Integer,
    OneOf,
    Optional,
    Padding,
    Pair,
    PerAxis,
    Real,
)
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import InputDomain, OpRecord, Sample, TorchCall, WeightSpec, Window
from striate.ops.shape_arguments import AxisNames, NamedValue
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import Kept, Work, keeping, no_operations, per_entry

__all__ = [
    "Argument",
    "ArgumentError",
    "AugmentationRecord",
    "AverageRecord",
    "AxisNames",
    "BackendRecord",
    "Check",
    "Choice",
    "CommandRecord",
    "DataRecord",
    "Dim",
    "EpochOutcome",
    "ExplainerRecord",
    "ExporterRecord",
    "Factory",
    "FileRecord",
    "Flag",
    "Frame",
    "Graph",
    "HeadRecord",
    "ImporterRecord",
    "Initializer",
    "InitializerRecord",
    "InputDomain",
    "Integer",
    "Kept",
    "LayerError",
    "LossExample",
    "LossRecord",
    "MetricRecord",
    "NamedValue",
    "Node",
    "OneOf",
    "OnnxCall",
    "OnnxSink",
    "OpRecord",
    "OptimizerRecord",
    "Optional",
    "Origin",
    "Padding",
    "Pair",
    "PassRecord",
    "PerAxis",
    "PluginContext",
    "Problem",
    "Real",
    "RegularizedWeight",
    "RegularizerRecord",
    "Sample",
    "ScheduleRecord",
    "TaskRecord",
    "TensorType",
    "TorchCall",
    "Value",
    "Weight",
    "WeightInfo",
    "WeightSpec",
    "Window",
    "Work",
    "WrapperRecord",
    "ceil_div",
    "format_dim",
    "hookimpl",
    "keeping",
    "no_operations",
    "per_entry",
]
