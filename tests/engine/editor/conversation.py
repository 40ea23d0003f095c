"""An editor that starts the server as a subprocess and speaks to it over its protocol, with pygls' own client."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

CAPABILITIES = types.ClientCapabilities(
    workspace=types.WorkspaceClientCapabilities(
        workspace_edit=types.WorkspaceEditClientCapabilities(document_changes=True),
        did_change_watched_files=types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True),
    ),
    text_document=types.TextDocumentClientCapabilities(
        completion=types.CompletionClientCapabilities(
            completion_item=types.ClientCompletionItemOptions(snippet_support=True)
        )
    ),
)


class Editor:
    """An editor that remembers what the server sends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.client = LanguageClient("editor", "1")
        self.published: asyncio.Queue[types.PublishDiagnosticsParams] = asyncio.Queue()
        self.registered: list[types.Registration] = []
        self.versions = 0

        @self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def publish(params: types.PublishDiagnosticsParams) -> None:
            self.published.put_nowait(params)

        @self.client.feature(types.CLIENT_REGISTER_CAPABILITY)
        def register(params: types.RegistrationParams) -> None:
            self.registered.extend(params.registrations)

    async def start(self, environment: dict[str, str] | None = None) -> None:
        command = [sys.executable, "-m", "striate", "lsp", "--stdio"]
        await self.client.start_io(*command, env={**os.environ, **(environment or {})}, cwd=self.folder)
        folders = [types.WorkspaceFolder(self.folder.as_uri(), "project")]
        params = types.InitializeParams(CAPABILITIES, root_uri=self.folder.as_uri(), workspace_folders=folders)
        self.result = await asyncio.wait_for(self.client.initialize_async(params), 60)
        self.client.initialized(types.InitializedParams())

    async def stop(self) -> int:
        await asyncio.wait_for(self.client.shutdown_async(None), 30)
        self.client.exit(None)
        return await self.ended()

    async def ended(self) -> int:
        process: Any = self.client._server
        return await asyncio.wait_for(process.wait(), 30)

    def uri(self, name: str) -> str:
        return name if ":" in name else (self.folder / name).as_uri()

    def open(self, text: str, name: str = "net.cnn") -> types.TextDocumentIdentifier:
        self.versions += 1
        item = types.TextDocumentItem(self.uri(name), "cnn", self.versions, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return types.TextDocumentIdentifier(self.uri(name))

    def change(self, text: str, name: str = "net.cnn") -> int:
        self.versions += 1
        identity = types.VersionedTextDocumentIdentifier(uri=self.uri(name), version=self.versions)
        change = types.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(identity, [change]))
        return self.versions

    async def findings(self, name: str = "net.cnn", until: Callable[[list[str]], bool] | None = None) -> Any:
        """Return the next findings that are published for a text and fulfil a condition."""
        while True:
            found = await asyncio.wait_for(self.published.get(), 60)
            codes = [str(item.code) for item in found.diagnostics]
            if found.uri == self.uri(name) and (until is None or until(codes)):
                return found


def at(text: str, words: str, within: int = 0) -> types.Position:
    offset = text.index(words) + within
    return types.Position(text.count("\n", 0, offset), offset - text.rfind("\n", 0, offset) - 1)


def conversation(folder: Path, talk: Callable[[Editor], Awaitable[None]], environment: dict[str, str] | None = None):
    """Start a server, talk to it, and see that it ends well."""

    async def run() -> None:
        editor = Editor(folder)
        await editor.start(environment)
        await talk(editor)
        assert await editor.stop() == 0

    asyncio.run(run())
