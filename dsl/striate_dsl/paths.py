"""Dotted names in the tree, `stem.conv1` or `stage1.2.conv1`, as one text: the paths of layers and weights."""

from __future__ import annotations

from striate_dsl.syntax import Attribute, Expression, Name


def dotted_text(expression: Expression) -> str | None:
    """Return a name, or names joined by dots, as one text without blanks; None for any other expression."""
    parts: list[str] = []
    while isinstance(expression, Attribute):
        parts.append(expression.name.text)
        expression = expression.base
    if not isinstance(expression, Name):
        return None
    return ".".join([expression.text, *reversed(parts)])
