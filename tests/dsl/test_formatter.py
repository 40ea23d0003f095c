"""The canonical form, rule by rule: blanks, lines, comments, columns, and what becomes of lines that are too long."""

from __future__ import annotations

import textwrap
import time

import pytest

from striate_dsl.formatter import format_source
from striate_dsl.formatting.lines import WIDTH
from striate_dsl.source import Source
from tests.dsl.trees import zoo


def formatted(text: str) -> str:
    result = format_source(Source("test.cnn", text))
    assert result.text is not None, [found.message for found in result.diagnostics]
    again = format_source(Source("test.cnn", result.text))
    assert again.text == result.text
    return result.text


def body(text: str) -> str:
    """The canonical form of the lines of a model."""
    lines = formatted("model A {\n" + textwrap.dedent(text).strip("\n") + "\n}\n").split("\n")
    assert (lines[0], lines[-2:]) == ("model A {", ["}", ""])
    return textwrap.dedent("\n".join(lines[1:-2]))


@pytest.mark.parametrize("name", sorted(zoo()))
def test_the_networks_of_the_zoo_are_in_form(name):
    assert formatted(zoo()[name]) == zoo()[name]


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("conv( 64,3,stride=2 )->bn   ->relu", "conv(64, 3, stride = 2) -> bn -> relu"),
        ("conv (64)as e1", "conv(64) as e1"),
        ("split(2)as( a ,b)->relu", "split(2) as (a, b) -> relu"),
        ("x->vision . conv(8)", "x -> vision.conv(8)"),
        ("let a=-b*( c+d )//2", "let a = -b * (c + d) // 2"),
        ("let a=b- -c", "let a = b - -c"),
        ("let a=not(b)and c [ 0 ]<= -1", "let a = not (b) and c[0] <= -1"),
        ("let a=[ ] ", "let a = []"),
        ("let a=(1 ,)", "let a = (1,)"),
        ("let a=1 if b else(2)", "let a = 1 if b else (2)"),
        ("let a = 300k+1_000 + 1e-4 + 5M", "let a = 300k + 1_000 + 1e-4 + 5M"),
        ('assert params<26M,"a  \\" # {x}"', 'assert params < 26M, "a  \\" # {x}"'),
        (
            "input image:3x224xW where W%32==0{range=0 .. 1}",
            "input image: 3 x 224 x W where W % 32 == 0 { range = 0..1 }",
        ),
        ("repeat i in 0 .. n-1{relu}", "repeat i in 0..n - 1 { relu }"),
        ("for(a,b)in[(1,2)]{relu;bn}", "for (a, b) in [(1, 2)] { relu; bn }"),
        ("repeat (in.channels){ }", "repeat (in.channels) {}"),
        ("if in.width>1{a}else if b{c}else{d}", "if in.width > 1 { a } else if b { c } else { d }"),
        ("output a ,b", "output a, b"),
        ("head ssd( p3,in=4 )", "head ssd(p3, in = 4)"),
    ],
)
def test_blanks(written, canonical):
    assert body(written) == canonical


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        pytest.param("relu ; bn;", "relu\nbn", id="one statement per line"),
        pytest.param("relu\n\n\n\n  bn", "relu\n\nbn", id="one empty line at most"),
        pytest.param("\n\nadd {\n\na\n\n}\n\n", "add {\n  a\n}", id="no empty lines at the edges of a body"),
        pytest.param("add { a\nb }", "add {\n  a\n  b\n}", id="a body with a line break has lines of its own"),
        pytest.param("add { a; b; }", "add { a; b }", id="a body of one line stays"),
        pytest.param("add {\n}", "add {}", id="an empty body is closed at once"),
        pytest.param("a ->\n b\n\n-> c", "a\n  -> b\n  -> c", id="arrows begin lines"),
        pytest.param("add {\na\n}\n-> b\n-> c", "add {\n  a\n}\n-> b\n-> c", id="an arrow below a brace"),
        pytest.param("if a { b }\nelse{c}", "if a { b }\nelse { c }", id="else on its own line stays"),
        pytest.param("if a {\nb }\nelse{c}", "if a {\n  b\n} else { c }", id="else goes behind a brace"),
        pytest.param("if a { b } else\nif c { d }", "if a { b } else if c { d }", id="no break behind else"),
        pytest.param("let a = b if c\nelse d", "let a = b if c\n  else d", id="else of a choice"),
        pytest.param("conv(8,\n3)", "conv(8,\n     3)", id="arguments below each other"),
        pytest.param("conv(\n8,3)", "conv(\n  8, 3\n)", id="arguments on lines of their own"),
        pytest.param("conv(8,3\n)", "conv(8, 3)", id="a bracket does not stand alone"),
        pytest.param("conv(stride\n=\n2)", "conv(stride = 2)", id="no break around ="),
        pytest.param("conv(8\n,3)", "conv(8,\n     3)", id="commas end lines"),
        pytest.param("let a = (b\n+ c)", "let a = (b\n         + c)", id="operators in brackets"),
        pytest.param("output -> relu", "output -> relu", id="a value called like a statement"),
        pytest.param("output ->\nrelu", "output -> relu", id="and it keeps its arrow"),
    ],
)
def test_lines(written, canonical):
    assert body(written) == canonical


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        pytest.param("relu# a\t ", "relu  # a", id="two blanks before a trailing comment"),
        pytest.param("#a\n  #  b\nrelu", "#a\n#  b\nrelu", id="lines of their own"),
        pytest.param("relu; # a\nbn", "relu  # a\nbn", id="behind a semicolon"),
        pytest.param("add { # a\n\nb\n# c\n}", "add {  # a\n  b\n  # c\n}", id="in braces"),
        pytest.param("add { b } # a\n-> c", "add { b }  # a\n  -> c", id="behind a brace"),
        pytest.param("a # b\n\n# c\n\n\n# d", "a  # b\n\n# c\n\n# d", id="empty lines between comments"),
        pytest.param("a -> # b\nc", "a  # b\n  -> c", id="behind an arrow"),
        pytest.param("a # b\n-> # c\nd", "a  # b\n  # c\n  -> d", id="around an arrow"),
        pytest.param("output -> # b\nc", "output ->  # b\n  c", id="behind an arrow that stays"),
        pytest.param("conv(8 # a\n, 3)", "conv(8,  # a\n     3)", id="before a comma"),
        pytest.param("conv( # a\n8)", "conv(  # a\n  8\n)", id="behind a bracket"),
        pytest.param("conv(8 # a\n)", "conv(\n  8  # a\n)", id="before a closing bracket"),
        pytest.param("conv(-# a\n8)", "conv(-  # a\n     8)", id="behind a sign"),
        pytest.param("if a { b }\n# c\nelse { d }", "if a { b }\n# c\nelse { d }", id="before else"),
        pytest.param("a   # b\n    # c\nd", "a  # b\n   # c\nd", id="a comment that goes on below"),
        pytest.param("a    # b\nccc  # d", "a    # b\nccc  # d", id="aligned"),
        pytest.param("a       # b\nccc     # d", "a    # b\nccc  # d", id="aligned too far right"),
        pytest.param("a # b\nccc # d", "a  # b\nccc  # d", id="not aligned"),
        pytest.param("add {    # a\n  b      # c\n}", "add {  # a\n  b    # c\n}", id="aligned across bodies"),
    ],
)
def test_comments(written, canonical):
    assert body(written) == canonical


