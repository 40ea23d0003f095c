"""The best point of a search as a profile behind the text of its file, so that `--profile` trains and exports it."""

from __future__ import annotations

import os
from pathlib import Path

from striate.search.space import Point
from striate_dsl.diagnostics import Edit
from striate_dsl.edits import apply_edits
from striate_dsl.formatter import format_source
from striate_dsl.source import Source
from striate_dsl.syntax import File, Section, Text, Use


def with_profile(file: File, settings: Point, folder: Path, remark: str) -> tuple[str, str]:
    """Return a file's text with a profile of these settings behind it, and the profile's name.

    Args:
        file: the file that was searched.
        settings: what the profile sets.
        folder: where the text will stand: paths of used files are written relative to it.
        remark: a comment above the profile.
    """
    taken = {item.name.text for item in file.definitions if isinstance(item, Section) and item.name is not None}
    name = next(name for name in ("best", *(f"best{number}" for number in range(2, 10_000))) if name not in taken)
    lines = "".join(f"  {key} = {text}\n" for key, text in settings.items())
    text = apply_edits(file.span.source.text, _moved_uses(file, folder)).rstrip()
    whole = f"{text}\n\n# {remark}\nprofile {name} {{\n{lines}}}\n"
    return format_source(Source("best.cnn", whole)).text or whole, name


def _moved_uses(file: File, folder: Path) -> list[Edit]:
    """Return the edits that write the paths of used files relative to another folder."""
    home = Path(file.span.file).resolve().parent
    edits = []
    for item in file.definitions:
        if isinstance(item, Use) and isinstance(item.target, Text):
            path = os.path.relpath(home / item.target.value, folder.resolve())
            edits.append(Edit(item.target.span, '"' + path.replace(os.sep, "/") + '"'))
    return edits
