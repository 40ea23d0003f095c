"""The Pygments lexer against our own, on the texts on which the editors' highlighters are tried."""

from __future__ import annotations

from pygments.token import Comment, Keyword, Number, Operator, String

from striate.editor.highlight import CnnLexer
from tests.editors.corpus import texts
from tests.editors.readings import COMMENT, KEYWORD, NAME, NUMBER, TEXT, Piece, place, read

TOKENS = {COMMENT: (Comment,), TEXT: (String,), NUMBER: (Number,), KEYWORD: (Keyword, Operator.Word)}
EVERYTHING = [kind for kinds in TOKENS.values() for kind in kinds]


def looks_right(piece: Piece, seen: set) -> bool:
    if piece.kind == NAME:
        return not any(token in kind for token in seen for kind in EVERYTHING)
    return all(any(token in kind for kind in TOKENS[piece.kind]) for token in seen)


def test_pygments_agrees_with_the_lexer(repository):
    """But for `in` as the key of settings: Pygments does not know that it is among settings."""
    wrong = []
    for name, text in texts(repository).items():
        tokens: list = [None] * len(text)
        for start, token, value in CnnLexer().get_tokens_unprocessed(text):
            tokens[start : start + len(value)] = [token] * len(value)
        for piece in read(text):
            seen = set(tokens[piece.start : piece.end])
            if not looks_right(piece, seen) and (piece.kind, piece.text) != (NAME, "in"):
                wrong.append(f"{name}, {place(text, piece)}: {seen}")
    assert not wrong, "\n".join(wrong[:20])
