"""`striate export --for …`: what a runtime takes of the file that was written; a warning, never a failure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from striate.exporting import ExportReport
    from striate.model import Model

TARGETS = ("onnxruntime", "openvino", "tensorrt", "coreml")
"""The runtimes that `--for` knows."""


def acceptance(model: Model, report: ExportReport, target: str) -> Iterator[str]:
    """Yield lines about what a runtime takes of an export: asked itself where it is at hand, else by its table.

    Raises:
        DiagnosticError: E0603 or E0637, the runtime that is to be asked is not installed; E0606, ONNX Runtime refuses
            the file.
    """
    if target == "onnxruntime":
        from striate.onnx.runtime import OnnxSession

        yield f"{OnnxSession(str(report.path)).name} loads it"
    elif target == "openvino":
        yield from _openvino(model, report)
    else:
        yield from _by_table(model, report.path, target)


def _by_table(model: Model, path: Path, target: str) -> Iterator[str]:
    import onnx

    from striate.importing.functions import written_out
    from striate.onnx.acceptance import RUNTIMES, not_taken

    runtime = RUNTIMES[target]
    document = onnx.load(path, load_external_data=False)
    found = not_taken(written_out(document), runtime)
    lowest, highest = runtime.opsets
    opset = next(item.version for item in document.opset_import if not item.domain)
    if not lowest <= opset <= highest:
        yield f"warning: {runtime.title} takes opset {lowest} to {highest}, not {opset}"
    if not found:
        yield f"{runtime.title} takes all its operators, says {runtime.source}"
        return
    layers = len({item.layer for item in found})
    yield (
        f"warning: {runtime.title} does not take {layers} layer{'s' if layers > 1 else ''}, says {runtime.source}: "
        f"{runtime.otherwise}"
    )
    nodes = model.graph.by_name
    for item in found:
        line = f", line {nodes[item.layer].origin.span.line}" if item.layer in nodes else ""
        yield f"  {item.layer}{line}: {item.op_type} {item.reason}"


def _openvino(model: Model, report: ExportReport) -> Iterator[str]:
    from striate.analysis.ends import NO_ENDS
    from striate.formats.comparison import first_line, tried
    from striate.formats.openvino import convert_file
    from striate.formats.subject import RefusedError
    from striate.onnx.comparison import Difference, compare
    from striate.onnx.runtime import OnnxSession
    from striate.onnx.trials import trials_for
    from striate.onnx.verify_ends import camera_trials

    try:
        converted = convert_file(report.path, {})
        session, worst = OnnxSession(str(report.path)), Difference(0.0, 0.0)
        for trial in camera_trials(trials_for(model.graph, model.domain), report.ends or NO_ENDS):
            found, expected = tried(converted.runner)(trial.inputs), session.run(trial.inputs)
            for name, values in expected.items():
                worst = worst.or_larger(compare(values, found[name]))
    except RefusedError as error:
        yield f"warning: OpenVINO does not take it: {first_line(error)}"
        return
    yield f"{converted.runtime} loads it, outputs differ from ONNX Runtime's by at most {worst}"
