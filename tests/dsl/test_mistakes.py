"""What is said about faulty texts: code, place and repair of every known mistake, and nothing else.

`@` in a case marks where the finding begins; it is taken out before the text is parsed.
"""

from __future__ import annotations

import pytest

from tests.dsl.trees import complaints, repaired

BODY = {
    # brackets
    "F06 bracket before an arrow": ("conv@(3, pad = 1 -> relu\n  b", "E0106"),
    "F06 bracket before a line": ("conv@(3, pad = 1\n  relu -> c", "E0106"),
    "bracket before the end of the body": ("conv@(3, pad = 1", "E0106"),
    "bracket behind a comma": ("conv@(3,\n  relu -> c", "E0106"),
    "bracket of a list": ("let a = @[1, 2\n  b", "E0106"),
    "inner bracket": ("conv(@[1, 2)", "E0106"),
    "two brackets at one place": ("f(g@(3 -> a", "E0106"),
    "wrong bracket": ("conv(3, 4@]", "E0106"),
    "bracket too many": ("conv(3)@)", "E0106"),
    "call that is not opened": ("conv 64, 3@) -> a", "E0106"),
    "arguments without brackets": ("conv @64, 3 -> a", "E0106"),
    "condition": ("if @(a == 1 { b }", "E0106"),
    "braces as a value": ("f(@{a: 1})", "E0106"),
    "brace of a branch": ("add @{ a\n  b", "E0106"),
    # separators
    "comma between arguments": ("conv(64 @3)", "E0108"),
    "comma across lines": ("conv(64,\n    3\n    @4)", "E0108"),
    "comma in a list": ("let a = [1 @2]", "E0108"),
    "arrow between steps": ("conv(3) @bn", "E0108"),
    "comma between statements": ("a@, b", "E0108"),
    "comma at the end": ("a@,\n  b", "E0108"),
    "names without brackets": ("a as b@, c -> d", "E0108"),
    "comma between outputs": ("output a @b", "E0108"),
    "statements on one line": ("let a = 1 @let b = 2", "E0108"),
    # = == :
    "assignment in a condition": ("if a @= 1 { b }", "E0109"),
    "comparison in let": ("let a @== 3", "E0109"),
    "colon in an argument": ("conv(8, pad@: 1)", "E0109"),
    "= in a loop": ("for a @= 0..3 { b }", "E0109"),
    "= in repeat": ("repeat a @= 0..3 { b }", "E0109"),
    "several variables": ("for a@, b in c { d }", "E0109"),
    "dotted argument": ("f(a.b @= 3)", "E0109"),
    "setting in a body": ("a.b @= 3", "E0109"),
    # bodies
    "colon before a body": ("if a@: { b }", "E0110"),
    "colon of Python": ("if a@:\n    b", "E0110"),
    "brace on the next line": ("repeat 3@\n  {\n    a\n  }", "E0110"),
    "body without braces": ("repeat 3 @conv(3)", "E0110"),
    "no body": ("repeat 3@", "E0110"),
    # arrows
    "two arrows": ("a -> @-> -> b", "E0111"),
    "arrow to nothing": ("a @->", "E0111"),
    "arrow from nothing": ("@-> a", "E0111"),
    "arrow to a statement": ("a -> @if b { c }", "E0111"),
    "arrow from a statement": ("if b { c } @-> a", "E0111"),
    "arrow from an input": ("input a: 3 x 4 @-> b", "E0111"),
    "arrow in let": ("let a = b(1) @-> c", "E0111"),
    "arrow to a number": ("a -> @3", "E0111"),
    "arrow in an argument": ("add(a @-> b, c)", "E0111"),
    "greater than": ("conv(3) @> relu", "E0111"),
    "dot": ("conv(3)@.relu", "E0111"),
    "arrow with a blank": ("a @- > b", "E0111"),
    # names
    "as without a name": ("a as@", "E0112"),
    "reserved name": ("a as @in", "E0112"),
    "number as a name": ("a as @3", "E0112"),
    "two names": ("a as b @as c", "E0112"),
    "let without a name": ("let @= 3", "E0112"),
    "output without a name": ("output@", "E0112"),
    "output with a comma at the end": ("output a,@", "E0112"),
    # places
    "block in a body": ("@block A { b }", "E0113"),
    "model in a body": ("@model A", "E0113"),
    "use in a body": ("@use a.b", "E0113"),
    "else alone": ("@else { a }", "E0113"),
    # values
    "value after a comma": ("conv(a, @, b)", "E0114"),
    "value of an argument": ("conv(a = @)", "E0114"),
    "value at the end of a line": ("let a = 1 +@\n  2", "E0114"),
    "value of let": ("let a =@", "E0114"),
    "let without a value": ("let a@", "E0114"),
    "empty brackets": ("let a = (@)", "E0114"),
    "reserved value": ("conv(@for)", "E0114"),
    "loop without values": ("for a @{ b }", "E0114"),
    "message of an assert": ("assert a, @3", "E0114"),
    # other languages
    "elif": ("if a { b } @elif c { d }", "E0115"),
    "elif alone": ("@elif c { d }", "E0115"),
    "True": ("conv(@True)", "E0115"),
    "None": ("conv(a = @None)", "E0115"),
    "power": ("conv(a @** 2)", "E0115"),
    "double arrow": ("a @=> b", "E0115"),
    "long arrow": ("a @--> b", "E0115"),
    "pipe": ("a @|> b", "E0115"),
    "and": ("let a = b @&& c", "E0115"),
    "and without blanks": ("let a = b@&&c", "E0115"),
    "not equal": ("let a = b @<> c", "E0115"),
    "augmented": ("a @+= 3", "E0115"),
    "comment of C": ("a @// comment", "E0115"),
    "comment line of C": ("@// comment", "E0115"),
    "block comment": ("@/* a\n  b */\n  c", "E0115"),
    "block comment in a line": ("a @/* b */ -> c", "E0115"),
    "assignment of a layer": ("a @= conv(3)", "E0115"),
    "assignment of a number": ("a @= 3", "E0115"),
    "return": ("@return a", "E0115"),
    "import": ("@import torch", "E0115"),
    "then": ("if a @then { b }", "E0115"),
    "dots": ("for a in 0@...3 { b }", "E0115"),
    # texts and numbers
    "open text": ('f(@"abc)', "E0104"),
    "single quotes": ("f(@'abc')", "E0104"),
    "curly quotes": ("f(@\u201cabc\u201d)", "E0104"),
    "unknown escape": ('let a = "a@\\qb"', "E0104"),
    "word behind a number": ("conv(@3abc)", "E0105"),
    "kernel": ("conv(8, @3x3)", "E0105"),
    "oblong kernel": ("conv(8, @3x5)", "E0105"),
    "suffix": ("assert params < @5m", "E0105"),
    "too large": ("let a = @99999999999999999999", "E0105"),
    "too large a float": ("let a = @1e999", "E0105"),
    # characters
    "unknown sign": ("conv(3) @$", "E0102"),
    "unknown signs": ("@$$$", "E0102"),
    "NUL": ("a @\0-> b", "E0102"),
    "backslash": ("a @\\\n  -> b", "E0102"),
    "accents": ("gr\u00f6\u00dfe", "E0102"),
    "Cyrillic letter": ("@\u0441onv(3)", "E0103"),
    "full-width bracket": ("conv@\uff083)", "E0103"),
    "arrow of a word processor": ("a @\u2192 b", "E0103"),
    "dash": ("let a = b @\u2013 c", "E0103"),
    "no-break space": ("a@\u00a0-> b", "E0103"),
    "right-to-left override": ("a @\u202e -> b", "E0103"),
    "zero-width space": ("a@\u200b -> b", "E0103"),
    # inputs
    "commas between sizes": ("input a: 3@, 4, 5", "E0116"),
    "sizes in brackets": ("input a: @(3, 4)", "E0116"),
    "multiplication sign": ("input a: 3 @\u00d7 4", "E0103"),
    "input without colon": ("input a @3 x 4", "E0116"),
    "input without a name": ("input @3 x 4", "E0116"),
    "input without sizes": ("input a@", "E0116"),
    # the rest
    "chained comparison": ("let a = 0 < b @< c", "E0117"),
    "chained range": ("let a = 0..1@..2", "E0117"),
    "sum in a flow": ("a @+ b -> c", "E0101"),
    "number at the start": ("@3 -> a", "E0101"),
    "text at the start": ('@"a"', "E0101"),
}
FILE = {
    "empty": ("@", "E0118"),
    "comments only": ("@# nothing\n\n# here\n", "E0118"),
    "flow at the top": ("@conv(3) -> a", "E0113"),
    "input at the top": ("@input a: 3", "E0113"),
    "function of Python": ("@def f(x):", "E0115"),
    "language later": ("model A { a }\n@language 1", "E0113"),
    "language 2": ("language @2\nmodel A { a }", "E0119"),
    "brace at the end": ("model A @{\n  a\n", "E0106"),
    "brace in the middle": ("model A {\n  repeat 3 @{\n    a\n  output b\n}\ntrain A { b = 1 }", "E0106"),
    "brace before a definition": ("model A @{\n  a\n\nmodel B {\n  b\n}", "E0106"),
    "brace too many": ("model A { a }\n@}", "E0106"),
    "head without brace": ("model A {\n  repeat 3@\n    a\n  }\n  output b\n}", "E0110"),
    "brace below": ("model A@\n{\n  a\n}", "E0110"),
    "model without a name": ("model @{ a }", "E0112"),
    "number as a parameter": ("model A(@3) { a }", "E0112"),
    "parameters in [ ]": ("block A@[b] { c }", "E0101"),
    "default without a value": ("model A(b = @) { a }", "E0114"),
    "comma between parameters": ("block A(a @b) { c }", "E0108"),
    "two definitions on a line": ("block A { a } @block B { b }", "E0108"),
    "text behind a definition": ("block A { a } @b", "E0113"),
    "profile without a name": ("profile @{ a = 1 }", "E0112"),
    "variant without a base": ("model A =@", "E0112"),
    "open file name": ('use @"blocks.cnn', "E0104"),
    "use of several": ("use a@, b", "E0108"),
    "version without comparison": ("requires a @1.0", "E0101"),
    "version with an arrow": ("requires a @=> 1.0", "E0115"),
    "colon in settings": ("train A { lr@: 0.1 }", "E0109"),
    "colon in settings, no blank": ("train A { lr@:0.1 }", "E0109"),
    "setting without =": ("train A { lr @0.1 }", "E0109"),
    "setting without value": ("train A { lr@ }", "E0114"),
    "comma between settings": ("train A { a = 1@, b = 2 }", "E0108"),
    "comma behind a setting": ("train A {\n  a = 1@,\n  b = 2\n}", "E0108"),
    "two settings": ("train A { a = 1 @b = 2 }", "E0108"),
    "arrow in a setting": ("train A { a = b @-> c }", "E0111"),
    "braces in a setting": ("train A { a = @{ b = 1 } }", "E0114"),
    "number as a setting": ("train A { @3 }", "E0101"),
}
CASES = {name: (f"model M {{\n  {text}\n}}\n", code) for name, (text, code) in BODY.items()} | FILE


