"""Looks at syntax trees from outside: all their nodes, and what a fix makes of a text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from importlib.resources import files
from typing import Any

from striate_dsl.diagnostics import Diagnostic, Fix
from striate_dsl.parser import parse
from striate_dsl.source import Source, Span
from striate_dsl.syntax import File


def tree(text: str) -> File:
    """The tree of a text that has no error."""
    result = parse(Source("test.cnn", text))
    assert result.file is not None, [f"{found.span!r} {found.message}" for found in result.diagnostics]
    assert not result.diagnostics.items
    return result.file


def complaints(text: str) -> list[Diagnostic]:
    return list(parse(Source("test.cnn", text)).diagnostics)


def children(node: Any) -> Iterator[Any]:
    """The nodes directly below a node, in the order of its fields."""
    for field in fields(node):
        value = getattr(node, field.name)
        for item in value if isinstance(value, tuple) else (value,):
            if is_dataclass(item) and not isinstance(item, Span):
                yield item


def preorder(node: Any) -> Iterator[Any]:
    yield node
    for child in children(node):
        yield from preorder(child)


def outline(node: Any) -> list[str]:
    """Every node below a node as `Class: its text`, parents first."""
    return [f"{type(inner).__name__}: {inner.span.text}" for inner in preorder(node)][1:]


def repaired(text: str, fix: Fix) -> str:
    """The text after a fix."""
    for edit in sorted(fix.edits, key=lambda edit: edit.span.start, reverse=True):
        text = text[: edit.span.start] + edit.replacement + text[edit.span.end :]
    return text


def zoo() -> dict[str, str]:
    """The texts of the networks that come with striate, by file name."""
    folder = files("striate_plugins") / "zoo"
    return {entry.name: entry.read_text(encoding="utf-8") for entry in folder.iterdir() if entry.name.endswith(".cnn")}
