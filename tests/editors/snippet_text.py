"""What a snippet of VS Code writes when nothing is typed into it: every placeholder keeps its default."""

from __future__ import annotations

import re

_PLACEHOLDER = re.compile(r"\$(?:(\d+)|\{(\d+)(?:\}|:|\|))")


def written(body: str | list[str]) -> str:
    """Return the text of a snippet.

    Raises:
        ValueError: a placeholder is not closed.
    """
    text = body if isinstance(body, str) else "\n".join(body)
    result, rest = _until(text, end="")
    if rest:
        raise ValueError(f"something is left over: {rest!r}")
    return result


def _until(text: str, end: str) -> tuple[str, str]:
    """Return what is written up to an end that is not escaped, and what comes behind it."""
    parts = []
    while text:
        if text[0] == "\\" and text[1:2] in {"$", "}", "\\"}:
            parts.append(text[1])
            text = text[2:]
        elif end and text.startswith(end):
            return "".join(parts), text[len(end) :]
        elif found := _PLACEHOLDER.match(text):
            part, text = _placeholder(found[0], text[found.end() :])
            parts.append(part)
        else:
            parts.append(text[0])
            text = text[1:]
    if end:
        raise ValueError("a placeholder is not closed")
    return "".join(parts), ""


def _placeholder(opening: str, behind: str) -> tuple[str, str]:
    if opening.endswith(":"):
        return _until(behind, "}")
    if opening.endswith("|"):
        choices, rest = _until(behind, "|}")
        return choices.split(",")[0], rest
    return "", behind
