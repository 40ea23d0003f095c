"""A file with errors in its text: what can be read is checked in the same run, and nothing follows from the rest."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from striate.checking import check_source
from striate_dsl.parser import parse
from striate_dsl.source import Source

TEXT = """block Torn(w) { conv(w, 3, pad = 1 -> relu }
block Sound(w) { covn(w, 3) }
model First {
  input image: 3 x 32 x 32
  Torn(8) -> conv(8, 40)
  output features
}
model Second {
  input image: 3 x 32 x 32
  Sound(8) -> Missing(8)
  output features
}
model Variant = Nothing(3)
model Broken(a = 1) { input image: 3 x 8 x 8; conv(3,, 3); output features }
model Other = Broken(3)
train Broken { data = digits; loss = cross_entropy; optimizer = adam; epochs = 1 }
"""


def found(text: str, **asked: str) -> list[tuple[str, str]]:
    """Return code and marked text of every finding."""
    checked = check_source(Source("net.cnn", text), **asked)
    return [(item.code, item.span.text if item.span else "") for item in checked.diagnostics]


def test_sound_definitions_are_checked_and_torn_ones_not_missed():
    assert found(TEXT) == [
        ("E0106", "("),
        ("E0114", ","),
        ("E0202", "40"),
        ("E0301", "covn"),
        ("E0301", "Missing"),
        ("E0310", "Nothing"),
    ]


def test_when_one_model_is_asked_for_only_the_text_is_reported():
    assert found(TEXT, model="Second") == [("E0106", "("), ("E0114", ",")]


@given(st.sampled_from(sorted(set(TEXT.split()))), st.integers(0, 400))
@settings(max_examples=100, deadline=None)
def test_what_the_text_says_stays_and_no_error_is_invented(word, place):
    """With a word put in anywhere, syntax findings are those of the parser, and a sound text has them alone."""
    whole = TEXT.replace("1 -> relu", "1) -> relu").replace("3,, 3", "3, 3").replace("covn", "conv")
    whole = whole.replace(" -> Missing(8)", "").replace("model Variant = Nothing(3)\n", "")
    whole = whole.replace("conv(8, 40)", "conv(8, 4)")
    assert found(whole) == [] or all(code.startswith("W") for code, _ in found(whole))
    text = whole[:place] + f" {word} " + whole[place:]
    syntax = [item.code for item in parse(Source("net.cnn", text)).diagnostics]
    assert [code for code, _ in found(text)][: len(syntax)] == syntax
