"""`striate lsp`: the language server, for editors to start."""

from __future__ import annotations

from importlib.util import find_spec

import click

from striate_dsl.diagnostics import Diagnostic, DiagnosticError


class _Address(click.ParamType[tuple[str, int]]):
    """HOST:PORT."""

    name = "host:port"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        host, colon, port = str(value).rpartition(":")
        if not colon or not port.isdecimal() or int(port) > 65535:
            self.fail(f"{value!r} is not like 127.0.0.1:2087", param, ctx)
        return host or "127.0.0.1", int(port)


@click.command("lsp")
@click.option("--stdio", is_flag=True, help="Speak over stdin and stdout: what is done anyway; some editors say it.")
@click.option("--tcp", type=_Address(), help="Speak to one editor at HOST:PORT instead, to look for mistakes.")
def command(stdio: bool, tcp: tuple[str, int] | None) -> int:
    """Serve an editor: findings while typing, sizes behind lines, completion, renaming, repairs.

    Editors start this by themselves; docs/editors.md says how to tell them. Needs the packages of striate[editor].
    """
    if stdio and tcp is not None:
        raise click.UsageError("--stdio and --tcp exclude each other")
    if find_spec("pygls") is None:
        raise DiagnosticError(
            Diagnostic(
                "E0508",
                "this needs the package pygls, which is not installed",
                help="pip install 'striate[editor]'",
            )
        )
    from striate.editor.server.running import serve

    try:
        return serve(tcp)
    except OSError as error:
        if tcp is None:
            raise
        raise click.UsageError(f"cannot listen at {tcp[0]}:{tcp[1]}: {error.strerror or error}") from None
