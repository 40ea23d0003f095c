"""The file formats that a network can be exported to, by the names that the command line knows them by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A file format: its name in sentences, the ending of its file, and the endings of the files beside that one."""

    title: str
    suffix: str
    beside: tuple[str, ...] = ()


KINDS: Mapping[str, Kind] = {
    "onnx": Kind("ONNX", ".onnx"),
    "torchscript": Kind("TorchScript", ".pt"),
    "pt2": Kind("torch.export", ".pt2"),
    "openvino": Kind("OpenVINO IR", ".xml", (".bin",)),
}
"""All formats by name; the first is the default."""
