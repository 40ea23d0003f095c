"""How each tool is asked about a text: the program, what is put behind the text, and how its answer is read."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import peer_tools
from faults.cases import ENDINGS
from faults.score import Answer
from machine import installed_version

BUILT = "the network is built"
_TAILS = {
    # The meta device computes sizes only: the nearest that torch has to a check.
    "torch": f"""
with torch.device("meta"):
    network = Net()
    print("{BUILT}")
    network(torch.empty(1, *IMAGE))
""",
}
_ONNX = """import sys, onnx, onnx.parser, onnx.checker, onnx.shape_inference
with open(sys.argv[1], encoding="utf-8") as file:
    model = onnx.parser.parse_model(file.read())
onnx.checker.check_model(model, full_check=True)
onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
"""
MOST_SECONDS = 120


def available() -> dict[str, str]:
    """Return the versions of the tools that can be asked, by name."""
    peers = peer_tools.available()
    ready = {"onnx": {"onnx"}, "nnef": {"nnef"}, "keras": {"keras", "torch"}, "torch": {"torch"}}
    found = {tool: peers[tool] for tool, needed in ready.items() if needed <= peers.keys()}
    return {"striate": installed_version("striate") or "unknown", **found}


def ask(tool: str, text: str, folder: Path, runs: int) -> Answer:
    """Write a text to a folder, ask a tool about it `runs` times, and return the answer with the median of seconds."""
    path = folder / f"faulty.{ENDINGS[tool]}"
    path.write_text(text + _TAILS.get(tool, ""), encoding="utf-8")
    environment = {**os.environ, "KERAS_BACKEND": "torch", "COLUMNS": "200", "TF_CPP_MIN_LOG_LEVEL": "3"}
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        done = subprocess.run(
            _command(tool, path),
            check=False,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=MOST_SECONDS,
        )
        seconds.append(time.perf_counter() - start)
    output = done.stdout + done.stderr
    return Answer(output.replace(f"{BUILT}\n", ""), done.returncode, median(seconds), BUILT in output)


def _command(tool: str, path: Path) -> list[str]:
    if tool == "striate":
        return [sys.executable, "-m", "striate", "check", path.name]
    if tool == "onnx":
        return [str(peer_tools.PYTHON), "-c", _ONNX, path.name]
    if tool == "nnef":
        return [str(peer_tools.PYTHON), "-m", "nnef.validate", path.name, "--shapes"]
    return [str(peer_tools.PYTHON), path.name]