def split(case: str) -> tuple[str, int | None]:
    """The text of a case and the marked offset."""
    before, mark, after = case.partition("@")
    return before + after, len(before) if mark else None


@pytest.mark.parametrize("name", CASES)
def test_one_finding_at_its_place(name):
    text, offset = split(CASES[name][0])
    (found,) = complaints(text)
    assert found.code == CASES[name][1]
    assert found.span.start == (offset if offset is not None else found.span.start)
    assert found.message


@pytest.mark.parametrize("name", CASES)
def test_every_fix_repairs_what_was_found(name):
    text, _ = split(CASES[name][0])
    (found,) = complaints(text)
    for fix in found.fixes:
        left = complaints(repaired(text, fix))
        assert not left, (fix.title, repaired(text, fix), left[0].message)


WITHOUT_FIX = """
braces as a value; dotted argument; setting in a body; no body; arrow in let; arrow to a number
arrow in an argument; as without a name; number as a name; two names; let without a name; output without a name
block in a body; model in a body; use in a body; else alone; value of an argument; value of let; let without a value
empty brackets; reserved value; loop without values; message of an assert; None; power; augmented; return; import
word behind a number; too large; too large a float; backslash
accents; input without sizes; chained range; number at the start; text at the start
empty; comments only; flow at the top; input at the top; function of Python; language later; model without a name
number as a parameter; parameters in [ ]; default without a value; text behind a definition; profile without a name
variant without a base; use of several; setting without value; arrow in a setting; braces in a setting
number as a setting
"""


def test_the_mistakes_without_a_computed_fix_are_those_that_cannot_have_one():
    without = {name for name, (text, _) in CASES.items() if not complaints(split(text)[0])[0].fixes}
    assert without == {name.strip() for name in WITHOUT_FIX.replace("\n", ";").split(";")} - {""}


def test_columns_and_lines_count_from_one():
    (found,) = complaints("model M {\n  conv(64 3)\n}")
    assert (found.span.line, found.span.column, found.span.end_line, found.span.end_column) == (2, 11, 2, 12)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model M { \u0441onv(3) }", "U+0441 CYRILLIC SMALL LETTER ES"),
        ("model M { a \u202e }", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("model M { a \0 }", "is this a text file?"),
    ],
)
def test_characters_are_named(text, said):
    assert complaints(text)[0].label == said


def test_very_long_words_are_not_repeated_in_full():
    (found,) = complaints("model M { conv(3 " + "9" * 5000 + "x) }")[:1]
    assert len(found.message) < 120
