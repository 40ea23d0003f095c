"""The demonstration: what a newcomer runs first."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.packaging
def test_the_demonstration_reaches_98_percent_and_verifies_the_export(repository, tmp_path):
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", str(repository / "examples/digits.sh"), str(tmp_path / "demo")],
        check=False,
        capture_output=True,
        text=True,
        timeout=500,
        env=environment,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    accuracy, checkpoint, report, network, verified = done.stdout.splitlines()[-5:]
    percent = re.match(r"accuracy    (\d+\.\d\d) % on the test split \(\d+ of 359 wrong\)", accuracy)
    assert percent is not None
    assert float(percent[1]) >= 98
    for line, word, name in [
        (checkpoint, "checkpoint", "best.safetensors"),
        (report, "report", "report.html"),
        (network, "network", "lenet5.onnx"),
    ]:
        assert line.split(maxsplit=1) == [word, str(tmp_path / "demo" / name)]
        assert (tmp_path / "demo" / name).is_file()
    difference = re.match(r"verified    ONNX Runtime .* gives the same classes .* by at most (\S+)", verified)
    assert difference is not None
    assert float(difference[1]) < 1e-4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo"]


def test_the_network_is_the_one_of_the_language_page(repository):
    text = (repository / "examples/lenet5.cnn").read_text(encoding="utf-8")
    for line in (
        "data      = digits()",
        "optimizer = sgd(lr = 0.05, momentum = 0.9)",
        "schedule  = cosine(warmup = 1)",
    ):
        assert line in text
    assert re.search(r"^  seed +=", text, re.MULTILINE)