@pytest.mark.parametrize(
    "canonical",
    [
        "conv(6, 5)   -> tanh -> avgpool(2)\nconv(16, 5)  -> tanh -> avgpool(2)\nconv(120, 5) -> tanh",
        "Inception( 64,  96, 128)\nInception(128, 128, 192) -> maxpool(3)\nInception(192,  96, 208) as a4",
        "repeat 6  { a }\nTransition\nrepeat 12 { a }\nTransition\nrepeat 24 { a }",
        "input left:  1 x 28 x 28\ninput right: 1 x 28 x 28",
        "if a == b { c }\nelse      { d }",
        "conv(width, 3)   as e1 -> relu\nconv(2 * w, 3)   as e2 -> relu\nconv(width, 128) as e3",
        "for (w, n) in [(64,    1),\n               (1024, 12)] { relu }",
        "a   -> b\n# why\nccc -> d",
    ],
)
def test_what_is_aligned_stays_aligned(canonical):
    assert body(canonical) == canonical


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("conv(6, 5)     -> a\nconv(120, 5)   -> b", "conv(6, 5)   -> a\nconv(120, 5) -> b"),
        ("conv(6,5)   -> a\nconv(120,5) -> b", "conv(6, 5)   -> a\nconv(120, 5) -> b"),
        ("conv(6, 5)   -> a\n\nconv(120, 5) -> b", "conv(6, 5) -> a\n\nconv(120, 5) -> b"),
        ("conv(6, 5)    -> a\nconv(120, 5) -> b", "conv(6, 5) -> a\nconv(120, 5) -> b"),
        ("conv   (6)\nmaxpool(2)", "conv(6)\nmaxpool(2)"),
    ],
)
def test_columns_are_as_far_left_as_possible(written, canonical):
    assert body(written) == canonical


