"""Our answers as the types of the protocol, and addresses as paths. What is answered is decided elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lsprotocol import types
from pygls.uris import to_fs_path

from striate.codes import catalogue as pages
from striate.editor.server.documents import Analysis
from striate.editor.server.navigation import Target
from striate.editor.server.outline import Entry
from striate.editor.server.places import Lines, Range
from striate.editor.server.proposals import Proposal
from striate.editor.server.texts import Texts
from striate.editor.server.tokens import MODIFIERS, TYPES, Token
from striate.elaborate.linked import LinkedFile, reachable
from striate_dsl.diagnostics import Diagnostic, Edit, Severity
from striate_dsl.source import Source, Span

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.NOTE: types.DiagnosticSeverity.Information,
}
_COMPLETIONS = {
    "layer": types.CompletionItemKind.Function,
    "block": types.CompletionItemKind.Class,
    "model": types.CompletionItemKind.Struct,
    "value": types.CompletionItemKind.Variable,
    "argument": types.CompletionItemKind.Field,
    "choice": types.CompletionItemKind.EnumMember,
    "keyword": types.CompletionItemKind.Keyword,
    "snippet": types.CompletionItemKind.Snippet,
    "setting": types.CompletionItemKind.Property,
    "record": types.CompletionItemKind.Function,
    "function": types.CompletionItemKind.Function,
    "file": types.CompletionItemKind.File,
    "attribute": types.CompletionItemKind.Property,
    "code": types.CompletionItemKind.Constant,
}
SYMBOLS = {
    "model": types.SymbolKind.Class,
    "block": types.SymbolKind.Function,
    "section": types.SymbolKind.Object,
    "file": types.SymbolKind.File,
    "input": types.SymbolKind.Variable,
    "value": types.SymbolKind.Variable,
    "let": types.SymbolKind.Constant,
    "output": types.SymbolKind.Variable,
    "parameter": types.SymbolKind.Variable,
}
_MARKDOWN = types.MarkupKind.Markdown
_PLACEHOLDER = re.compile(r"\$\{\d+:([^}]*)\}|\$\{?\d+\}?")


def path_of(uri: str, root: Path) -> tuple[Path, bool]:
    """Return the path of an address, and whether there is a file behind it; a new text is taken to lie in `root`."""
    path = to_fs_path(uri)
    if path is not None:
        return Path(path), True
    name = re.sub(r"[^\w.-]", "_", unquote(urlsplit(uri).path).rpartition("/")[2]) or "untitled"
    return root / name, False


def to_range(found: Range) -> types.Range:
    """Return a range of the protocol."""
    start, end = found
    return types.Range(types.Position(start.line, start.column), types.Position(end.line, end.column))


class Wire:
    """Conversions that depend on the texts at hand and the encoding of columns agreed with the editor."""

    def __init__(self, texts: Texts, encoding: str) -> None:
        self.texts = texts
        self.encoding = encoding
        self._lines: dict[Source, Lines] = {}

    def lines(self, source: Source) -> Lines:
        """Return the lines of a text; those of the last few are kept."""
        found = self._lines.get(source)
        if found is None:
            if len(self._lines) >= 50:
                self._lines.clear()
            found = self._lines[source] = Lines(source.text, self.encoding)
        return found

    def offset(self, source: Source, position: types.Position) -> int:
        """Return the offset of a position."""
        return self.lines(source).offset(position.line, position.character)

    def range(self, source: Source, start: int, end: int) -> types.Range:
        """Return the range between two offsets."""
        return to_range(self.lines(source).range(start, end))

    def span(self, span: Span) -> types.Range:
        """Return the range of a span."""
        return self.range(span.source, span.start, span.end)

    # ------------------------------------------------------------------------------------------ findings

    def diagnostics(self, analysis: Analysis) -> list[types.Diagnostic]:
        """Return the findings of a text; those in files that it uses are shown where it names them."""
        return [self.diagnostic(item, analysis) for item in analysis.findings]

    def diagnostic(self, item: Diagnostic, analysis: Analysis) -> types.Diagnostic:
        """Return one finding with everything that it says."""
        source = analysis.source
        here = item.span if item.span is not None and item.span.source is source else None
        place = here or self._use_of(item.span, analysis)
        related = [*self._related(item, abroad=here is None)]
        return types.Diagnostic(
            range=self.span(place) if place is not None else self.range(source, 0, 0),
            message=message_of(item),
            severity=_SEVERITIES[item.severity],
            code=item.code,
            code_description=_description_of(item.code),
            source="striate",
            related_information=related or None,
        )

    def _use_of(self, span: Span | None, analysis: Analysis) -> Span | None:
        """Return the `use` statement that brings in the text of a span, directly or not."""
        file = analysis.file
        if span is None or not isinstance(file, LinkedFile):
            return None
        for used in file.uses:
            if any(other.span.source is span.source for other in reachable(used.file)):
                return used.statement.span
        return None

    def _related(self, item: Diagnostic, *, abroad: bool) -> Iterable[types.DiagnosticRelatedInformation]:
        places = [(label.span, label.text) for label in item.labels]
        if abroad and item.span is not None:
            places.insert(0, (item.span, item.label or item.message))
        for span, text in places:
            uri = self.texts.uri_of(span.source)
            if uri is not None:
                yield types.DiagnosticRelatedInformation(types.Location(uri, self.span(span)), text)

    # ------------------------------------------------------------------------------------------ places, edits

    def location(self, target: Target) -> types.Location | None:
        """Return where a target is, None if an editor cannot open it."""
        if target.source is None:
            line = types.Position(target.start, 0)
            return None if target.path is None else types.Location(target.path.as_uri(), types.Range(line, line))
        uri = self.texts.uri_of(target.source)
        return None if uri is None else types.Location(uri, self.range(target.source, target.start, target.end))

    def text_edits(self, edits: Iterable[Edit]) -> list[types.TextEdit]:
        """Return edits of one text."""
        return [types.TextEdit(self.span(edit.span), edit.replacement) for edit in edits]

    def workspace_edit(self, edits: Mapping[Source, Sequence[Edit]]) -> types.WorkspaceEdit:
        """Return edits of several texts; those whose version an editor told us are bound to it."""
        changes: list[types.TextDocumentEdit] = []
        for source, made in edits.items():
            uri = self.texts.uri_of(source)
            if uri is not None:
                buffer = self.texts.buffers.get(uri)
                version = buffer.version if buffer is not None and buffer.source is source else None
                identity = types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=version)
                changes.append(types.TextDocumentEdit(identity, list(self.text_edits(made))))
        return types.WorkspaceEdit(document_changes=list(changes))

    def plain_edit(self, edits: Mapping[Source, Sequence[Edit]]) -> types.WorkspaceEdit:
        """Return edits of several texts for editors that know no versions in edits."""
        named = {self.texts.uri_of(source): self.text_edits(made) for source, made in edits.items()}
        return types.WorkspaceEdit(changes={uri: made for uri, made in named.items() if uri is not None})

    def symbol(self, source: Source, entry: Entry) -> types.DocumentSymbol:
        """Return an entry of the outline with those in it."""
        return types.DocumentSymbol(
            name=entry.name,
            kind=SYMBOLS[entry.kind],
            range=self.range(source, entry.start, entry.end),
            selection_range=self.range(source, entry.name_start, entry.name_end),
            detail=entry.detail or None,
            children=[self.symbol(source, child) for child in entry.children],
        )

    def tokens(self, source: Source, found: Iterable[Token]) -> list[int]:
        """Return tokens as the protocol's numbers: five each, lines and columns relative to the token before."""
        lines = self.lines(source)
        data: list[int] = []
        line, column = 0, 0
        for token in found:
            start, end = lines.place(token.start), lines.place(token.end)
            if end.line != start.line or end == start:
                continue
            first = start.column - (column if start.line == line else 0)
            modifiers = sum(1 << MODIFIERS.index(name) for name in token.modifiers)
            data += [start.line - line, first, end.column - start.column, TYPES.index(token.type), modifiers]
            line, column = start.line, start.column
        return data


