"""The real server as a subprocess, spoken to over its protocol: every ability, and how it starts and ends."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pygls")

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

from tests.engine.editor.conversation import CAPABILITIES, Editor, at, conversation
from tests.engine.editor.desk import NET

BIASED = "model A {\n  input image: 3 x 32 x 32\n  conv(16, 3) -> bn -> relu\n  output y\n}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "striate.toml").write_text("")
    return tmp_path


def test_findings_come_while_typing_with_all_that_they_say(folder):
    text = BIASED.replace("conv(16, 3)", "conv(16, 3) -> maxpool(3, strde = 2)")

    async def talk(editor):
        editor.open(text)
        found = await editor.findings()
        (item,) = found.diagnostics
        assert (item.code, item.severity, item.source) == ("E0208", types.DiagnosticSeverity.Error, "striate")
        assert item.range == types.Range(at(text, "strde"), at(text, "strde", 5))
        assert "maxpool has no argument strde" in item.message
        assert "help: did you mean stride?" in item.message
        assert item.code_description.href.startswith("file:")
        page, _, line = item.code_description.href.removeprefix("file://").partition("#L")
        assert Path(page).read_text().splitlines()[int(line) - 1].startswith("# E0208")
        version = editor.change(BIASED)
        assert (await editor.findings(until=lambda codes: not codes)).version == version
        (lint,) = (await editor.findings(until=bool)).diagnostics
        assert (lint.code, lint.severity) == ("W0102", types.DiagnosticSeverity.Warning)

    conversation(folder, talk)


def test_only_the_newest_version_is_checked(folder):
    async def talk(editor):
        long = "model A {\n input x: 3 x 8 x 8\n repeat 150000 { relu }\n output y\n}\n"
        editor.open(long)
        await asyncio.sleep(0.3)  # it is being checked now, for seconds
        for number in range(5):
            last = editor.change(BIASED.replace("output y", f"output y{number},"))
        found = await editor.findings(until=bool)
        assert found.version == last
        assert all(str(item.code).startswith("E01") for item in found.diagnostics)

    conversation(folder, talk)


def test_related_places_are_told(folder):
    async def talk(editor):
        text = "block B(out) { conv(out, 1) }\nblock B(out) { relu }\nmodel A { input x: 3 x 8 x 8; B(3); output y }\n"
        editor.open(text)
        (item,) = (await editor.findings(until=bool)).diagnostics
        (related,) = item.related_information
        assert related.location.uri == editor.uri("net.cnn")
        assert related.location.range.start == types.Position(0, 6)
        assert related.message == "first defined here"

    conversation(folder, talk)


def test_hover_hints_completion_signature_and_colours(folder):
    async def talk(editor):
        document = editor.open(NET)
        shown = await editor.client.text_document_hover_async(types.HoverParams(document, at(NET, "conv(", 2)))
        assert "floor((32 + 2*1 - 3)/2) + 1 = 16" in shown.contents.value
        assert shown.range == types.Range(at(NET, "conv("), at(NET, "conv(", 4))
        everything = types.Range(types.Position(0, 0), types.Position(99, 0))
        hints = await editor.client.text_document_inlay_hint_async(types.InlayHintParams(document, everything))
        assert {hint.label for hint in hints} >= {"10", "16 x 16 x 16 … 64 x 16 x 16"}
        assert all(hint.padding_left and hint.tooltip for hint in hints)
        typed = NET.replace("  output logits", "  conv(8, 3, pad = \n  output logits")
        editor.change(typed)
        place = at(typed, "pad = \n", 6)
        found = await editor.client.text_document_completion_async(types.CompletionParams(document, place))
        assert [item.label for item in found.items][:3] == ["half", "same", "valid"]
        statement = at(typed, "  let tail", 2)
        found = await editor.client.text_document_completion_async(types.CompletionParams(document, statement))
        by_label = {item.label: item for item in found.items}
        assert by_label["conv"].insert_text_format is types.InsertTextFormat.Snippet
        assert by_label["conv"].text_edit.new_text == "conv(${1:channels}, ${2:kernel})"
        assert by_label["relu"].insert_text_format is types.InsertTextFormat.PlainText
        help_ = await editor.client.text_document_signature_help_async(types.SignatureHelpParams(document, place))
        assert help_.signatures[0].label.startswith("conv(channels, kernel, stride = 1, pad = 0")
        assert help_.active_parameter == 3
        tokens = await editor.client.text_document_semantic_tokens_full_async(types.SemanticTokensParams(document))
        assert len(tokens.data) % 5 == 0
        legend = editor.result.capabilities.semantic_tokens_provider.legend
        first = [legend.token_types[tokens.data[index + 3]] for index in (0, 5, 10)]
        assert first == ["keyword", "class", "parameter"]
        stretch = types.SemanticTokensRangeParams(document, types.Range(types.Position(1, 0), types.Position(2, 0)))
        part = await editor.client.text_document_semantic_tokens_range_async(stretch)
        assert 0 < len(part.data) < len(tokens.data)

    conversation(folder, talk)


def test_places_outline_folding_and_selection(folder):
    (folder / "other.cnn").write_text("block Elsewhere(out) { conv(out, 1) }\n")

    async def talk(editor):
        document, client = editor.open(NET), editor.client
        place = at(NET, "Residual(width) }")
        (found,) = await client.text_document_definition_async(types.DefinitionParams(document, place))
        assert (found.uri, found.range.start) == (document.uri, at(NET, "Residual"))
        (layer,) = await client.text_document_definition_async(types.DefinitionParams(document, at(NET, "conv(")))
        assert layer.uri.endswith("ops/conv.py")
        context = types.ReferenceContext(include_declaration=True)
        uses = await client.text_document_references_async(types.ReferenceParams(context, document, place))
        assert [use.range.start.line for use in uses] == [5, 15]
        marks = await client.text_document_document_highlight_async(types.DocumentHighlightParams(document, place))
        assert [mark.kind for mark in marks] == [types.DocumentHighlightKind.Write, types.DocumentHighlightKind.Read]
        symbols = await client.text_document_document_symbol_async(types.DocumentSymbolParams(document))
        assert [symbol.name for symbol in symbols][:3] == ["ConvBN", "Residual", "Net"]
        known = await client.workspace_symbol_async(types.WorkspaceSymbolParams("ewhr"))
        assert [symbol.name for symbol in known] == ["Elsewhere"]
        folds = await client.text_document_folding_range_async(types.FoldingRangeParams(document))
        assert (0, 1) in {(fold.start_line, fold.end_line) for fold in folds} or folds[0].start_line == 5
        (chain,) = await client.text_document_selection_range_async(types.SelectionRangeParams(document, [place]))
        assert chain.range == types.Range(place, at(NET, "Residual(width) }", 8))
        assert chain.parent.range == types.Range(place, at(NET, "Residual(width) }", 15))

    conversation(folder, talk)


def test_renaming_and_its_refusal(folder):
    async def talk(editor):
        document, client = editor.open(NET), editor.client
        place = at(NET, "early)")
        prepared = await client.text_document_prepare_rename_async(types.PrepareRenameParams(document, place))
        assert prepared.placeholder == "early"
        edit = await client.text_document_rename_async(types.RenameParams(document, place, "before"))
        (change,) = edit.document_changes
        assert (change.text_document.uri, change.text_document.version) == (document.uri, 1)
        assert [(item.range.start, item.new_text) for item in change.edits] == [
            (at(NET, "early\n"), "before"),
            (at(NET, "early)"), "before"),
        ]
        with pytest.raises(JsonRpcException, match="tail already means something"):
            await client.text_document_rename_async(types.RenameParams(document, place, "tail"))
        with pytest.raises(JsonRpcException, match="there is no name here"):
            await client.text_document_prepare_rename_async(types.PrepareRenameParams(document, at(NET, "repeat")))

    conversation(folder, talk)


def test_layout_and_repairs(folder):
    async def talk(editor):
        text = BIASED.replace("  conv(16, 3)", " conv( 16,3 )")
        document, client = editor.open(text), editor.client
        options = types.FormattingOptions(2, insert_spaces=True)
        edits = await client.text_document_formatting_async(types.DocumentFormattingParams(document, options))
        assert [(edit.range.start.line, edit.new_text) for edit in edits] == [(2, "  conv(16, 3) -> bn -> relu\n")]
        first = types.Range(types.Position(0, 0), types.Position(1, 0))
        params = types.DocumentRangeFormattingParams(document, first, options)
        assert not await client.text_document_range_formatting_async(params)
        editor.change(BIASED)
        await editor.findings(until=bool)
        place = types.Range(at(BIASED, "conv"), at(BIASED, "conv"))
        context = types.CodeActionContext([])
        found = await client.text_document_code_action_async(types.CodeActionParams(document, place, context))
        assert [(action.is_preferred, action.kind) for action in found] == [(True, "quickfix"), (None, "quickfix")]
        assert found[0].edit.document_changes[0].edits[0].new_text == ", bias = false"
        assert found[0].diagnostics[0].code == "W0102"
        context = types.CodeActionContext([], only=[types.CodeActionKind.SourceFixAll])
        (whole,) = await client.text_document_code_action_async(types.CodeActionParams(document, place, context))
        assert whole.kind == "source.fixAll.striate"
        assert "bias = false" in whole.edit.document_changes[0].edits[0].new_text

    conversation(folder, talk)


def test_texts_that_use_each_other_are_checked_when_one_changes(folder):
    blocks = "block B(out) { conv(out, 1) }\n"
    (folder / "blocks.cnn").write_text(blocks)

    async def talk(editor):
        editor.open('use "blocks.cnn"\nmodel A { input x: 3 x 8 x 8; B(3); output y }\n')
        assert not (await editor.findings()).diagnostics
        editor.open(blocks, "blocks.cnn")
        editor.change(blocks.replace("B(", "Other("), "blocks.cnn")
        found = await editor.findings(until=bool)
        assert [item.code for item in found.diagnostics] == ["E0301"]
        closed = types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(editor.uri("blocks.cnn")))
        editor.client.text_document_did_close(closed)
        assert not (await editor.findings(until=lambda codes: not codes)).diagnostics
        (folder / "blocks.cnn").write_text("block Gone(out) { conv(out, 1) }\n")
        event = types.FileEvent(editor.uri("blocks.cnn"), types.FileChangeType.Changed)
        editor.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
        assert [item.code for item in (await editor.findings(until=bool)).diagnostics] == ["E0301"]
        assert [item.method for item in editor.registered] == ["workspace/didChangeWatchedFiles"]

    conversation(folder, talk)


def test_a_mistake_in_a_used_file_is_shown_at_the_statement_that_uses_it(folder):
    (folder / "blocks.cnn").write_text("block B(out) {\n  conv(out, 1\n}\n")

    async def talk(editor):
        editor.open('use "blocks.cnn"\nmodel A { input x: 3 x 8 x 8; relu; output y }\n')
        (item,) = (await editor.findings(until=bool)).diagnostics
        assert item.range.start == types.Position(0, 0)
        assert item.related_information[0].location.uri == editor.uri("blocks.cnn")

    conversation(folder, talk)


def test_columns_count_utf16_units_and_line_ends_may_be_windows(folder):
    async def talk(editor):
        lines = [
            "# 😀 é",
            "model A {",
            "  input x: 3 x 8 x 8",
            "  relu  # 😀😀",
            "  nonsense",
            "  output y # \u2028 😀 ",
            "}",
        ]
        text = "\r\n".join([*lines, ""])
        document = editor.open(text)
        (item,) = (await editor.findings(until=bool)).diagnostics
        assert item.range == types.Range(types.Position(4, 2), types.Position(4, 10))
        assert editor.result.capabilities.position_encoding == "utf-16"
        message = text.replace("nonsense", 'assert in.height == 3, "😀 {in}"')
        editor.change(message)
        found = await editor.client.text_document_semantic_tokens_full_async(types.SemanticTokensParams(document))
        lengths = found.data[2::5]
        assert lengths[0] == 6  # "# 😀 é": five characters, one of which is two units
        edits = await editor.client.text_document_formatting_async(
            types.DocumentFormattingParams(document, types.FormattingOptions(2, insert_spaces=True))
        )
        assert all(edit.new_text.endswith("\r\n") for edit in edits)

    conversation(folder, talk)


def test_untitled_texts_have_everything_but_a_file(folder):
    (folder / "blocks.cnn").write_text("block B(out) { conv(out, 1) }\n")

    async def talk(editor):
        text = 'use "blocks.cnn"\nmodel A { input x: 3 x 8 x 8; B(4) -> nonsense; output y }\n'
        document = editor.open(text, "untitled:Untitled-1")
        (item,) = (await editor.findings("untitled:Untitled-1", until=bool)).diagnostics
        assert item.code == "E0301"
        (found,) = await editor.client.text_document_definition_async(
            types.DefinitionParams(document, at(text, "B(4)"))
        )
        assert found.uri == editor.uri("blocks.cnn")

    conversation(folder, talk)


def test_questions_about_texts_that_are_not_open_have_empty_answers(folder):
    async def talk(editor):
        document, place = types.TextDocumentIdentifier(editor.uri("none.cnn")), types.Position(0, 0)
        assert await editor.client.text_document_hover_async(types.HoverParams(document, place)) is None
        found = await editor.client.text_document_completion_async(types.CompletionParams(document, place))
        assert not found.items
        assert await editor.client.text_document_definition_async(types.DefinitionParams(document, place)) == []

    conversation(folder, talk)


def test_a_plugin_that_fails_or_prints_does_not_disturb_the_conversation(folder):
    site = folder / "site"
    for name, body in {
        "noisy": "print('Content-Length: 3')\nimport sys\nsys.stdout.write('{}')\nsys.stdout.flush()\n"
        "import os\nos.write(1, b'raw noise')\n",
        "failing": "raise RuntimeError('broken on purpose')\n",
    }.items():
        (site / f"{name}_plugin").mkdir(parents=True)
        (site / f"{name}_plugin" / "__init__.py").write_text(body)
        information = site / f"{name}_plugin-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-plugin\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text(f"[striate.plugins]\n{name} = {name}_plugin\n")

    async def talk(editor):
        editor.open("model A { input x: 3 x 8 x 8; nonsense; output y }\n")
        found = await editor.findings(until=bool)
        told = {item.code: item.message for item in found.diagnostics}
        assert "broken on purpose" in told["W0701"]
        assert "E0301" in told

    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    conversation(folder, talk, {"PYTHONPATH": path})


def test_a_question_can_be_withdrawn(folder):
    async def talk(editor):
        long = "model A {\n input x: 3 x 8 x 8\n repeat 150000 { relu }\n output y\n}\n"
        document = editor.open(long)
        params = types.HoverParams(document, at(long, "relu"))
        asked = asyncio.ensure_future(
            editor.client.protocol.send_request_async(types.TEXT_DOCUMENT_HOVER, params, msg_id="question")
        )
        await asyncio.sleep(0.2)
        editor.client.cancel_request(types.CancelParams("question"))
        with pytest.raises(JsonRpcException):
            await asyncio.wait_for(asked, 30)
        editor.change(BIASED)
        assert not (await editor.findings()).diagnostics

    conversation(folder, talk)


def run_server(*arguments: str, written: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "striate", "lsp", *arguments]
    return subprocess.run(command, input=written, capture_output=True, timeout=60, check=False)


def test_it_ends_when_the_editor_is_gone():
    ended = run_server()
    assert (ended.returncode, ended.stdout) == (1, b"")


def test_leaving_without_a_word_is_exit_code_1(folder):
    async def run():
        editor = Editor(folder)
        await editor.start()
        editor.client.exit(None)
        return await editor.ended()

    assert asyncio.run(run()) == 1


def test_what_is_no_message_is_survived_or_ends_it_quietly():
    ended = run_server(written=b"Content-Length: 9\r\n\r\n{nonsense\r\nContent-Length: 2\r\n\r\n{}")
    assert b"Traceback" not in ended.stdout
    assert ended.returncode == 1


@pytest.mark.parametrize("address", ["nowhere", "localhost:", "localhost:99999", "1.2.3.4:-1"])
def test_an_address_that_is_none_is_refused(address):
    ended = run_server("--tcp", address)
    assert ended.returncode == 2
    assert b"is not like 127.0.0.1:2087" in ended.stderr


def test_stdio_and_tcp_exclude_each_other():
    assert run_server("--stdio", "--tcp", "127.0.0.1:0").returncode == 2


def test_without_pygls_it_says_what_to_install(folder):
    code = (
        "import sys, importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'pygls' else find(name, *rest)\n"
        "sys.argv = ['striate', 'lsp']\nfrom striate.cli import main\nmain()\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 1
    assert "error[E0508]: this needs the package pygls" in ended.stderr
    assert "pip install 'striate[editor]'" in ended.stderr


def test_over_a_socket(folder):
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "striate", "lsp", "--tcp", f"127.0.0.1:{port}"]

    async def run():
        client = LanguageClient("editor", "1")
        for _ in range(300):
            try:
                await client.start_tcp("127.0.0.1", port)
                break
            except OSError:
                await asyncio.sleep(0.1)
        result = await asyncio.wait_for(client.initialize_async(types.InitializeParams(CAPABILITIES)), 60)
        assert result.server_info.name == "striate"
        await client.shutdown_async(None)
        client.exit(None)

    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        asyncio.run(run())
        server.wait(30)
    finally:
        server.kill()
        server.communicate()
