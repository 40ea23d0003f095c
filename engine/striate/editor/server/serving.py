"""The server itself: the editor's texts, kept up to date and checked, and what is sent without being asked for.

Texts are taken whole: ten kilobytes per keystroke cost less than lines counted by other rules than the protocol's.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from striate.editor.server.documents import Analysis, Document, Library
from striate.editor.server.places import readable
from striate.editor.server.schedule import Schedule
from striate.editor.server.texts import Buffer
from striate.editor.server.wire import Wire, path_of
from striate.version import __version__
from striate_dsl.source import Source

_log = logging.getLogger(__name__)


class Server(LanguageServer):
    """A language server for `.cnn` texts."""

    def __init__(self) -> None:
        super().__init__("striate", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.library = Library()
        self.schedule = Schedule(self.library, self.show_findings, self.refresh)
        self.root = Path.cwd()
        self.wire = Wire(self.library.texts, "utf-16")

    # ------------------------------------------------------------------------------------------ the editor

    def begin(self, params: types.InitializeParams) -> None:
        """Take the editor's folders and the encoding of columns that was agreed."""
        folders = [path_of(folder.uri, self.root)[0] for folder in params.workspace_folders or ()]
        if not folders and params.root_uri:
            folders = [path_of(params.root_uri, self.root)[0]]
        self.library.roots = [folder for folder in folders if folder.is_dir()]
        self.root = self.library.roots[0] if self.library.roots else self.root
        self.library.catalogue.folder = self.root
        encoding = self.workspace.position_encoding
        self.wire = Wire(self.library.texts, str(getattr(encoding, "value", encoding) or "utf-16"))

    def capability(self, *path: str) -> Any:
        """Return what the editor said about an ability, None where it said nothing."""
        found: Any = self.client_capabilities
        for name in path:
            found = None if found is None else getattr(found, name, None)
        return found

    def show_findings(self, document: Document, analysis: Analysis) -> None:
        """Send what was found in a text."""
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(
                uri=document.buffer.uri,
                version=document.buffer.version,
                diagnostics=self.wire.diagnostics(analysis),
            )
        )

    def refresh(self) -> None:
        """Ask for hints again, where a text depends on another one that changed."""
        if self.capability("workspace", "inlay_hint", "refresh_support"):
            self.workspace_inlay_hint_refresh(None)

    # ------------------------------------------------------------------------------------------ texts

    def take(self, uri: str) -> None:
        """Take a text as the editor has it now, and check it soon."""
        found = self.workspace.get_text_document(uri)
        path, is_file = path_of(uri, self.root)
        source = Source(str(path), readable(found.source))
        self.schedule.touch(self.library.put(Buffer(uri, path, found.version, source, is_file)))

    def close(self, uri: str) -> None:
        """Forget a text; what uses it sees the file on the disk again."""
        document = self.library.documents.get(uri)
        self.schedule.forget(uri)
        others = self.library.dependants(document) if document is not None else []
        self.library.drop(uri)
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri=uri, diagnostics=[]))
        for other in others:
            self.schedule.touch(other)

    def check_again(self) -> None:
        """Check all texts: files on the disk have changed."""
        for document in list(self.library.documents.values()):
            self.schedule.touch(document)

    async def document(self, uri: str) -> Document | None:
        """Return an open text once its newest version is checked."""
        document = self.library.documents.get(uri)
        if document is not None:
            await self.schedule.checked(document)
        return self.library.documents.get(uri)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Write a mistake of ours to the log, and do not bother the user with it; refusals are none."""
        if getattr(error, "code", None) != types.LSPErrorCodes.RequestFailed.value:
            _log.error("%s: %s %s", getattr(source, "__name__", source), error, getattr(error, "data", None) or "")
