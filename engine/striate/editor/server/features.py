"""The abilities of the protocol that read: a question is converted, answered by our own functions, and converted back.

A question about a text waits until its newest version is checked. One that goes wrong is an error of that question.
"""

from __future__ import annotations

from lsprotocol import types

from striate.editor.server.completion import complete
from striate.editor.server.feature_changes import register_changes
from striate.editor.server.feature_places import register_places
from striate.editor.server.hints import hints
from striate.editor.server.hover import hover
from striate.editor.server.serving import Server
from striate.editor.server.signatures import signature
from striate.editor.server.tokens import MODIFIERS, TYPES, semantic_tokens
from striate.editor.server.wire import completion_item, markdown

_TRIGGERS = ["(", ",", ".", ">", "=", '"', " "]
_WATCHED = "**/*.cnn"


def register(server: Server) -> None:
    """Give a server all its abilities."""
    _register_life(server)
    _register_texts(server)
    _register_descriptions(server)
    _register_completion(server)
    _register_tokens(server)
    register_places(server)
    register_changes(server)


def _register_life(server: Server) -> None:
    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.begin(params)

    @server.feature(types.INITIALIZED)
    async def initialized(params: types.InitializedParams) -> None:
        if server.capability("workspace", "did_change_watched_files", "dynamic_registration"):
            watched = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher(_WATCHED)])
            method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
            registration = types.Registration("watched", method, watched)
            server.client_register_capability(types.RegistrationParams([registration]))

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def files_changed(params: types.DidChangeWatchedFilesParams) -> None:
        server.check_again()

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def configured(params: types.DidChangeConfigurationParams) -> None:
        """Nothing can be configured; editors say so all the same."""


def _register_texts(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.take(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: types.DidChangeTextDocumentParams) -> None:
        server.take(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.close(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        """What is saved is what was checked already."""


def _register_descriptions(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def described(params: types.HoverParams) -> types.Hover | None:
        document = await server.document(params.text_document.uri)
        if document is None:
            return None
        found = hover(server.library, document, server.wire.offset(document.source, params.position))
        if found is None:
            return None
        return types.Hover(markdown(found.text), server.wire.range(document.source, found.start, found.end))

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    async def hinted(params: types.InlayHintParams) -> list[types.InlayHint]:
        document = await server.document(params.text_document.uri)
        if document is None:
            return []
        lines = server.wire.lines(document.source)
        start, end = (server.wire.offset(document.source, place) for place in (params.range.start, params.range.end))
        return [
            types.InlayHint(
                position=types.Position(*lines.place(hint.offset)),
                label=hint.text,
                tooltip=hint.explanation,
                padding_left=True,
            )
            for hint in hints(server.library, document, start, end)
        ]


def _register_completion(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=_TRIGGERS))
    async def completed(params: types.CompletionParams) -> types.CompletionList:
        document = server.library.documents.get(params.text_document.uri)  # what is typed now is broken anyway
        if document is None:
            return types.CompletionList(is_incomplete=False, items=[])
        offset = server.wire.offset(document.source, params.position)
        found = complete(server.library, document, offset)
        place = server.wire.range(document.source, found.start, found.end)
        knows = bool(server.capability("text_document", "completion", "completion_item", "snippet_support"))
        items = [completion_item(item, place, snippets=knows) for item in found.proposals]
        return types.CompletionList(is_incomplete=False, items=items)

    @server.feature(types.TEXT_DOCUMENT_SIGNATURE_HELP, types.SignatureHelpOptions(trigger_characters=["(", ","]))
    async def signed(params: types.SignatureHelpParams) -> types.SignatureHelp | None:
        document = server.library.documents.get(params.text_document.uri)
        if document is None:
            return None
        found = signature(server.library, document, server.wire.offset(document.source, params.position))
        if found is None:
            return None
        arguments = [types.ParameterInformation(label, markdown(text)) for label, text in found.arguments]
        shown = types.SignatureInformation(found.label, markdown(found.text), arguments, found.active)
        return types.SignatureHelp([shown], 0, found.active)


def _register_tokens(server: Server) -> None:
    legend = types.SemanticTokensLegend(list(TYPES), list(MODIFIERS))

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, legend)
    async def coloured(params: types.SemanticTokensParams) -> types.SemanticTokens | None:
        document = server.library.documents.get(params.text_document.uri)
        if document is None:
            return None
        found = semantic_tokens(server.library.sight(document))
        return types.SemanticTokens(server.wire.tokens(document.source, found))

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE, legend)
    async def partly_coloured(params: types.SemanticTokensRangeParams) -> types.SemanticTokens | None:
        document = server.library.documents.get(params.text_document.uri)
        if document is None:
            return None
        start, end = (server.wire.offset(document.source, place) for place in (params.range.start, params.range.end))
        found = semantic_tokens(server.library.sight(document), start, end)
        return types.SemanticTokens(server.wire.tokens(document.source, found))
