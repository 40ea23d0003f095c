"""Running the command line in this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from striate.cli import group
from striate.cli.boundary import run_guarded


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path, monkeypatch) -> Run:
    """Run `striate ARGUMENTS` in an empty folder and return exit code, output and errors; no traceback may appear."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> Outcome:
        code = run_guarded(group, [str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Outcome(code, captured.out, captured.err)

    return call


NET = """model Net(classes = 10) {
  input image: 3 x 8 x 8
  conv(4, 3) -> relu -> global_avgpool -> flatten -> dense(classes)
  output logits
}
"""


@pytest.fixture
def net(tmp_path):
    """A small file without mistakes."""
    path = tmp_path / "net.cnn"
    path.write_text(NET)
    return path
