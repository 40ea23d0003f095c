"""Versions of the language, with two that never were: how a text moves from one to the next, and who says what."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate_dsl import languages
from striate_dsl.edits import apply_edits
from striate_dsl.languages import KNOWN, Languages, Migration, migrate, older_version, stated_version
from striate_dsl.lexer import tokenize
from striate_dsl.parser import parse
from striate_dsl.source import Source
from striate_dsl.syntax import Language

OLD = """# A net of old times
language 1   # as it was

model Net {
  input image: 3 x 8 x 8
  pool 2 => conv(4, 3)   # pool => conv
  output features
}
"""
NEW = """# A net of old times
language 3   # as it was

model Net {
  input image: 3 x 8 x 8
  maxpool(2) -> conv(4, 3)   # pool => conv
  output features
}
"""


def replaced(text, kind, written, replacement):
    """Replace tokens, so that comments and texts stay as they are."""
    found = [item for item in tokenize(text)[0] if (item.kind, item.text) == (kind, written)]
    for token in reversed(found):
        text = text[: token.start] + replacement + text[token.end :]
    return text


def calls(text):
    """Language 1 called a layer without brackets: `pool 2`."""
    return re.sub(r"(?m)^( *)pool (\d+)", r"\1maxpool(\2)", text)


@pytest.fixture
def third(monkeypatch):
    """A striate that reads language 3: language 2 has brackets around arguments, language 3 has arrows."""
    steps = {
        1: Migration("arguments stand in brackets", calls),
        2: Migration("an arrow is written ->", lambda text: replaced(text, "FOREIGN", "=>", "->")),
    }
    monkeypatch.setattr(languages, "KNOWN", Languages(3, steps))


def findings(text):
    return list(parse(Source("net.cnn", text)).diagnostics)


def test_language_1_is_the_first_and_needs_no_steps():
    assert KNOWN.chain(KNOWN.current) == []
    assert all(KNOWN.chain(version) is not None for version in range(1, KNOWN.current))


def test_a_text_goes_through_all_steps_and_keeps_its_comments(third):
    assert migrate(Source("net.cnn", OLD), 1) == NEW
    file = parse(Source("net.cnn", NEW)).file
    assert isinstance(file.definitions[0], Language)


def test_a_text_of_the_version_between_goes_through_the_rest(third):
    between = OLD.replace("language 1", "language 2").replace("pool 2", "maxpool(2)")
    assert migrate(Source("net.cnn", between), 2) == NEW


def test_an_older_text_is_one_finding_with_a_safe_repair(third):
    (found,) = findings(OLD)
    assert found.code == "E0348"
    assert (found.span.line, found.span.column, found.span.text) == (2, 10, "1")
    assert found.notes == ("language 2: arguments stand in brackets", "language 3: an arrow is written ->")
    (fix,) = found.fixes
    assert fix.grade == "safe"
    assert apply_edits(OLD, fix.edits) == NEW


def test_a_text_without_a_version_is_in_the_newest(third):
    text = NEW.replace("language 3   # as it was\n", "")
    assert findings(text) == []
    assert older_version(Source("net.cnn", text)) is None
    assert older_version(Source("net.cnn", text), 1) == 1
    assert migrate(Source("net.cnn", OLD.replace("language 1 ", "")), 1) == NEW.replace("language 3 ", "")


@pytest.mark.parametrize(
    ("version", "help_text"),
    [
        ("4", "install striate 4 or later: pip install --upgrade 'striate>=4'"),
        ("0", "write language 3 if the file needs nothing newer"),
        ("3.0", "write language 3 if the file needs nothing newer"),
        ("9" * 5000, "write language 3 if the file needs nothing newer"),
    ],
)
def test_a_version_that_is_not_known(third, version, help_text):
    (found,) = findings(f"language {version}\nmodel A {{ what => ever :-) }}\n")
    assert found.code == "E0119"
    assert found.help == help_text
    assert apply_edits(f"language {version}\n", found.fixes[0].edits) == "language 3\n"


def test_a_text_that_is_too_old_names_the_version_that_helps(monkeypatch):
    monkeypatch.setattr(languages, "KNOWN", Languages(4, {3: Migration("nothing", str)}))
    (found,) = findings(OLD)
    assert found.code == "E0349"
    assert found.help.startswith("pip install 'striate>=2,<3', then striate fmt --migrate")
    assert older_version(Source("net.cnn", OLD)) is None
    with pytest.raises(ValueError, match="no way from language 1 to language 4"):
        migrate(Source("net.cnn", OLD), 1)


def test_a_step_that_loses_a_comment_is_a_mistake_of_the_program(monkeypatch):
    bare = Migration("no comments", lambda text: re.sub(r"#.*", "", text))
    monkeypatch.setattr(languages, "KNOWN", Languages(2, {1: bare}))
    with pytest.raises(ValueError, match="changed its comments"):
        migrate(Source("net.cnn", OLD), 1)


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("language 1", "1"),
        ("\n# first\n\nlanguage 7 # seven", "7"),
        ("language", None),
        ("language = 3", None),
        ("model language { a }", None),
        ("", None),
        ("model A { a }\nlanguage 2", None),
    ],
)
def test_the_version_is_that_of_the_first_statement(text, stated):
    place = stated_version(Source("net.cnn", text))
    assert (place.text if place else None) == stated


@given(st.lists(st.sampled_from([*"\n #(){}", "pool 2", "=>", "# pool => x\n", '"=>"', "model A", "language 1"])))
def test_steps_leave_comments_and_texts_alone(pieces):
    text = "language 2\n" + " ".join(pieces)
    known = Languages(3, {2: Migration("", lambda old: replaced(old, "FOREIGN", "=>", "->"))})
    before = languages.KNOWN
    languages.KNOWN = known
    try:
        result = migrate(Source("net.cnn", text), 2)
    finally:
        languages.KNOWN = before
    assert result.count('"=>"') == text.count('"=>"')
    assert re.findall("#.*", result) == re.findall("#.*", text)
