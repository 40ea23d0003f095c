"""The border between commands and the user: mistakes become messages and exit codes, never tracebacks."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

import click

from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.render import render_text

FINDINGS, USAGE, INTERRUPTED = 1, 2, 130


def run_guarded(command: click.Command, arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code."""
    code = _outcome(command, arguments)
    return _about_plugins() or code


def _about_plugins() -> int:
    """Name the plugins that could not be used, in a line each; return 1 where that counts as an error."""
    plugins = sys.modules.get("striate.host.plugins")
    failures = plugins.take_untold() if plugins is not None else []
    for failure in failures:
        click.echo(
            f"warning[W0701]: plugin {failure.plugin} cannot be loaded: {failure.reason} "
            f"(striate plugins doctor {failure.plugin} says more)",
            err=True,
        )
    if not failures:
        return 0
    from striate.host.policy import is_strict

    return FINDINGS if is_strict() else 0


def _outcome(command: click.Command, arguments: list[str] | None) -> int:
    try:
        result = command.main(args=arguments, prog_name="striate", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return USAGE if isinstance(error, click.UsageError) else error.exit_code
    except DiagnosticError as error:
        show(error.diagnostics)
        return FINDINGS
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output (head, less) went away; keep Python from complaining at its own exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINDINGS
    except Exception as error:
        finding = _plugins_fault(error)
        if finding is None:
            raise
        show([finding])
        return FINDINGS
    return result if isinstance(result, int) else 0


def _plugins_fault(error: Exception) -> Diagnostic | None:
    """Return the finding about an error that a plugin's code raised, None where it is a fault of striate itself."""
    if "striate.host.plugins" not in sys.modules:  # no plugin has been needed
        return None
    from striate.host.blame import responsible
    from striate.host.provided import failure

    plugin = responsible(error)
    return None if plugin is None else failure(f"plugin {plugin.name}", plugin, error)


def show(findings: Iterable[Diagnostic], *, err: bool = True) -> None:
    """Print findings for people, in colour where the stream is a terminal that wants it."""
    stream = sys.stderr if err else sys.stdout
    text = render_text(list(findings), color=wants_color(stream), width=terminal_width())
    if text:
        click.echo(text, err=err)


def wants_color(stream: object) -> bool:
    """Return whether to colour: a terminal, unless NO_COLOR is set (https://no-color.org)."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return bool(getattr(stream, "isatty", lambda: False)())


def terminal_width() -> int:
    """Return the columns of the terminal; 100 where there is none."""
    from shutil import get_terminal_size

    return get_terminal_size((100, 24)).columns
