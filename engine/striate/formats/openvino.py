"""OpenVINO's own format (IR): our ONNX file, converted and saved by OpenVINO in float32, and loaded back.

The runtime is asked for float32 arithmetic while it is compared: on its own it may take a lower precision that the
processor has units for.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from striate.formats.subject import Arrays, Converted, RefusedError, Subject
from striate.onnx.document import Colophon, build_document, serialize
from striate.onnx.ends import with_ends
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

FLOAT32 = {"INFERENCE_PRECISION_HINT": "f32"}
"""What makes OpenVINO compute in float32 on every processor."""


def convert(subject: Subject, entries: Mapping[str, str]) -> Converted:
    """Convert the network's ONNX file with OpenVINO, and load the result back.

    Raises:
        DiagnosticError: E0637, OpenVINO is not installed.
        RefusedError: OpenVINO cannot convert or load it.
    """
    colophon = Colophon("striate", entries.get("striate.version", ""), "", entries)
    document = build_document(subject.graph, subject.lookup, subject.arrays, subject.opset, colophon)
    return convert_content(serialize(with_ends(document, subject.ends)), entries)


def convert_content(content: bytes, entries: Mapping[str, str]) -> Converted:
    """Convert the content of an ONNX file; raises like `convert`."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "model.onnx")
        source.write_bytes(content)
        return convert_file(source, entries)


def convert_file(source: Path, entries: Mapping[str, str]) -> Converted:
    """Convert an ONNX file, whose weights may lie in a second file beside it; raises like `convert`."""
    tool = load_openvino()
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "model.xml")
        try:
            model = tool.convert_model(source)
            for name, text in entries.items():
                model.set_rt_info(text, name.split("."))
            tool.save_model(model, target, compress_to_fp16=False)
            compiled = tool.Core().compile_model(tool.Core().read_model(target), "CPU", FLOAT32)
        except Exception as error:
            raise RefusedError(_said(error)) from error
        files = {ending: target.with_suffix(ending).read_bytes() for ending in (".xml", ".bin")}
    return Converted(files, _runner(compiled), f"OpenVINO {tool.__version__.partition('-')[0]}")


def _said(error: Exception) -> str:
    """Return what OpenVINO says: the reasons that it lists, or all without the places in its source in front."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reasons = [line.removeprefix("-- ") for line in lines if line.startswith("-- ")]
    if reasons:
        return "\n".join(reasons)
    return "\n".join(line for line in lines if not line.startswith(("Check '", "Exception from "))) or str(error)


def load_openvino() -> ModuleType:
    """Import OpenVINO, without its reports on how it is used.

    Raises:
        DiagnosticError: E0637, it is not installed.
    """
    try:
        with _no_telemetry():
            import openvino  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise DiagnosticError(
            Diagnostic(
                "E0637",
                "OpenVINO is not installed, and it is what writes its own format",
                help="pip install 'striate[openvino]', or write ONNX, which OpenVINO reads too",
            )
        ) from error
    module: ModuleType = openvino
    return module


@contextmanager
def _no_telemetry() -> Iterator[None]:
    """Keep `openvino_telemetry` from being found: importing OpenVINO reports to its makers unless the user objected.

    OpenVINO then takes the empty stand-in that it has for those who do not install that package.
    """
    name = "openvino_telemetry"
    if name in sys.modules or "openvino" in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment] # Python's way of saying that it cannot be imported
    try:
        yield
    finally:
        del sys.modules[name]


def _runner(compiled: Any) -> Any:
    known = {name for port in compiled.inputs for name in port.get_names()}

    def run(inputs: Arrays) -> Arrays:
        request = compiled.create_infer_request()
        results = request.infer({name: values for name, values in inputs.items() if name in known})
        return {name: results[port].copy() for port in compiled.outputs for name in port.get_names()}

    return run
