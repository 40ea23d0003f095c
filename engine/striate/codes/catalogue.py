"""Reads the pages of codes. Every `.md` file in `pages/` is read: a new family of codes is a new file, nothing else.

A page is `# CODE Title`, paragraphs that say why, then a failing example in a `cnn` fence and its repaired form in a
`cnn repaired` fence, or a situation in a `console` fence where no text can show it, and a list of repairs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

CODE = re.compile(r"[EW]0[1-7]\d\d")
"""The form of a code."""

_HEADING = re.compile(rf"^# ({CODE.pattern}) (\S.*)$", re.MULTILINE)
_FENCE = re.compile(r"^```(\w+(?: \w+)?)\n(.*?)^```\n?", re.MULTILINE | re.DOTALL)
_ITEM = re.compile(r"^- (.*(?:\n  .*)*)", re.MULTILINE)


class PageError(ValueError):
    """A page lacks a part or is there twice; a mistake of whoever wrote it, not of a user."""


@dataclass(frozen=True, slots=True)
class Page:
    """What there is to say about a code.

    Attributes:
        code: the code.
        title: the mistake in a few words.
        why: why it is an error (or worth a warning), in paragraphs.
        example: a file in which it is found, or an empty text.
        repaired: that file without it.
        situation: a command and what it says, where no file can show it.
        repairs: what to do, one sentence or two each.
        text: the whole page as it is written.
        path: the file that it is in, where it was read from one.
        line: the line of its heading in that file.
    """

    code: str
    title: str
    why: str
    example: str
    repaired: str
    situation: str
    repairs: tuple[str, ...]
    text: str
    path: Path | None = None
    line: int = 1


@cache
def catalogue() -> Mapping[str, Page]:
    """Return all pages by code, in the order of the codes."""
    pages: dict[str, Page] = {}
    for path in sorted((Path(__file__).parent / "pages").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        for page in read_pages(text):
            if page.code in pages:
                raise PageError(f"{page.code} has two pages, one in {path.name}")
            line = text.count("\n", 0, text.index(f"# {page.code} ")) + 1
            pages[page.code] = replace(page, path=path, line=line)
    return {code: pages[code] for code in sorted(pages)}


def read_pages(text: str) -> Iterator[Page]:
    """Yield the pages of a text.

    Raises:
        PageError: a page has no reason, no repairs, or neither an example with its repair nor a situation.
    """
    headings = list(_HEADING.finditer(text))
    ends = [*(heading.start() for heading in headings[1:]), len(text)]
    for heading, end in zip(headings, ends, strict=False):
        yield _page(heading[1], heading[2], text[heading.start() : end].strip() + "\n")


def _page(code: str, title: str, text: str) -> Page:
    fences = dict(_FENCE.findall(text))
    rest = _FENCE.sub("", text).split("\n", 1)[1]
    repairs = tuple(" ".join(item.split()) for item in _ITEM.findall(rest))
    why = _ITEM.sub("", rest).strip()
    shown = {"cnn", "cnn repaired"} <= fences.keys() or "console" in fences
    if not (why and repairs and shown):
        raise PageError(f"the page of {code} needs a reason, an example with its repair or a situation, and repairs")
    example, repaired, situation = (fences.get(kind, "") for kind in ("cnn", "cnn repaired", "console"))
    return Page(code, title, why, example, repaired, situation, repairs, text)
