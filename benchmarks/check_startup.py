"""How long a check takes, process start included: ResNet-152 in striate and in the peers' checkers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import peer_tools
from arguments import Choices, parse
from equivalents import write_nnef, write_onnx
from measure import compare, striate
from report import Report, start

import striate as library

HERE = Path(__file__).resolve().parent
RESNET = HERE.parent / "plugins" / "striate_plugins" / "zoo" / "resnet.cnn"
CHECK_ONNX = peer_tools.PEERS / "check_onnx.py"
MODEL = "ResNet152"
LIMIT_S = 0.35
STAGES_LIMIT_S = 0.05


def run(choices: Choices) -> None:
    """Measure, print, and save if asked to."""
    report = start("check-startup", "Checking ResNet-152, process start included")
    _processes(report, choices)
    _stages(report, choices)
    report.finish(save=choices.save)


def _processes(report: Report, choices: Choices) -> None:
    found = peer_tools.available()
    graph = library.load(RESNET, model=MODEL).graph
    with TemporaryDirectory() as folder:
        onnx_file, nnef_file = Path(folder) / "resnet152.onnx", Path(folder) / "resnet152.nnef"
        write_onnx(graph, onnx_file)
        write_nnef(graph, nnef_file)
        python, peer = sys.executable, str(peer_tools.PYTHON)
        commands = [
            ("python -c pass", [python, "-c", "pass"]),
            (f"striate check --model {MODEL}", striate("check", str(RESNET), "--model", MODEL)),
            ("striate check, all six models of the file", striate("check", str(RESNET))),
            ("import onnx", [python, "-c", "import onnx"]),
            (
                "onnx: load, full check, strict inference",
                [python, str(CHECK_ONNX), str(onnx_file)],
            ),
        ]
        if "nnef" in found:
            commands.append(("nnef: validate --shapes", [peer, "-m", "nnef.validate", str(nnef_file), "--shapes"]))
        if not choices.quick:
            commands.append(("import torch", [python, "-c", "import torch"]))
        measured = compare(commands, choices.runs)
    verdict = "met" if measured[1].median < LIMIT_S else "missed"
    report.add(
        "Whole processes, seconds",
        [each.row() for each in measured],
        f"Goal: `striate check` below {LIMIT_S} s: {verdict} ({measured[1].median:.3f} s).",
        "The ONNX file and the NNEF text hold the same layers and no weights' values: benchmarks/equivalents.py.",
        *peer_tools.missing_note(found, "nnef"),
    )


def _stages(report: Report, choices: Choices) -> None:
    command = [sys.executable, str(HERE / "stages.py"), str(RESNET), MODEL]
    subprocess.run(command, capture_output=True, check=True)
    taken = []
    for _ in range(choices.runs):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        taken.append(json.loads(done.stdout))
    layers = taken[0].pop("layers")
    rows = [{"stage": stage, "median_ms": round(median(one[stage] for one in taken) * 1000, 2)} for stage in taken[0]]
    first = next(row["median_ms"] for row in rows if row["stage"] == "elaborate and infer, first") / 1000
    verdict = "met" if first < STAGES_LIMIT_S else "missed"
    report.add(
        f"Inside the process, {layers} layers",
        rows,
        f"Goal: elaboration and inference below {STAGES_LIMIT_S * 1000:.0f} ms: {verdict} ({first * 1000:.1f} ms).",
        "`first` is what a check does in a fresh process, `again` the same in the same process (as an editor does).",
    )


if __name__ == "__main__":
    run(parse(__doc__ or ""))
