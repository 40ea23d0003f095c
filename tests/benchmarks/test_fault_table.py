"""The table of faults: its texts differ from valid ones in the faults alone, and its rules are fair to every tool."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from striate.checking import check_source
from striate_dsl.source import Source

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch):
    """Import a script by name, as running it does: with its folder on the path."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(BENCHMARKS)):
            del sys.modules[name]


def test_every_text_is_made_and_marks_its_faults(load):
    cases = load("faults.cases")
    for case in cases.CASES:
        for tool in case.changes:
            text, places = case.text(tool)
            assert cases.MARK not in text
            assert len(places) == len(case.faults), (case.name, tool)


def test_striate_finds_the_marked_faults_and_nothing_else(load):
    for case in load("faults.cases").CASES:
        written = case.text("striate")
        if written is None:
            continue
        text, places = written
        found = check_source(Source("faulty.cnn", text)).diagnostics
        errors = [(item.span.line, item.span.column) for item in found if item.severity.value == "error" and item.span]
        assert errors == places, case.name


TRACEBACK = """Traceback (most recent call last):
  File "faulty.torch.py", line 3, in <module>
    y = layer(skp)
              ^^^
  File "/site-packages/torch/nn.py", line 7, in forward
    raise NameError(64, 32)
NameError: name 'skp' is not defined. Did you mean: 'skip'?
"""


def test_an_answer_is_scored_by_what_it_says(load):
    cases, rules = load("faults.cases"), load("faults.score")
    fault = cases.Fault(r"\bskp\b", (), r"Did you mean: 'skip'")
    case = cases.Case("X", "a name", "s", (fault,))
    text = "import torch\n\ny = layer(skp)\n"
    score = rules.score(case, rules.Answer(TRACEBACK, 1, 0.5), "faulty.torch.py", text, [(3, 11)])
    assert (score.detected, score.line, score.column, score.cause, score.repair) == ("yes",) * 5
    assert (score.both_values, score.all_at_once, score.lines, score.traceback) == ("-", "1 of 1", 7, "yes")
    elsewhere = rules.score(case, rules.Answer(TRACEBACK, 1, 0.5), "faulty.torch.py", "\n" * 6 + text, [(7, 1)])
    assert (elsewhere.line, elsewhere.column) == ("no", "no"), "line 7 is that of a frame in another file"
    late = rules.score(case, rules.Answer(TRACEBACK, 1, 0.5, built=True), "faulty.torch.py", text, [(3, 11)])
    assert (late.detected, late.before_running) == ("yes", "no")
    silent = rules.score(case, rules.Answer("skp, did you mean skip", 0, 0.5), "faulty.torch.py", text, [(3, 11)])
    assert (silent.detected, silent.cause, silent.all_at_once) == ("no", "no", "0 of 1")


@pytest.mark.parametrize("line", ["error in [6:10] x", "(line: 6 column: 10)", " --> faulty.cnn:6:10"])
def test_places_are_read_in_the_words_of_every_parser(load, line):
    cases, rules = load("faults.cases"), load("faults.score")
    case = cases.Case("X", "a name", "s", (cases.Fault("x|:|e"),))
    score = rules.score(case, rules.Answer(line, 1, 0.1), "faulty.cnn", "\n" * 9, [(6, 10)])
    assert (score.line, score.column) == ("yes", "yes")
