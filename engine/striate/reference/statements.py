"""The pages of the language's own words, read from `statements.md`; tables of settings are added from the engine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from striate.reference.arguments import argument_table
from striate.reference.page import Code, Page, Paragraph, Part, Table

_HEADING = re.compile(r"^# (\S+)$", re.MULTILINE)
_FENCE = re.compile(r"^```cnn\n(.*?)^```\n?", re.MULTILINE | re.DOTALL)


@cache
def statement_texts() -> Mapping[str, str]:
    """Return the text of every page by the word it is about."""
    text = (Path(__file__).parent / "statements.md").read_text(encoding="utf-8")
    _, *pieces = _HEADING.split(text)
    return dict(zip(pieces[::2], pieces[1::2], strict=True))


def statement_page(word: str) -> Page:
    """Return the page of a word of the language; raises KeyError where it is none."""
    return Page(word, "word of the language", (*_read(statement_texts()[word]), *_settings(word)))


def _read(text: str) -> Iterator[Part]:
    for index, piece in enumerate(_FENCE.split(text)):
        if index % 2:
            yield Code(piece)
            continue
        yield from (Paragraph(paragraph.strip()) for paragraph in piece.split("\n\n") if paragraph.strip())


def _settings(word: str) -> Iterator[Table]:
    """Yield the tables of settings that a section takes."""
    if word == "train":
        from striate.train.groups import GROUPS
        from striate.train.recipe import SCALARS

        yield argument_table((*SCALARS, GROUPS))
    if word == "export":
        from striate.onnx.contract import ENTRIES

        yield argument_table(tuple(ENTRIES.values()))
