"""What a training shows: one moving line on a terminal, few plain lines elsewhere."""

from __future__ import annotations

import contextlib
import io

import pytest
from rich.console import Console

from striate.train.fit import train
from striate.train.progress import MovingLine, PlainLines, console, progress_for
from striate.train.run_folder import RunFolder
from striate.train.subject import assemble
from striate_dsl.diagnostics import DiagnosticError
from tests.engine.train.networks import load_with_recipe


def trained(tmp_path, terminal: bool, **settings: str) -> str:
    stream = io.StringIO()
    screen = Console(file=stream, force_terminal=terminal, width=120, color_system=None, legacy_windows=False)
    written = {"train.data": "digits(limit = 50)", "train.batch": "64"}
    written |= {f"train.{key}": value for key, value in settings.items()}
    subject = assemble(*load_with_recipe(settings=written))
    with contextlib.suppress(DiagnosticError):
        train(subject, RunFolder(tmp_path), callbacks=(progress_for(screen),))
    return stream.getvalue()


def test_plain_lines(tmp_path):
    lines = trained(tmp_path, terminal=False).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("epoch 1/2  loss ")
    assert "validation: loss " in lines[1]
    assert lines[1].endswith(" %")


def test_there_are_never_many_plain_lines(tmp_path):
    lines = trained(tmp_path, terminal=False, epochs="50").splitlines()
    assert [int(line[6:8]) for line in lines] == [1, *range(3, 50, 3), 50]


def test_a_moving_line(tmp_path):
    shown = trained(tmp_path, terminal=True)
    assert "epoch 2/2" in shown
    assert "accuracy" in shown
    assert shown.count("\n") == 1, "the line is rewritten in place and left behind once"


def test_the_terminal_is_given_back_when_training_fails(tmp_path):
    shown = trained(tmp_path, terminal=True, optimizer="sgd(lr = 1e30)")
    assert "\x1b[?25l" in shown
    assert shown.rstrip().endswith("\x1b[?25h")


@pytest.mark.parametrize(
    ("terminal", "term", "kind"),
    [(True, "xterm", MovingLine), (True, "dumb", PlainLines), (False, "xterm", PlainLines)],
)
def test_the_display_suits_the_stream(monkeypatch, terminal, term, kind):
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("FORCE_COLOR", "1")  # colours may be forced, movement not
    stream = io.StringIO()
    stream.isatty = lambda: terminal  # type: ignore[method-assign]
    assert type(progress_for(console(stream))) is kind
