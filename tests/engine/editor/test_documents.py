"""What is kept from version to version changes nothing: the findings are those of a fresh check, whatever was typed."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from striate.checking import check_source
from striate.editor.server.documents import SupersededError
from striate_dsl.diagnostics import Diagnostic, Severity
from striate_dsl.source import Source
from tests.engine.editor.desk import NET, ZOO, Desk

SMALL = [NET, (ZOO / "lenet5.cnn").read_text(), (ZOO / "siamese.cnn").read_text(), (ZOO / "unet.cnn").read_text()]
PIECES = [
    "(",
    ")",
    "{",
    "}",
    "\n",
    " ",
    "->",
    "conv(8, 3)",
    "relu",
    "x",
    "7",
    ",",
    "=",
    "in.channels",
    "#",
    '"',
    "as a",
    "\n}\n",
]


def told(findings: list[Diagnostic]) -> list[tuple]:
    return [(item.code, item.message, str(item.span), item.notes, item.help, len(item.fixes)) for item in findings]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.sampled_from(SMALL), data=st.data())
def test_after_any_edits_a_settled_check_is_a_fresh_one(tmp_path_factory, text, data):
    desk = Desk(tmp_path_factory.getbasetemp())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(text)))
        gone = data.draw(st.integers(0, 4))
        text = text[:at] + data.draw(st.sampled_from(["", *PIECES])) + text[at + gone :]
        quick = desk.write(text, "fuzzed.cnn")
        assert quick.analysis is not None
        fresh = check_source(Source(quick.source.name, text)).diagnostics
        errors = [item for item in fresh if item.severity is Severity.ERROR]
        assert told([item for item in quick.analysis.findings if item.severity is Severity.ERROR]) == told(errors)
    settled = desk.write(text, "fuzzed.cnn", settled=True)
    assert settled.analysis is not None
    assert told(settled.analysis.findings) == told(fresh)


def test_models_that_an_edit_does_not_reach_are_not_built_again(desk):
    two = (
        "block B(out) {{ conv(out, {k}) }}\nmodel A {{\n input x: 3 x 8 x 8\n B(4)\n output y\n}}\n"
        "model C {{\n input x: 3 x 8 x 8\n conv({c}, 1)\n output y\n}}\nmodel D = A()\n"
    )
    first = dict(desk.write(two.format(k=1, c=2)).builder.builds)
    document = desk.write("# moved\n" + two.format(k=1, c=3))
    second = dict(document.builder.builds)
    assert [name for name in first if first[name] is not second[name]] == ["C"]
    third = dict(desk.write("# moved\n" + two.format(k=3, c=3)).builder.builds)
    assert [name for name in second if second[name] is not third[name]] == ["A", "D"]


def test_a_definition_that_is_written_twice_is_told_though_nothing_is_built_again(desk):
    assert desk.findings(desk.write(NET)) == []
    document = desk.write(NET + "block Residual(out) { relu }\n")
    assert desk.findings(document) == [("E0309", "Residual")]


def test_lints_come_after_a_pause_and_stay_where_nothing_changed(desk):
    text = "model A {\n  input image: 3 x 32 x 32\n  conv(16, 3) -> bn -> relu\n  relu\n  output y\n}\n"
    assert desk.findings(desk.write(text)) == []
    settled = desk.write(text, settled=True)
    lints = desk.findings(settled)
    assert lints[0] == ("W0102", "conv(16, 3)")
    moved = desk.write("# a line above\n" + text)
    assert desk.findings(moved) == lints
    assert next(item.span.line for item in moved.analysis.findings) == 4
    touched = desk.write(text.replace("conv(16, 3)", "conv(17, 3)"))
    assert ("W0102", "conv(16, 3)") not in desk.findings(touched)
    broken = desk.write(text.replace("output y", "output"))
    assert all(code.startswith("E") for code, _ in desk.findings(broken))


def test_a_text_in_the_editor_wins_over_its_file(desk):
    (desk.folder / "blocks.cnn").write_text("block B(out) { conv(out, 1) }\n")
    user = 'use "blocks.cnn"\nmodel A {\n input x: 3 x 8 x 8\n B(4)\n output y\n}\n'
    document = desk.write(user)
    assert desk.findings(document) == []
    blocks = desk.write("block Renamed(out) { conv(out, 1) }\n", "blocks.cnn")
    assert desk.library.dependants(blocks) == [document]
    desk.library.check(document)
    assert [code for code, _ in desk.findings(document)] == ["E0301"]
    desk.library.drop(blocks.buffer.uri)
    desk.library.check(document)
    assert desk.findings(document) == []


def test_a_file_that_changes_on_the_disk_is_read_again(desk):
    path = desk.folder / "blocks.cnn"
    path.write_text("block B(out) { conv(out, 1) }\n")
    document = desk.write('use "blocks.cnn"\nmodel A {\n input x: 3 x 8 x 8\n B(4)\n output y\n}\n')
    path.write_text("block Other(out) { conv(out, 1) }  # longer\n")
    desk.library.check(document)
    assert [code for code, _ in desk.findings(document)] == ["E0301"]
    path.unlink()
    desk.library.check(document)
    assert [code for code, _ in desk.findings(document)] == ["E0131"]
    assert desk.library.dependants(desk.write("block B(out) { relu }\n", "blocks.cnn")) == [document]


def test_a_check_that_is_not_wanted_any_more_is_stopped(desk):
    document = desk.write("model A {\n input x: 3 x 8 x 8\n relu\n output y\n}\n")
    asked = []

    def is_current() -> bool:
        asked.append(True)
        return len(asked) < 5

    long = "model A {\n input x: 3 x 8 x 8\n repeat 150000 { relu }\n output y\n}\n"
    document.buffer.source = Source(document.source.name, long)
    with pytest.raises(SupersededError):
        desk.library.check(document, is_current=is_current)
    assert len(asked) == 5
    document = desk.write(NET)
    assert desk.findings(document) == []


def test_a_text_that_is_too_large_is_not_read(desk):
    document = desk.write("#" * (16 * 1024 * 1024 + 1))
    assert [code for code, _ in desk.findings(document)] == ["E0136"]


def test_many_versions_do_not_pile_up(desk):
    random.seed(0)
    for number in range(700):
        desk.write(f"# {number}\nblock B {{ relu }}\n")
    assert len(desk.library.texts._parsed) <= 300
    assert len(desk.library.documents) == 1


def test_a_workspace_of_many_folders_is_not_searched_without_end(desk, monkeypatch):
    from striate.editor.server import texts

    for number in range(30):
        (desk.folder / f"folder{number:02}" / "inner").mkdir(parents=True)
        (desk.folder / f"folder{number:02}" / "inner" / "net.cnn").write_text("block B { relu }\n")
    assert len(list(desk.library.texts.networks_below(desk.folder, 500))) == 30
    assert len(list(desk.library.texts.networks_below(desk.folder, 7))) == 7
    monkeypatch.setattr(texts, "MOST_FOLDERS", 41)
    assert len(list(desk.library.texts.networks_below(desk.folder, 500))) == 10


def test_the_models_of_a_file_share_their_limits_whichever_are_built_again(desk, monkeypatch):
    monkeypatch.setenv("STRIATE_MAX_LAYERS", "30")
    body = "{{\n input x: 3 x 8 x 8\n repeat {} {{ relu }}\n output y\n}}\n"
    for first, second in [(20, 20), (20, 5), (20, 20), (5, 20), (28, 1), (28, 3), (31, 1), (1, 1)]:
        text = f"model A {body.format(first)}model C {body.format(second)}"
        document = desk.write(text)
        fresh = check_source(Source(document.source.name, text)).diagnostics
        assert told(document.analysis.findings) == told([item for item in fresh if item.severity is Severity.ERROR])
        assert bool(document.analysis.findings) == (first + second > 30)


def test_a_limit_that_is_no_number_is_told(desk, monkeypatch):
    monkeypatch.setenv("STRIATE_MAX_LAYERS", "many")
    assert [code for code, _ in desk.findings(desk.write(NET))] == ["E0345"]
