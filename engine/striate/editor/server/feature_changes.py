"""The abilities of the protocol that change texts: layout, renaming, repairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from striate.editor.server.actions import Action, actions, fix_all
from striate.editor.server.documents import Document
from striate.editor.server.layout import formatted, formatted_lines, line_edits
from striate.editor.server.renaming import prepare, rename
from striate.editor.server.serving import Server
from striate.editor.server.soundness import RefusedError
from striate_dsl.diagnostics import Edit
from striate_dsl.source import Source

FIX_ALL = "source.fixAll.striate"
"""The action that makes all safe repairs."""

_OFFERED = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix, FIX_ALL])


def register_changes(server: Server) -> None:
    """Give a server the abilities that change texts."""
    _register_layout(server)
    _register_renaming(server)
    _register_repairs(server)


def _register_layout(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    async def laid_out(params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
        document = server.library.documents.get(params.text_document.uri)
        edits = None if document is None else formatted(document.source)
        return None if edits is None else server.wire.text_edits(edits)

    @server.feature(types.TEXT_DOCUMENT_RANGE_FORMATTING)
    async def partly_laid_out(params: types.DocumentRangeFormattingParams) -> list[types.TextEdit] | None:
        document = server.library.documents.get(params.text_document.uri)
        if document is None:
            return None
        start, end = (server.wire.offset(document.source, place) for place in (params.range.start, params.range.end))
        edits = formatted_lines(document.source, start, end)
        return None if edits is None else server.wire.text_edits(edits)


def _register_renaming(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    async def prepared(params: types.PrepareRenameParams) -> types.PrepareRenamePlaceholder:
        document = await server.document(params.text_document.uri)
        if document is None:
            raise _refused("the text is not open")
        offset = server.wire.offset(document.source, params.position)
        try:
            found = await server.schedule.apart(partial(prepare, server.library, document, offset))
        except RefusedError as error:
            raise _refused(str(error)) from None
        place = server.wire.range(document.source, found.start, found.end)
        return types.PrepareRenamePlaceholder(place, found.name)

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    async def renamed(params: types.RenameParams) -> types.WorkspaceEdit:
        document = await server.document(params.text_document.uri)
        if document is None:
            raise _refused("the text is not open")
        offset = server.wire.offset(document.source, params.position)
        try:
            edits = await server.schedule.apart(partial(rename, server.library, document, offset, params.new_name))
        except RefusedError as error:
            raise _refused(str(error)) from None
        return _edit(server, edits)


def _refused(message: str) -> JsonRpcException:
    return JsonRpcException(message, types.LSPErrorCodes.RequestFailed.value)


def _edit(server: Server, edits: Mapping[Source, Sequence[Edit]]) -> types.WorkspaceEdit:
    knows = server.capability("workspace", "workspace_edit", "document_changes")
    return server.wire.workspace_edit(edits) if knows else server.wire.plain_edit(edits)


def _register_repairs(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, _OFFERED)
    async def repaired(params: types.CodeActionParams) -> list[types.CodeAction]:
        document = await server.document(params.text_document.uri)
        if document is None:
            return []
        only = params.context.only
        found: list[types.CodeAction] = []
        if _is_asked(types.CodeActionKind.QuickFix.value, only):
            found += _quick_fixes(server, document, params.range)
        if only and _is_asked(FIX_ALL, only):
            found += await _fix_all(server, document)
        return found


def _is_asked(kind: str, only: Sequence[types.CodeActionKind | str] | None) -> bool:
    wanted = [str(getattr(item, "value", item)) for item in only or ()]
    return not wanted or any(kind == item or kind.startswith(f"{item}.") or item == "" for item in wanted)


def _quick_fixes(server: Server, document: Document, place: types.Range) -> list[types.CodeAction]:
    analysis, source = document.analysis, document.source
    if analysis is None or analysis.source is not source:
        return []
    start, end = server.wire.offset(source, place.start), server.wire.offset(source, place.end)
    return [_action(server, document, item) for item in actions(analysis, start, end)]


def _action(server: Server, document: Document, item: Action) -> types.CodeAction:
    assert document.analysis is not None, "actions come from an analysis"
    return types.CodeAction(
        title=item.title,
        kind=types.CodeActionKind.QuickFix,
        diagnostics=[server.wire.diagnostic(item.finding, document.analysis)],
        is_preferred=(item.is_safe and item.is_repair) or None,
        edit=_edit(server, {document.source: item.edits}),
    )


async def _fix_all(server: Server, document: Document) -> list[types.CodeAction]:
    source = document.source
    text = await server.schedule.apart(partial(fix_all, server.library, document))
    if text is None or document.source is not source:
        return []
    edit = _edit(server, {source: line_edits(source, text)})
    return [types.CodeAction(title="make all safe repairs", kind=FIX_ALL, edit=edit)]
