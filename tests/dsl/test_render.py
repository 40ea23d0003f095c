"""How findings look in a terminal, and what of them is plain data."""

from __future__ import annotations

import json
import re

import pytest

from striate_dsl.diagnostics import Diagnostic, Edit, Fix, Label, Severity
from striate_dsl.render import counts, render_text, to_json
from striate_dsl.source import Source, Span

BRANCHES = """block Down {
  add {
    conv(128, 3, stride = 2, pad = 1) -> bn -> relu        # 56 -> 28

    maxpool(3, stride = 2)                                  # 56 -> 27
  }
}
"""


def at(source: Source, part: str) -> Span:
    start = source.text.index(part)
    return Span(source, start, start + len(part))


def shown(found: Diagnostic, width: int = 80) -> str:
    """One finding without the final count."""
    return render_text([found], color=False, width=width).rsplit("\n\n", 1)[0]


def test_the_example_of_the_language_page():
    source = Source("resnet.cnn", "\n" * 9 + BRANCHES)
    found = Diagnostic(
        "E0203",
        "add: branch sizes differ in height: 28 and 27",
        at(source, "maxpool(3, stride = 2)"),
        "this branch gives 128 x 27 x 27, the other 128 x 28 x 28",
        labels=(Label(at(source, "stride = 2"), "one branch is halved here"),),
        notes=("in block Down, used at resnet.cnn:31:3",),
        help="with pad = 1 both branches give 28: maxpool(3, stride = 2, pad = 1)",
    )
    assert shown(found) == (
        """error[E0203]: add: branch sizes differ in height: 28 and 27
  --> resnet.cnn:14:5
   |
12 |     conv(128, 3, stride = 2, pad = 1) -> bn -> relu        # 56 -> 28
   |                  ---------- one branch is halved here
14 |     maxpool(3, stride = 2)                                  # 56 -> 27
   |     ^^^^^^^^^^^^^^^^^^^^^^ this branch gives 128 x 27 x 27, the other 128 x 28 x 28
   = in block Down, used at resnet.cnn:31:3
help: with pad = 1 both branches give 28: maxpool(3, stride = 2, pad = 1)"""
    )


def test_lines_in_order_with_a_gap():
    source = Source("a.cnn", BRANCHES)
    found = Diagnostic("E0301", "m", at(source, "maxpool"), labels=(Label(at(source, "Down"), "here"),))
    assert shown(found) == (
        """error[E0301]: m
 --> a.cnn:5:5
  |
1 | block Down {
  |       ---- here
...
5 |     maxpool(3, stride = 2)                                  # 56 -> 27
  |     ^^^^^^^"""
    )


def test_a_span_of_several_lines_is_marked_at_its_ends():
    source = Source("a.cnn", BRANCHES)
    start = source.text.index("add {")
    found = Diagnostic("W0101", "m", Span(source, start, source.text.index("  }\n") + 4), "all", Severity.WARNING)
    assert shown(found) == (
        """warning[W0101]: m
 --> a.cnn:2:3
  |
2 |   add {
  |   ^^^^^
...
6 |   }
  |   ^ all"""
    )


def test_several_marks_in_one_line():
    source = Source("a.cnn", "0 < b < c")
    found = Diagnostic("E0117", "m", Span(source, 6, 7), "second", labels=(Label(Span(source, 2, 3), "first"),))
    assert shown(found).splitlines()[3:] == ["1 | 0 < b < c", "  |   - first", "  |       ^ second"]


def test_labels_in_other_files_follow():
    source, other = Source("a.cnn", "use b\n"), Source("b.cnn", "\nblock B { }\n")
    found = Diagnostic("E0301", "m", at(source, "b"), "here", labels=(Label(at(other, "B"), "there"),))
    assert shown(found).splitlines() == [
        "error[E0301]: m",
        " --> a.cnn:1:5",
        "  |",
        "1 | use b",
        "  |     ^ here",
        " ::: b.cnn:2:7",
        "  |",
        "2 | block B { }",
        "  |       - there",
    ]


def test_a_finding_without_a_place():
    found = Diagnostic("E0131", "there is no file x", notes=("in . there are a.cnn",), help="did you\nmean a.cnn?")
    assert shown(found) == (
        "error[E0131]: there is no file x\n  = in . there are a.cnn\nhelp: did you\n      mean a.cnn?"
    )


@pytest.mark.parametrize(
    ("text", "quoted", "carets"),
    [
        ("\tx", "    x", "    ^"),
        ("a\tx", "a   x", "    ^"),
        ("abcd\tx", "abcd    x", "        ^"),
        ('"\u65e5\u672c" x', '"\u65e5\u672c" x', "       ^"),
        ("e\u0301 x", "e\u0301 x", "  ^"),
        ("\x1b[31m x", "\u241b[31m x", "      ^"),
        ("\0\x7f x", "\u2400\u2421 x", "   ^"),
        ("\u202e x", "<U+202E> x", "         ^"),
        ("\u00a0x", " x", " ^"),
        ("\x85\u200b x", "<U+0085><U+200B> x", "                 ^"),
    ],
)
def test_columns_of_what_is_not_one_column_wide(text, quoted, carets):
    source = Source("a.cnn", text)
    lines = shown(Diagnostic("E0101", "m", at(source, "x"))).splitlines()
    assert lines[3:] == ["1 | " + quoted, "  | " + carets]


