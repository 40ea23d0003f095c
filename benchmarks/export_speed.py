"""Writing ResNet-50 and ResNet-152 as ONNX: `striate export` against both exporters of torch; seconds, peak memory."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
import peer_tools
from arguments import Choices, parse
from measure import Measured, compare, striate
from report import Report, start

RESNET = Path(__file__).resolve().parents[1] / "plugins" / "striate_plugins" / "zoo" / "resnet.cnn"
EXPORT_TORCH = peer_tools.PEERS / "export_torch.py"
DEPTHS = ("50", "152")


def run(choices: Choices) -> None:
    """Measure, print, and save if asked to."""
    report = start("export-speed", "Writing ResNets as ONNX, whole processes")
    for depth in DEPTHS[:1] if choices.quick else DEPTHS:
        _exports(report, choices, depth)
    report.finish(save=choices.save)


def _exports(report: Report, choices: Choices, depth: str) -> None:
    dynamo = _interpreter_with_onnxscript()
    export = striate("export", str(RESNET), "--model", f"ResNet{depth}")
    with TemporaryDirectory() as folder:
        files = {
            name: str(Path(folder) / f"{name}.onnx") for name in ("plain", "trace", "dynamo", "float16", "checked")
        }
        commands = [
            ("striate export --no-verify", [*export, "--no-verify", "-o", files["plain"]]),
            ("torch.onnx.export, trace", [sys.executable, str(EXPORT_TORCH), depth, "trace", files["trace"]]),
        ]
        if dynamo is not None:
            commands.append(
                ("torch.onnx.export, dynamo", [dynamo, str(EXPORT_TORCH), depth, "dynamo", files["dynamo"]])
            )
        commands.append(
            (
                "striate export --precision float16 --no-verify",
                [*export, "--precision", "float16", "--no-verify", "-o", files["float16"]],
            )
        )
        if not choices.quick:
            commands.append(("striate export, verified against torch", [*export, "-o", files["checked"]]))
        measured = compare(commands, choices.runs)
        counts = _weights_of(*(path for path in files.values() if Path(path).is_file()))
    report.add(
        f"ResNet-{depth}, seconds from start to end",
        [_row(each, measured[0]) for each in measured],
        f"All files hold the same network with an open batch axis; weights in them: {counts}. Every program makes its "
        "weights itself. torch runs or traces the network on two images, striate does not; torch folds batch norms "
        "where it can, striate only with --fold and in narrow numbers.",
        *([] if dynamo else peer_tools.missing_note({}, "onnxscript")),
    )


def _row(each: Measured, first: Measured) -> dict[str, object]:
    row = each.row()
    peak = float(str(row["peak_MB"]))
    return {
        **row,
        "times_striate": round(each.median / first.median, 2),
        "peak_times_striate": round(peak / float(str(first.row()["peak_MB"])), 2),
    }


def _weights_of(*paths: str) -> str:
    """Return how many weights each file holds, in millions, those that are constants of the graph left out."""
    counts = {}
    for path in paths:
        tensors = onnx.load(path).graph.initializer
        entries = sum(onnx.numpy_helper.to_array(tensor).size for tensor in tensors)
        counts[Path(path).stem] = f"{Path(path).stem} {entries / 1e6:.2f} M"
    return ", ".join(counts.values())


def _interpreter_with_onnxscript() -> str | None:
    """Return an interpreter with what torch's newer exporter needs, or None."""
    if importlib.util.find_spec("onnxscript") is not None:
        return sys.executable
    return str(peer_tools.PYTHON) if "onnxscript" in peer_tools.available() else None


if __name__ == "__main__":
    run(parse(__doc__ or ""))
