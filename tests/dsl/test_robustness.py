"""What holds for every text, however broken: no exception, findings inside the text, trees whose spans nest."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from striate_dsl.layout import DEFINITION_WORDS, STATEMENT_WORDS
from striate_dsl.lexer import FOREIGN_WORDS, RESERVED, SIGNS, tokenize
from striate_dsl.limits import FINDINGS
from striate_dsl.parser import ParseResult, parse
from striate_dsl.render import render_text, to_json
from striate_dsl.source import Source
from striate_dsl.syntax import Call, File, Group
from striate_dsl.tables import tables
from tests.dsl.trees import children, preorder, repaired, tree, zoo

WORDS = [*DEFINITION_WORDS, *STATEMENT_WORDS, *RESERVED, *FOREIGN_WORDS, "where", "x", "conv", "relu", "H", "W"]
LITERALS = ["1", "0.5", "5M", "3x224", "3x3", "9e999", '"text"', "'text'", '"open']
ODD_SIGNS = ["//", "/*", "=>", "&&", "@", "$", "!", "\0", "\u0441", "\u202e", "\u00a0"]
PIECES = [*SIGNS, *WORDS, *LITERALS, *ODD_SIGNS, " ", "  ", "\n", "\n", "\n  ", "# c\n", "\t", "\r\n"]
TERMINALS = {symbol for row in tables().states for symbol in row if symbol.isupper()} - {"X"}

soups = st.lists(st.sampled_from(PIECES), max_size=60).flatmap(
    lambda pieces: st.sampled_from(["", " "]).map(lambda blank: blank.join(pieces))
)


@st.composite
def mutations(draw) -> str:
    """A network of the zoo with some pieces taken out, doubled, moved or replaced."""
    text = draw(st.sampled_from(sorted(zoo().values())))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 30)))
        inserted = draw(st.sampled_from(["", text[start:end] * 2, *PIECES]))
        text = text[:start] + inserted + text[end:]
    return text


def check(text: str) -> ParseResult:
    """Parse a text and check what must hold in any case."""
    result = parse(Source("any.cnn", text))
    findings = list(result.diagnostics)
    assert (result.file is None) == bool(findings)
    assert len(findings) <= FINDINGS.default
    for found in findings:
        assert found.span is not None
        assert 0 <= found.span.start <= found.span.end <= len(text)
        for edit in (edit for fix in found.fixes for edit in fix.edits):
            assert 0 <= edit.span.start <= edit.span.end <= len(text)
        said = " ".join([found.message, found.label, found.help or "", *(label.text for label in found.labels)])
        said = re.sub(r"U\+[0-9A-F]{4,} [-A-Z0-9 ]+", "", said)  # the names that Unicode gives to characters
        assert not (TERMINALS & set(re.findall(r"\w+", said)) - set(re.findall(r"\w+", text)))
    starts = [found.span.start for found in findings if found.span]
    assert starts == sorted(starts)
    for node in filter(None, (result.file, result.partial)):
        check_nesting(node)
    return result


def check_nesting(file: File) -> None:
    """Every node lies in its parent (the name behind `as` lies behind its step), and siblings follow each other."""
    for node in preorder(file):
        end = node.span.start
        for child in children(node):
            assert node.span.start <= child.span.start <= child.span.end
            behind = isinstance(node, Call | Group) and child in (node.alias, node.several)
            assert behind or child.span.end <= node.span.end
            assert end <= child.span.start or isinstance(node, Call | Group) or child.span == node.span
            end = child.span.end


@given(soups)
@example("(" * 300)
@example("\ufeff")
@example("model A {" * 300)
@example("model A { a\n; -> ;b }")
@example("train A { -> }")
@settings(max_examples=300)
def test_soups_of_tokens(text):
    check(text)


@given(mutations())
@settings(max_examples=200)
def test_mutated_networks(text):
    check(text)


@given(st.text(max_size=80))
@settings(max_examples=100)
def test_any_text(text):
    check(text)


@given(mutations(), st.integers(1, 140))
@settings(max_examples=50)
def test_findings_can_always_be_shown(text, width):
    findings = list(parse(Source("any.cnn", text)).diagnostics)
    shown = render_text(findings, color=False, width=width)
    assert shown.count("error[") >= len(findings)
    assert len(to_json(findings)) == len(findings)


@given(mutations())
@settings(max_examples=100)
def test_safe_fixes_leave_fewer_findings_of_that_place(text):
    """A safe fix removes its finding, or one of several in a row (`,,,`); what it uncovers may be another."""
    for found in parse(Source("any.cnn", text)).diagnostics:
        for fix in (fix for fix in found.fixes if fix.grade == "safe"):
            mended = repaired(text, fix)
            after = parse(Source("any.cnn", mended)).diagnostics
            same = [other for other in after if other.message == found.message and other.span.start == found.span.start]
            assert not same or len(after) < len(parse(Source("any.cnn", text)).diagnostics) or len(mended) < len(text)


@given(st.sampled_from(sorted(zoo())), st.data())
@settings(max_examples=50)
def test_blanks_and_comments_do_not_change_a_tree(name, data):
    text = zoo()[name]
    tokens, _ = tokenize(text)
    for token in sorted(data.draw(st.lists(st.sampled_from(tokens), max_size=8, unique=True)), key=lambda t: -t.start):
        blank = data.draw(st.sampled_from(["  ", "\t", " # note\n" if token.kind == "NEWLINE" else " "]))
        text = text[: token.start] + blank + text[token.start :]
    kinds = [type(node) for node in preorder(tree(zoo()[name]))]
    assert [type(node) for node in preorder(tree(text))] == kinds


@given(st.text(max_size=60))
def test_every_character_is_in_a_token_or_blank_or_comment(text):
    tokens, _ = tokenize(text)
    position = 0
    for token in tokens:
        gap = text[position : token.start]
        assert re.fullmatch(r"[ \t\r]*(#[^\n]*)?", gap), gap
        assert text[token.start : token.end] == token.text
        position = token.end
    assert position == len(text)


# -------------------------------------------------------------------------------------------- work


def calls(action: Callable[[], object]) -> int:
    """How many functions an action calls: a measure of work that no other process disturbs."""
    count = 0

    def seen(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        action()
    finally:
        sys.setprofile(before)
    return count


LINE = "  conv(64, 3, pad = 1) -> bn -> relu\n"
GROWING = {
    "sound": ("model M {\n", LINE, "}\n"),
    "bracket at the start": ("model M {\n  a(3 -> b\n", LINE, "}\n"),
    "brace at the start": ("model M {\n  repeat 3 {\n", LINE, "}\n"),
    "list over lines": ("model M {\n  let a = [\n", "    1, 2,\n", "  ]\n}\n"),
    "open list over lines": ("model M {\n  let a = [\n", "    1, 2,\n", "}\n"),
    "long line": ("model M {\n a", " -> b", "\n}\n"),
    "errors": ("model M {\n", "  a b\n", "}\n"),
    "unknown signs": ("model M {\n", "$ ", "}\n"),
    "open texts": ("", '"\n', ""),
    "open brackets": ("", "(", ""),
    "open calls": ("", "f(3\n", ""),
    "braces too many": ("", "}\n", ""),
    "heads without braces": ("", "repeat 3\n", "}\n"),
}


@pytest.mark.parametrize("name", GROWING)
def test_work_grows_no_faster_than_the_text(name):
    head, line, tail = GROWING[name]

    def work(lines: int) -> int:
        source = Source("large.cnn", head + line * lines + tail)
        return calls(lambda: parse(source))

    work(10)
    assert work(1600) <= 2.2 * work(800) + 2000


@pytest.mark.parametrize(
    "text",
    [
        "let a = " + "(" * 5000 + "1" + ")" * 5000,
        "let a = " + "[" * 5000 + "]" * 5000,
        "let a = " + "-" * 5000 + "1",
        "let a = " + "not " * 5000 + "b",
        "let a = " + "1 + " * 5000 + "1",
        "let a = " + "b if c else " * 5000 + "d",
        "let a = b" + ".c" * 5000,
        "let a = b" + "()" * 5000,
        "let a = " + "f(" * 5000 + ")" * 5000,
        "a { " * 5000 + "}" * 5000,
        "if a { } " + "else if a { } " * 5000,
        "let a = " + "(" * 5000,
        "a { " * 5000,
    ],
    ids=lambda text: text[:20],
)
def test_deep_nesting_is_one_finding(text):
    findings = list(parse(Source("deep.cnn", f"model M {{ {text} }}")).diagnostics)
    assert [found.code for found in findings if found.code != "E0106"] == ["E0107"]


@pytest.mark.parametrize("text", ["(" * 190 + "1" + ")" * 190, "1 + " * 190 + "1", "[" * 190 + "]" * 190])
def test_less_deep_nesting_is_none(text):
    assert len(list(preorder(tree(f"model M {{ let a = {text} }}")))) > 4