def test_an_invisible_character_is_marked_in_full():
    source = Source("a.cnn", "a \u202e b")
    assert shown(Diagnostic("E0103", "m", Span(source, 2, 3))).splitlines()[4] == "  |   ^^^^^^^^"


def test_control_characters_in_messages_are_shown():
    text = shown(Diagnostic("E0101", "a\x1b[2Jb", notes=("\x07",), help="\u202e"))
    assert "\x1b" not in text
    assert "\u241b[2J" in text
    assert "\u2407" in text
    assert "<U+202E>" in text


@pytest.mark.parametrize("offset", [0, 50, 150, 290])
def test_long_lines_are_cut_around_the_place(offset):
    line = "".join(f"{number:03} " for number in range(75))
    source = Source("a.cnn", line)
    lines = shown(Diagnostic("E0101", "m", Span(source, offset, offset + 7)), width=60).splitlines()
    quoted, carets = lines[3][4:], lines[4][4:]
    assert len(lines[3]) <= 60
    start = carets.index("^")
    assert quoted[start : start + 7] == line[offset : offset + 7]
    assert carets.count("^") == 7
    assert quoted.startswith("\u2026") is (offset > 10)
    assert quoted.endswith("\u2026") is (offset < 290)


def test_a_very_long_line_is_cut_as_well():
    source = Source("a.cnn", "a " * 200_000 + "x " + "b " * 200_000)
    lines = shown(Diagnostic("E0101", "m", at(source, "x")), width=60).splitlines()
    assert len(lines[3]) <= 62
    assert lines[3][lines[4].index("^")] == "x"


def test_the_end_of_a_text_without_line_break():
    source = Source("a.cnn", "model A {")
    assert shown(Diagnostic("E0106", "m", Span(source, 9, 9), "here")).splitlines()[3:] == [
        "1 | model A {",
        "  |          ^ here",
    ]


@pytest.mark.parametrize(
    ("severities", "text"),
    [
        ("e", "1 error"),
        ("eew", "2 errors, 1 warning"),
        ("wwn", "2 warnings, 1 note"),
        ("", "no errors"),
    ],
)
def test_counts(severities, text):
    kinds = {"e": Severity.ERROR, "w": Severity.WARNING, "n": Severity.NOTE}
    items = [Diagnostic("X0001", "m", severity=kinds[letter]) for letter in severities]
    assert counts(items) == text
    assert render_text(items, color=False, width=80).endswith(f"\n\n{text}\n" if items else "")


def test_without_findings_nothing_is_shown():
    assert render_text([], color=True, width=80) == ""


def test_colours_change_nothing_but_colours():
    source = Source("a.cnn", BRANCHES)
    found = [
        Diagnostic("E0301", "m", at(source, "add"), "x", labels=(Label(at(source, "Down"), "y"),), help="h"),
        Diagnostic("W0101", "n", notes=("a note",), severity=Severity.WARNING),
    ]
    coloured = render_text(found, color=True, width=80)
    assert "\x1b[1;31merror[E0301]\x1b[0m" in coloured
    assert "\x1b[1;33mwarning[W0101]\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render_text(found, color=False, width=80)


def test_json_has_the_agreed_keys():
    source = Source("a.cnn", "conv(64 3)\n")
    fix = Fix("write a comma", (Edit(Span(source, 7, 7), ","),), "safe")
    found = Diagnostic(
        "E0108",
        "m",
        Span(source, 8, 9),
        "l",
        labels=(Label(Span(source, 4, 5), "t"),),
        notes=("n",),
        help="h",
        fixes=(fix,),
    )
    assert json.loads(json.dumps(to_json([found]))) == [
        {
            "code": "E0108",
            "severity": "error",
            "message": "m",
            "file": "a.cnn",
            "line": 1,
            "column": 9,
            "end_line": 1,
            "end_column": 10,
            "notes": ["n"],
            "help": "h",
            "fixes": [
                {
                    "title": "write a comma",
                    "grade": "safe",
                    "edits": [{"line": 1, "column": 8, "end_line": 1, "end_column": 8, "replacement": ","}],
                }
            ],
            "labels": [{"text": "t", "file": "a.cnn", "line": 1, "column": 5, "end_line": 1, "end_column": 6}],
        }
    ]


def test_json_of_a_finding_without_a_place():
    (plain,) = to_json([Diagnostic("E0131", "m")])
    assert [plain[key] for key in ("file", "line", "column", "end_line", "end_column", "help")] == [None] * 6
    assert plain["notes"] == plain["fixes"] == plain["labels"] == []
