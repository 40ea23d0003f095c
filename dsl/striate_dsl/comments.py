"""Where the comments of a text are. The parser drops them; allowances and repairs ask here."""

from __future__ import annotations

from striate_dsl.lexer import tokenize
from striate_dsl.source import Source, Span


def comments(source: Source) -> list[Span]:
    """Return the comments of a text in order, each from its `#` to the end of its line; a `#` in a text is none."""
    text = source.text
    if "#" not in text:
        return []
    found: list[Span] = []
    before = 0
    for token in tokenize(text)[0]:
        # Between two tokens there are blanks and at most one comment, which ends before the line break.
        start = text.find("#", before, token.start)
        if start != -1:
            found.append(Span(source, start, start + len(text[start : token.start].rstrip())))
        before = token.end
    return found