def test_definitions_are_set_off():
    text = (
        "language 1\nuse zoo\nblock A { a }\nblock B {\nb\n}\n# about C\nmodel C { c } # c\nmodel D=C\n\n\nmodel EE = C"
    )
    assert formatted(text) == (
        "language 1\nuse zoo\nblock A { a }\n\nblock B {\n  b\n}\n\n# about C\n"
        "model C { c }  # c\nmodel D = C\n\nmodel EE = C\n"
    )


def test_settings_keep_their_columns():
    text = "train A {\n  data   = digits()\n  epochs = 15\n  batch  = 64\n}\n"
    assert formatted(text) == text
    assert formatted("train A{lr=1;epochs=5}") == "train A { lr = 1; epochs = 5 }\n"


# -------------------------------------------------------------------------------------------- long lines


def test_a_line_of_the_full_width_stays():
    line = f"let {'a' * (WIDTH - 15)} = [1, 2]"
    assert len(line) + 2 == WIDTH
    assert body(line) == line
    assert body(line.replace("let ", "let b")).endswith(" = [\n  1, 2\n]")


def test_bodies_of_long_lines_are_opened_first():
    inner = "conv(64, 3, stride = 2, pad = half, bias = false) -> bn -> relu"
    assert body(f"repeat 3 {{ {inner}; {inner} }}") == f"repeat 3 {{\n  {inner}\n  {inner}\n}}"
    written = f"if a {{ {inner} }}\nelse {{ {inner}; {inner} }}"
    assert body(written) == f"if a {{ {inner} }}\nelse {{\n  {inner}\n  {inner}\n}}"


def test_long_flows_break_before_arrows():
    step = "conv(64, 3, stride = 2, pad = half)"
    assert body(" -> ".join([step] * 7)) == "\n".join(
        [f"{step} -> {step} -> {step}", f"  -> {step} -> {step} -> {step}", f"  -> {step}"]
    )


def test_long_lists_break_at_commas():
    items = ", ".join(["(128, 2)"] * 25)
    assert body(f"for (w, n) in [{items}] {{ relu }}") == (
        "for (w, n) in [\n  "
        + ", ".join(["(128, 2)"] * 11)
        + ",\n  "
        + ", ".join(["(128, 2)"] * 11)
        + ",\n  "
        + ", ".join(["(128, 2)"] * 3)
        + "\n] {\n  relu\n}"
    )


def test_the_message_of_a_contract_stays_behind_its_comma():
    """Outside brackets a line break would end the statement."""
    numbers = ", ".join(["1000000"] * 15)
    assert body(f'assert max({numbers}) < 5, "{"x" * 100}"').endswith(f'\n) < 5, "{"x" * 100}"')


def test_what_cannot_be_broken_stays_long():
    line = "let a = " + " + ".join(["very_long_name"] * 12)
    assert body(line) == line


def test_comments_do_not_count():
    line = f"relu  # {'x' * 200}"
    assert body(line) == line


# -------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("text", ["model A { conv(", "", "# only a comment\n", "modle A { a }", "model A { a ) }"])
def test_a_text_with_mistakes_has_no_form(text):
    result = format_source(Source("test.cnn", text))
    assert result.text is None
    assert result.diagnostics.has_errors


def test_line_ends_are_those_of_the_first_line():
    assert formatted("model A {\r\na # c\r\n}") == "model A {\r\n  a  # c\r\n}\r\n"
    assert formatted("model A {\na # c\r\n}") == "model A {\n  a  # c\n}\n"


def test_the_time_grows_with_the_text_and_no_faster():
    def seconds(layers: int) -> float:
        lines = "".join(f"conv({i},3,  pad=1)->bn -> relu # {i}\n" for i in range(layers))
        text = f"model A {{ {lines} let a=[{'(1,2),' * layers}] }}"
        start = time.process_time()
        formatted_once = format_source(Source("test.cnn", text)).text
        assert formatted_once is not None
        return time.process_time() - start

    short, long = min(seconds(300) for _ in range(3)), seconds(3000)
    assert long < 60 * short


@pytest.mark.slow
def test_sixty_thousand_lines():
    text = "model A {\n" + "  conv(64, 3,  pad=1) -> relu # c\n" * 60_000 + "}\n"
    start = time.process_time()
    assert format_source(Source("test.cnn", text)).text == (
        "model A {\n" + "  conv(64, 3, pad = 1) -> relu  # c\n" * 60_000 + "}\n"
    )
    assert time.process_time() - start < 60
