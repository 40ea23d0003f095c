"""Whatever is in a text, and wherever the cursor is: every function answers, and every range lies in the text."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from striate.editor.server.actions import fix_all
from striate.editor.server.places import readable
from striate.editor.server.renaming import prepare, rename
from striate.editor.server.scanner import scan
from striate.editor.server.soundness import RefusedError
from tests.engine.editor.desk import NET, ZOO, Desk
from tests.engine.editor.questions import check_answers

FILES = [NET, *(path.read_text() for path in sorted(ZOO.glob("*.cnn")) if path.stem not in ("resnet", "densenet"))]
SIGNS = [
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "\n",
    "\r\n",
    "\r",
    "->",
    ",",
    "=",
    ".",
    '"',
    "#",
    ";",
    "😀",
    "é",
    "\u2028",
    "\x00",
]
OPENING = ["block", "model A", "input", "output", "let", "head", "repeat", "for", "in", "if", "as", "use", "train"]
PIECES = st.sampled_from([*SIGNS, *OPENING, "x.", "é("])


@st.composite
def edited(draw: st.DrawFn) -> str:
    """A real file with a few random edits."""
    text = draw(st.sampled_from(FILES))
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        text = (
            text[:at]
            + draw(st.one_of(PIECES, st.text(max_size=3)))
            + text[at + draw(st.sampled_from([0, 0, 1, 5, 40])) :]
        )
    return readable(text)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=edited(), data=st.data())
def test_random_edits_of_real_files(tmp_path_factory, text, data):
    desk = Desk(tmp_path_factory.getbasetemp())
    check_answers(desk, text, data.draw(st.integers(0, len(text))))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=25).map(" ".join)), data=st.data())
@example("block", None)
@example("use", None)
def test_texts_that_are_nothing_like_a_file(tmp_path_factory, text, data):
    text = readable(text)
    desk = Desk(tmp_path_factory.getbasetemp())
    check_answers(desk, text, data.draw(st.integers(0, len(text))) if data else len(text))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=edited(), data=st.data(), name=st.sampled_from(["fresh", "conv", "width", ""]))
def test_renaming_and_repairing_edited_files(tmp_path_factory, text, data, name):
    desk = Desk(tmp_path_factory.getbasetemp())
    document = desk.write(text, "fuzzed.cnn")
    offset = data.draw(st.integers(0, len(text)))
    try:
        prepare(desk.library, document, offset)
        rename(desk.library, document, offset, name)
    except RefusedError as refusal:
        assert str(refusal)
    fix_all(desk.library, document)


@given(st.sampled_from(FILES), st.data())
def test_every_prefix_of_a_file_is_scanned_like_the_whole_up_to_there(text, data):
    stop = data.draw(st.integers(0, len(text)))
    whole, part = scan(text), scan(text, stop)
    before = [(word.start, word.role) for word in whole.words if word.end < stop]
    known = {(word.start, word.role) for word in part.words}
    differing = [item for item in before if item not in known]
    assert len(differing) <= 1  # the last word may turn out to be something else by what follows it


@pytest.mark.parametrize("depth", [50, 5000])
@pytest.mark.parametrize("bracket", ["(", "[", "{ add ", "conv("])
def test_deep_nesting_is_survived(desk, bracket, depth):
    text = "model A {\n  input x: 3 x 8 x 8\n  " + bracket * depth + "\n  output y\n}\n"
    check_answers(desk, text, len(text) // 2)


def test_a_block_that_uses_itself_is_survived(desk):
    text = (
        "block A(out) { B(out) }\nblock B(out) { A(out) }\n"
        "model C = C(out = 3)\nmodel D {\n input x: 3 x 8 x 8\n A(3)\n output y\n}\n"
    )
    for offset in range(0, len(text), 3):
        check_answers(desk, text, offset)
