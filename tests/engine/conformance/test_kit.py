"""The conformance kit finds what is wrong, by the check that is meant to, and passes what is sound."""

from __future__ import annotations

import json

import pytest

from striate.conformance import Effort, Status, check_record, record_tests
from striate.conformance.check import COMMON
from striate.conformance.table import CHECKS
from striate.host.kinds import PLURALS
from striate.plugin import FileRecord
from tests.engine.conformance import wrong_layers, wrong_parts
from tests.engine.conformance.sound_layers import CONVOLUTION, TRACKED

EFFORT = Effort(draws=10)
SOUND = {record.name: record for record in (CONVOLUTION, TRACKED, *wrong_parts.SOUND.values())}
WRONG = {**wrong_layers.WRONG, **wrong_parts.WRONG}

FILE = """\
# A small network
model Small {
  input image: 3 x H x W
  conv(4, 3) -> relu
  global_avgpool -> flatten -> dense(3)
  output logits
}
"""
BROKEN_FILES = {
    "a file with a mistake": ("check", FILE.replace("conv(4, 3)", "conv(4, 3, strid = 2)")),
    "a model that fits no image": (
        "models",
        FILE.replace("3 x H x W", "3 x 8 x 8").replace("conv(4, 3)", "conv(4, 9)"),
    ),
    "a network that is not finite": ("runs", FILE.replace("-> relu", "-> relu -> linear(0) -> log")),
}


@pytest.fixture
def file_record(tmp_path, monkeypatch):
    """Make a record of a file with a text, in a package of its own."""

    def make(text: str) -> FileRecord:
        package = tmp_path / f"files_of_{tmp_path.name}"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "net.cnn").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        return FileRecord("files.small", "A small network for tests.", package.name, "net.cnn")

    return make


def failed(record) -> dict:
    return {item.check: item for item in check_record(record, EFFORT) if item.status is Status.FAILED}


@pytest.mark.parametrize("name", SOUND)
def test_sound_records_pass(name):
    outcomes = check_record(SOUND[name], EFFORT)
    assert not [str(item) for item in outcomes if item.status is Status.FAILED]
    assert sum(item.status is Status.PASSED for item in outcomes) > len(outcomes) / 2


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_record_is_found_by_the_check_that_is_meant_to(name):
    check, record = WRONG[name]
    found = failed(record)
    assert check in found, list(map(str, found.values()))
    assert found[check].message
    assert found[check].repair


@pytest.mark.parametrize("name", BROKEN_FILES)
def test_a_wrong_file_is_found(name, file_record):
    check, text = BROKEN_FILES[name]
    found = failed(file_record(text))
    assert check in found, list(map(str, found.values()))


def test_a_sound_file_passes(file_record):
    outcomes = check_record(file_record(FILE), EFFORT)
    assert [item.status for item in outcomes] == [Status.PASSED] * len(outcomes), list(map(str, outcomes))


def test_a_file_that_is_not_there():
    found = failed(FileRecord("files.none", "A network that is missing.", "striate", "none.cnn"))
    assert "there is no none.cnn in striate" in found["check"].message


def test_every_kind_has_checks_and_every_check_has_something_that_it_finds():
    assert set(PLURALS) == set(CHECKS)
    known = {check.name for checks in CHECKS.values() for check in checks}
    shown = {check for check, _ in WRONG.values()} | {check for check, _ in BROKEN_FILES.values()}
    assert known - shown == set()


def test_a_kind_without_checks_of_its_own_is_held_to_what_all_have_in_common():
    from striate.conformance.table import checks_of

    assert checks_of("hats") == COMMON


class TestExamples:
    """What fails is shown on a call that is as small as can be."""

    def test_a_shape_rule_wrong_by_one(self):
        found = failed(wrong_layers.WRONG["a shape rule wrong by one"][1])["shape-rule"]
        assert found.example == "each_conv(1, stride = 2) on 1 x 1 x 1"
        assert found.message.startswith("the rule says 1 x 1 x 2 x 1, torch gives 1 x 1 x 1 x 1")

    def test_an_argument_that_onnx_ignores(self):
        found = failed(wrong_layers.WRONG["a scale that ONNX ignores"][1])["onnx"]
        assert "scale = " in found.example
        assert "stride" not in found.example
        assert found.example.endswith("on 1 x 1 x 1")

    def test_a_condition_that_is_missing(self):
        found = failed(wrong_layers.WRONG["a shape rule without its condition"][1])["shape-rule"]
        assert "RuntimeError" in found.message or "torch gives" in found.message

    def test_a_composition_shows_its_network(self):
        found = failed(wrong_layers.WRONG["a name that is a word of the language"][1])["composition"]
        assert "model Net {" in found.example


def test_the_same_seed_tries_the_same():
    first, second = (check_record(CONVOLUTION, EFFORT, only=["shape-rule"])[0] for _ in range(2))
    assert first.message == second.message
    other = check_record(CONVOLUTION, Effort(seed=1, draws=10), only=["shape-rule"])[0]
    assert other.status is Status.PASSED


def test_a_check_that_does_not_end_is_a_failure():
    def rule(call):
        while True:
            pass

    from dataclasses import replace

    (outcome,) = check_record(replace(CONVOLUTION, torch=rule), Effort(draws=1, seconds=1), only=["batch"])
    assert outcome.status is Status.FAILED
    assert "did not end within 1 seconds" in outcome.message


def test_a_record_that_ends_the_program_is_a_failure():
    from dataclasses import replace

    def rule(call):
        raise SystemExit(3)

    (outcome,) = check_record(replace(CONVOLUTION, torch=rule), EFFORT, only=["batch"])
    assert outcome.status is Status.FAILED


def test_a_layer_without_an_onnx_form_says_so():
    from dataclasses import replace

    def rule(call, sink):
        raise NotImplementedError("ONNX has no such thing")

    (outcome,) = check_record(replace(CONVOLUTION, onnx=rule), EFFORT, only=["onnx"])
    assert outcome.status is Status.NOT_APPLICABLE
    assert "ONNX has no such thing" in outcome.message


def test_outcomes_are_plain_for_programs():
    from striate.conformance import ScoreCard

    card = ScoreCard("acme", "1.0", check_record(CONVOLUTION, EFFORT, only=["batch", "onnx"]))
    plain = json.loads(json.dumps(card.to_plain()))
    assert plain["counts"] == {"passed": 2, "failed": 0, "not applicable": 0}
    assert [item["check"] for item in plain["outcomes"]] == ["batch", "onnx"]


test_as_pytest_cases = record_tests([CONVOLUTION], effort=EFFORT)
"""What an author writes; here for a record that no plugin provides."""
