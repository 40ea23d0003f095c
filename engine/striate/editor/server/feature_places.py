"""The abilities of the protocol about places: definitions, uses, symbols, folding, selection."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from lsprotocol import types

from striate.editor.server import navigation, outline
from striate.editor.server.navigation import Target
from striate.editor.server.serving import Server
from striate.editor.server.wire import SYMBOLS
from striate_dsl.source import Source

MOST_SYMBOLS = 500
"""Symbols of the workspace that are sent."""


def register_places(server: Server) -> None:
    """Give a server the abilities about places."""
    _register_targets(server)
    _register_outline(server)
    _register_workspace(server)


def _register_targets(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    async def defined(params: types.DefinitionParams) -> list[types.Location]:
        document = await server.document(params.text_document.uri)
        if document is None:
            return []
        offset = server.wire.offset(document.source, params.position)
        return _locations(server, navigation.definitions(server.library, document, offset))

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    async def used(params: types.ReferenceParams) -> list[types.Location]:
        document = await server.document(params.text_document.uri)
        if document is None:
            return []
        offset, declared = server.wire.offset(document.source, params.position), params.context.include_declaration
        work = partial(navigation.references, server.library, document, offset, declaration=declared)
        return _locations(server, await server.schedule.apart(work))

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    async def highlighted(params: types.DocumentHighlightParams) -> list[types.DocumentHighlight]:
        document = server.library.documents.get(params.text_document.uri)
        if document is None:
            return []
        offset = server.wire.offset(document.source, params.position)
        return [
            types.DocumentHighlight(
                server.wire.range(document.source, item.start, item.end),
                types.DocumentHighlightKind.Write if item.gives else types.DocumentHighlightKind.Read,
            )
            for item in navigation.mentions(server.library, document, offset)
        ]


def _locations(server: Server, targets: list[Target]) -> list[types.Location]:
    return [place for target in targets if (place := server.wire.location(target)) is not None]


def _register_outline(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def outlined(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        document = server.library.documents.get(params.text_document.uri)
        if document is None:
            return []
        entries = outline.outline(server.library.scan(document.source))
        return [server.wire.symbol(document.source, entry) for entry in entries]

    @server.feature(types.TEXT_DOCUMENT_FOLDING_RANGE)
    async def folded(params: types.FoldingRangeParams) -> list[types.FoldingRange]:
        document = server.library.documents.get(params.text_document.uri)
        if document is None:
            return []
        found = outline.folds(server.library.scan(document.source), server.wire.lines(document.source))
        kinds = {True: types.FoldingRangeKind.Comment, False: types.FoldingRangeKind.Region}
        return [types.FoldingRange(fold.first, fold.last, kind=kinds[fold.is_comment]) for fold in found]

    @server.feature(types.TEXT_DOCUMENT_SELECTION_RANGE)
    async def selected(params: types.SelectionRangeParams) -> list[types.SelectionRange]:
        document = server.library.documents.get(params.text_document.uri)
        if document is None:
            return []
        source = document.source
        return [_selection(server, source, server.wire.offset(source, place)) for place in params.positions]


def _selection(server: Server, source: Source, offset: int) -> types.SelectionRange:
    chain = outline.surroundings(server.library.scan(source), offset)
    found = None
    for start, end in reversed(chain):
        found = types.SelectionRange(server.wire.range(source, start, end), found)
    return found or types.SelectionRange(server.wire.range(source, offset, offset))


def _register_workspace(server: Server) -> None:
    @server.feature(types.WORKSPACE_SYMBOL)
    async def searched(params: types.WorkspaceSymbolParams) -> list[types.SymbolInformation]:
        sources = [document.source for document in server.library.documents.values()]
        sources += await server.schedule.apart(lambda: list(server.library.folder_texts()))
        found: list[types.SymbolInformation] = []
        for source in sources:
            for entry in outline.outline(server.library.scan(source)):
                if entry.kind in ("model", "block") and _matches(params.query, entry.name):
                    place = server.wire.location(Target(source, entry.name_start, entry.name_end))
                    if place is not None:
                        file = Path(source.name).name
                        kind = SYMBOLS[entry.kind]
                        found.append(
                            types.SymbolInformation(location=place, name=entry.name, kind=kind, container_name=file)
                        )
        return found[:MOST_SYMBOLS]


def _matches(query: str, name: str) -> bool:
    """Whether the characters of a query occur in a name in this order, in upper or lower case."""
    rest = iter(name.lower())
    return all(character in rest for character in query.lower())
