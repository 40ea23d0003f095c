"""A model's YAML as rows `[from, number, module, arguments]`, each with its place; nothing in the file is evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from striate.importing.findings import shown
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.source import Source, Span

LARGEST = 1024 * 1024
"""Bytes of a file; a model takes some thousand."""

MOST_ROWS = 2_000
"""Rows of backbone and head together."""

DEEPEST = 30
"""Lists and mappings within each other."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row: the places of its inputs, how often the module stands behind itself, its name, its arguments."""

    index: int
    sources: tuple[int, ...]
    number: int
    module: str
    arguments: tuple[Any, ...]
    span: Span

    def __str__(self) -> str:
        return f"row {self.index} ({shown(self.module)}, line {self.span.line})"


@dataclass(frozen=True, slots=True)
class Description:
    """A file: its rows, and the other keys with their values."""

    source: Source
    rows: tuple[Row, ...]
    settings: Mapping[str, Any]
    places: Mapping[str, Span]

    def span(self, key: str) -> Span | None:
        """Return the place of a setting."""
        return self.places.get(key)


def wrong(message: str, span: Span | None = None, help_: str | None = None) -> DiagnosticError:
    """Return the error for a file whose rows have no meaning."""
    return DiagnosticError(Diagnostic("E0658", message, span, help=help_))


def unreadable(path: Path, reason: str, help_: str | None = None) -> DiagnosticError:
    """Return the error for a file that is no YAML, or holds none that a model is described by."""
    return DiagnosticError(
        Diagnostic(
            "E0657",
            f"cannot read {shown(str(path))} as the YAML of a model: {reason}",
            help=help_ or "a model has the keys backbone and head, lists of rows [from, number, module, arguments]",
        )
    )


def read_description(path: Path) -> Description:
    """Read a file.

    Raises:
        DiagnosticError: E0657, it is no YAML, or no model; E0658, a row has no meaning; E0660, PyYAML is missing.
    """
    source = Source(str(path), _text(path))
    settings, places = _settings(path, source)
    rows: list[Row] = []
    for key in ("backbone", "head"):
        listed = settings.pop(key, None)
        if listed is None and key == "head" and rows:
            continue
        if not isinstance(listed, _Listed):
            raise unreadable(path, f"it has no {key}" if listed is None else f"{key} is no list of rows")
        for item in listed.items:
            rows.append(_row(len(rows), item))
            if len(rows) > MOST_ROWS:
                raise wrong(f"more than {MOST_ROWS:,} rows", item.span)
    if not rows:
        raise unreadable(path, "it has no rows")
    return Description(source, tuple(rows), {key: _plain(value) for key, value in settings.items()}, places)


@dataclass(frozen=True, slots=True)
class _Listed:
    """A list with the place of each entry."""

    items: tuple[_Item, ...]


@dataclass(frozen=True, slots=True)
class _Item:
    value: Any
    span: Span


def _plain(value: Any) -> Any:
    if isinstance(value, _Listed):
        return [_plain(item.value) for item in value.items]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value


def _row(index: int, item: _Item) -> Row:
    entries = _plain(item.value)
    if not isinstance(entries, list) or len(entries) != 4:
        raise wrong(f"row {index} is not [from, number, module, arguments]", item.span)
    sources, number, module, arguments = entries
    listed = sources if isinstance(sources, list) else [sources]
    if not listed or not all(_is_whole(each) for each in listed) or len(listed) > MOST_ROWS:
        raise wrong(f"row {index}: from must be a number or a list of numbers, not {shown(str(sources))}", item.span)
    if not _is_whole(number) or not 1 <= number <= MOST_ROWS:
        raise wrong(
            f"row {index}: the number of modules must be from 1 to {MOST_ROWS}, not {shown(str(number))}", item.span
        )
    if not isinstance(module, str):
        raise wrong(f"row {index}: the module must be a name, not {shown(str(module))}", item.span)
    given = arguments if isinstance(arguments, list) else [arguments]
    return Row(index, tuple(listed), number, module, tuple(given), item.span)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise unreadable(
                path, "no such file" if not path.exists() else "it is no regular file", _without_letter(path)
            )
        size = path.stat().st_size
        if size > LARGEST:
            raise unreadable(path, f"it has {size:,} bytes, and {LARGEST:,} is the most that is read")
        content = path.read_bytes()
    except OSError as error:
        raise unreadable(path, (error.strerror or str(error)).lower()) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise unreadable(path, "it is no text in UTF-8") from None


def _without_letter(path: Path) -> str | None:
    """Return what to do where `yolov8n.yaml` is asked for and `yolov8.yaml` is there."""
    for place, letter in enumerate(path.stem):
        if letter in "nslmx" and path.stem[place - 1 : place].isdigit():
            other = path.with_name(f"{path.stem[:place]}{path.stem[place + 1 :]}{path.suffix}")
            if other.is_file():
                return f"{other.name} is there: striate import {other.name} --scale {letter}"
    return None


def _settings(path: Path, source: Source) -> tuple[dict[str, Any], dict[str, Span]]:
    """Return the keys of the file with their values, lists with the places of their entries."""
    yaml = _library()
    try:
        loader = yaml.SafeLoader(source.text)
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            raise unreadable(path, "it is no mapping of keys")
        found: dict[str, Any] = {}
        places: dict[str, Span] = {}
        seen: set[int] = set()
        for key, value in root.value:
            name = str(key.value)
            span = Span(source, key.start_mark.index, key.end_mark.index)
            if name in found:
                raise wrong(f"the key {shown(name)} is written twice", span)
            found[name], places[name] = _value(yaml, loader, source, value, seen, 0), span
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        raise unreadable(path, f"{getattr(error, 'problem', None) or str(error)[:200]}{where}") from None
    return found, places


def _value(yaml: Any, loader: Any, source: Source, node: Any, seen: set[int], depth: int) -> Any:
    span = Span(source, node.start_mark.index, node.end_mark.index)
    if depth > DEEPEST:
        raise wrong(f"more than {DEEPEST} lists within each other", span)
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_object(node)
    if id(node) in seen:
        raise wrong("an alias (*name) repeats what stands elsewhere; models are written out", span)
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        entries = [
            _Item(
                _value(yaml, loader, source, each, seen, depth + 1),
                Span(source, each.start_mark.index, each.end_mark.index),
            )
            for each in node.value
        ]
        return _Listed(tuple(entries))
    return {str(key.value): _value(yaml, loader, source, each, seen, depth + 1) for key, each in node.value}


def _library() -> Any:
    try:
        return import_module("yaml")
    except ImportError:
        raise DiagnosticError(
            Diagnostic("E0660", "PyYAML is not installed, so YAML cannot be read", help="pip install 'striate[yaml]'")
        ) from None
