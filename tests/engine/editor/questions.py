"""All questions that an editor may ask about a place of a text: for tests of texts that are nothing special."""

from __future__ import annotations

import itertools

from striate.editor.server.actions import actions
from striate.editor.server.completion import complete
from striate.editor.server.hints import hints
from striate.editor.server.hover import hover
from striate.editor.server.layout import formatted, formatted_lines
from striate.editor.server.navigation import definitions, mentions, references
from striate.editor.server.outline import folds, outline, surroundings
from striate.editor.server.places import Lines
from striate.editor.server.signatures import signature
from striate.editor.server.tokens import semantic_tokens
from striate_dsl.edits import apply_edits
from tests.engine.editor.desk import Desk


def check_answers(desk: Desk, text: str, offset: int) -> None:
    """Ask all questions about a place, and see that the answers lie in the text."""
    size = len(text)
    document = desk.write(text, "fuzzed.cnn", settled=offset % 2 == 0)
    library, sight = desk.library, desk.library.sight(document)
    shown = hover(library, document, offset)
    assert shown is None or 0 <= shown.start <= offset <= shown.end <= size
    found = complete(library, document, offset)
    assert 0 <= found.start <= found.end == offset
    for each in (definitions, references):
        assert all(0 <= item.start <= item.end for item in each(library, document, offset))
    assert all(item.start < item.end <= size for item in mentions(library, document, offset))
    assert all(0 <= hint.offset <= size for hint in hints(library, document, 0, size))
    tokens = semantic_tokens(sight)
    assert all(token.start <= token.end <= size for token in tokens)
    outline(sight.scan)
    assert all(fold.first < fold.last for fold in folds(sight.scan, Lines(text)))
    chain = surroundings(sight.scan, offset)
    assert all(outer[0] <= inner[0] and inner[1] <= outer[1] for inner, outer in itertools.pairwise(chain))
    signature(library, document, offset)
    formatted(document.source)
    formatted_lines(document.source, offset, offset)
    assert document.analysis is not None
    for action in actions(document.analysis, 0, size):
        apply_edits(text, action.edits)
