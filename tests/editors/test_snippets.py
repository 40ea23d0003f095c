"""Every snippet is legal text in canonical form as it is inserted, and the units of networks among them work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from striate.checking import check_source
from striate_dsl.diagnostics import Severity
from striate_dsl.formatter import format_source
from striate_dsl.layout import DEFINITION_WORDS, STATEMENT_WORDS
from striate_dsl.lexer import RESERVED
from striate_dsl.parser import parse
from striate_dsl.source import Source
from tests.editors.snippet_text import written

FILE = Path(__file__).resolve().parents[2] / "dsl" / "editors" / "vscode" / "snippets" / "cnn.json"
SNIPPETS = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
NET = """model Net(width = 16) {
  input image: 1 x 8 x 8
  conv(width, 3) -> relu -> flatten -> dense(10)
  output logits
}
"""
USES = {
    "block": "Unit(8)",
    "block of conv and bn": "ConvBN(8, 3) -> ConvBN(8, 3, stride = 2, act = identity)",
    "residual block": "Basic(16) -> Basic(32, stride = 2)",
    "bottleneck block": "Bottleneck(16) -> Bottleneck(16, stride = 2)",
    "inverted residual block": "InvertedResidual(16) -> InvertedResidual(16) -> InvertedResidual(24, stride = 2)",
    "dense block": "DenseBlock(3) -> DenseBlock(2, rate = 12)",
    "inception block": "Inception(8, 4, 8, 2, 4, 4)",
    "squeeze and excite": "SqueezeExcite(16, reduction = 4)",
    "up block": "conv(16, 1) as skip -> maxpool(2) -> Up(8, skip)",
}
"""How the blocks among them are used."""
ELSEWHERE = {"use a file", "use a plugin's file", "requires", "language"}
"""What speaks of other files: it is parsed only."""
RECIPE = "train Net {\n  data = digits\n  loss = cross_entropy\n  optimizer = adam\n  epochs = 1\n}"
INPUTS = {"input", "input of any size", "input with pixels"}

pytestmark = pytest.mark.skipif(not SNIPPETS, reason="needs the source tree")


def model(*lines: str, first: str = "input image: 3 x 32 x 32\nconv(16, 1)", last: str = "output logits") -> str:
    inside = "\n".join([first, *lines, last]).replace("\n", "\n  ")
    return f"model Probe {{\n  {inside}\n}}\n"


def in_context(name: str, text: str) -> str:
    """Put a snippet where it belongs: a definition into a file, a statement into a model."""
    word = text.partition(" ")[0]
    if name in USES:
        return f"{text}\n\n{model(USES[name])}"
    if word == "search":
        return f"{NET}\n{RECIPE}\n\n{text}\n"
    if word in DEFINITION_WORDS:
        return f"{text}\n" if word in {"model", "language"} and "= Net" not in text else f"{NET}\n{text}\n"
    if name in INPUTS:
        return model("conv(16, 1)", first=text)
    if name == "let":
        return model(text, "tower -> tower")
    if name in {"output", "head"}:
        return model("global_avgpool -> flatten" if name == "output" else "relu", last=text)
    return model("relu", text, last="output features") if name != "allow" else f"{text}\n{NET}"


@pytest.mark.parametrize("name", SNIPPETS)
def test_a_snippet_is_legal_where_it_belongs(name):
    text = in_context(name, written(SNIPPETS[name]["body"]))
    source = Source(name, text)
    assert not parse(source).diagnostics, text
    if name not in ELSEWHERE:
        errors = [each.message for each in check_source(source).diagnostics if each.severity is Severity.ERROR]
        assert not errors, text


@pytest.mark.parametrize("name", SNIPPETS)
def test_a_snippet_is_in_canonical_form(name):
    text = in_context(name, written(SNIPPETS[name]["body"]))
    assert format_source(Source(name, text)).text == text


def test_every_statement_has_a_snippet():
    statements = {*DEFINITION_WORDS, *STATEMENT_WORDS, "assert", "for", "if", "repeat"}
    assert statements <= {snippet["prefix"] for snippet in SNIPPETS.values()}
    assert {"assert", "for", "if", "repeat"} <= set(RESERVED)


def test_snippets_say_what_they_are():
    assert all(snippet["description"] for snippet in SNIPPETS.values())
    prefixes = [snippet["prefix"] for snippet in SNIPPETS.values()]
    assert len(set(prefixes)) == len(prefixes)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("conv(${1:64}, ${2:3})$0", "conv(64, 3)"),
        (["a ${1|x,y|}", "${0}b"], "a x\nb"),
        ("${1:{a\\}} ${2:b ${3:c} d}", "{a} b c d"),
        ("\\$1", "$1"),
    ],
)
def test_placeholders_keep_their_defaults(body, text):
    assert written(body) == text


def test_an_open_placeholder_is_found():
    with pytest.raises(ValueError, match="not closed"):
        written("conv(${1:64)")