def message_of(item: Diagnostic) -> str:
    """Return everything that a finding says in words."""
    lines = [item.message]
    if item.label and item.label not in item.message:
        lines.append(item.label)
    lines += [f"note: {note}" for note in item.notes]
    lines += [f"help: {item.help}"] if item.help else []
    return "\n".join(lines)


@cache
def _description_of(code: str) -> types.CodeDescription | None:
    """Return a link to the page of a code, as it is installed here."""
    page = pages().get(code)
    if page is None or page.path is None:
        return None
    return types.CodeDescription(href=f"{page.path.resolve().as_uri()}#L{page.line}")


def markdown(text: str) -> types.MarkupContent:
    """Return a text in Markdown."""
    return types.MarkupContent(_MARKDOWN, text)


def completion_item(item: Proposal, place: types.Range, *, snippets: bool) -> types.CompletionItem:
    """Return a proposal; editors that know no snippets get its text without places to fill in."""
    written = item.snippet
    if written is not None and not snippets:
        written = item.label if "\n" in written else _PLACEHOLDER.sub(lambda match: match[1] or "", written)
    is_snippet = item.snippet is not None and snippets
    return types.CompletionItem(
        label=item.label,
        kind=_COMPLETIONS[item.kind],
        detail=item.detail or None,
        documentation=markdown(item.text) if item.text else None,
        insert_text_format=types.InsertTextFormat.Snippet if is_snippet else types.InsertTextFormat.PlainText,
        text_edit=types.TextEdit(place, written if written is not None else item.label),
        sort_text=f"{item.group}{item.label}",
        filter_text=item.label,
    )
