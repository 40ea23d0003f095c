"""The canonical form of a `.cnn` text: `format_source` is the one entry; docs/formatting.md describes the form.

Only blanks, line breaks and `;` change: the tokens of the text and its comments stay the same and in order. How it is
done: `formatting/` (gaps, pieces, breaks, lines, columns).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from striate_dsl.diagnostics import Diagnostics
from striate_dsl.formatting.breaks import settle
from striate_dsl.formatting.columns import align, align_comments
from striate_dsl.formatting.lines import Line, LineMaker
from striate_dsl.formatting.pieces import Piece, read_pieces
from striate_dsl.parser import parse
from striate_dsl.source import Source


@dataclass(frozen=True, slots=True)
class Formatted:
    """The text in canonical form, None where it has mistakes, and what there is to say about it."""

    text: str | None
    diagnostics: Diagnostics


def format_source(source: Source) -> Formatted:
    """Return the text of a file in canonical form; line ends are those of its first line."""
    result = parse(source)
    if result.file is None:
        return Formatted(None, result.diagnostics)
    text = source.text.removeprefix("\ufeff")
    first = text.find("\n")
    formatted = _format(text)
    if first > 0 and text[first - 1] == "\r":
        formatted = formatted.replace("\n", "\r\n")
    return Formatted(formatted, result.diagnostics)


def _format(text: str) -> str:
    pieces = read_pieces(text)
    settle(pieces)
    maker = LineMaker(pieces)
    lines = maker.run()
    _set_off(lines, maker.definitions)
    return "".join(_written(pieces, lines))


def _set_off(lines: list[Line], definitions: list[int]) -> None:
    """Put an empty line between two definitions of which one has several lines."""
    bounds = [*pairwise(definitions), (definitions[-1], len(lines))]
    several = [sum(line.first < line.last for line in lines[start:stop]) > 1 for start, stop in bounds]
    for start, before, here in zip(definitions[1:], several, several[1:], strict=False):
        if before or here:
            _separate(lines, start)


def _separate(lines: list[Line], start: int) -> None:
    """Put an empty line above a definition and its comments unless there is one."""
    head = start
    while lines[head].first == lines[head].last and not lines[head].blank:
        head += 1
    if lines[head].blank:
        return
    while (comment := lines[start].comment) is not None and comment.follows:
        start += 1
    lines[start].blank = True


def _written(pieces: list[Piece], lines: list[Line]) -> list[str]:
    """The lines of the result, with their line breaks."""
    blanks = align(pieces, lines)
    anchors = {line.margin.anchor: 0 for line in lines}
    texts = [_line_text(pieces, line, blanks, anchors) for line in lines]
    columns = align_comments(pieces, lines, [len(text) for text in texts])
    written = []
    for line, text, column in zip(lines, texts, columns, strict=True):
        ending = "" if line.comment is None else line.comment.text
        written.append("\n" * line.blank + (text.ljust(column) + ending if ending else text) + "\n")
    return written


def _line_text(pieces: list[Piece], line: Line, blanks: dict[int, int], anchors: dict[int, int]) -> str:
    """The text of a line without its comment; notes the columns of the pieces in `anchors`."""
    start = anchors[line.margin.anchor] + line.margin.offset
    parts = [" " * start]
    for at in range(line.first, line.last):
        piece = pieces[at]
        if at > line.first:
            parts.append(piece.lead + " " * blanks.get(at, 0))
        if at in anchors:
            anchors[at] = sum(map(len, parts))
        parts.append(piece.text)
    return "".join(parts)
