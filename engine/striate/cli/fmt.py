"""`striate fmt`: .cnn files in canonical form, rewritten, compared or only named."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click

from striate.cli.boundary import FINDINGS, show, wants_color
from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.formatter import format_source
from striate_dsl.limits import FILE_SIZE
from striate_dsl.reading import decode_source, read_source

if TYPE_CHECKING:
    from striate_dsl.source import Source

STANDARD_INPUT = Path("-")

Renewal: TypeAlias = "Callable[[Source], tuple[Source, int | None]]"
"""From a text to the same in the current language, with the version that it was in, None where nothing was to do."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A file, its text, and its text in canonical form (None where it has mistakes)."""

    path: Path
    text: str = ""
    formatted: str | None = None
    done: str = "formatted"

    @property
    def changes(self) -> bool:
        return self.formatted is not None and self.formatted != self.text


@click.command("fmt")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True), metavar="FILE...")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 and name the files that would change.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@click.option("--migrate", is_flag=True, help="Rewrite files of an older language first.")
@click.option(
    "--from", "older", type=click.IntRange(min=1), metavar="N", help="The language of files that do not state theirs."
)
def command(files: tuple[Path, ...], check: bool, diff: bool, migrate: bool, older: int | None) -> int:
    """Write FILEs in canonical form: indents, blanks, line breaks; comments and meaning stay.

    Folders are searched for .cnn files; `-` reads from standard input and writes to standard output. A file with
    syntax errors is left as it is. The exit code is 1 if there are such files, or with --check files that would change.
    """
    renewal = _renewal(migrate, older)
    if STANDARD_INPUT in files:
        if len(files) > 1:
            raise click.UsageError("- stands for standard input: name no other files beside it")
        return _standard_input(check, diff, renewal)
    outcomes = [_outcome(path, _read(path), renewal) for path in _networks(files)]
    for each in outcomes:
        if each.changes and not check and not diff:
            _rewrite(each)
        if each.changes and diff:
            _show_difference(each)
        elif each.changes:
            click.echo(f"{each.path}: {'would change' if check else each.done}")
    _count(outcomes, written=not check and not diff)
    return FINDINGS if any(each.formatted is None or (check and each.changes) for each in outcomes) else 0


def _networks(paths: Iterable[Path]) -> Iterator[Path]:
    """The files named, and the .cnn files of folders; hidden folders (.git, .venv) are left alone."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = [each for each in sorted(path.rglob("*.cnn")) if each.is_file() and not _is_hidden(each, path)]
        if not found:
            click.echo(f"{path}: no .cnn file in this folder", err=True)
        yield from found


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _read(path: Path) -> Source | None:
    try:
        return read_source(path)
    except DiagnosticError as error:
        show(error.diagnostics)
        return None


def _renewal(migrate: bool, older: int | None) -> Renewal:
    """Return what brings a text into the current language: nothing without --migrate."""
    from striate_dsl import languages

    if older is not None and not migrate:
        raise click.UsageError("--from goes with --migrate")
    if older is not None and (older > languages.KNOWN.current or languages.KNOWN.chain(older) is None):
        raise click.UsageError(f"there is no way from language {older} to language {languages.KNOWN.current}")

    def renew(source: Source) -> tuple[Source, int | None]:
        version = languages.older_version(source, older) if migrate else None
        if version is None:
            return source, None
        return type(source)(source.name, languages.migrate(source, version)), version

    return renew


def _outcome(path: Path, source: Source | None, renewal: Renewal) -> Outcome:
    if source is None:
        return Outcome(path)
    renewed, version = renewal(source)
    result = format_source(renewed)
    show(result.diagnostics)
    done = "formatted" if version is None else f"migrated from language {version} and formatted"
    return Outcome(path, source.text, result.text, done)


def _rewrite(outcome: Outcome) -> None:
    from striate.runtime.atomic import atomic_write

    mode = outcome.path.stat().st_mode & 0o7777
    atomic_write(outcome.path, outcome.formatted or "")
    outcome.path.chmod(mode)


def _show_difference(outcome: Outcome) -> None:
    from difflib import unified_diff

    before, after = (text.splitlines(keepends=True) for text in (outcome.text, outcome.formatted or ""))
    inks = {"-": "red", "+": "green", "@": "cyan"} if wants_color(sys.stdout) else {}
    for line in unified_diff(before, after, str(outcome.path), f"{outcome.path} (formatted)"):
        shown = line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        click.echo(click.style(shown, fg=inks.get(line[0])) if inks else shown, nl=False)


def _count(outcomes: list[Outcome], *, written: bool) -> None:
    """Say on standard error how many files there were of each kind."""
    changed = sum(each.changes for each in outcomes)
    faulty = sum(each.formatted is None for each in outcomes)
    kinds = {
        "formatted" if written else "would change": changed,
        "already in form": len(outcomes) - changed - faulty,
        "left as they were because of errors": faulty,
    }
    parts = [f"{number} {kind}" for kind, number in kinds.items() if number]
    if parts:
        click.echo(f"{len(outcomes)} file{'s' * (len(outcomes) != 1)}: {', '.join(parts)}", err=True)


def _standard_input(check: bool, diff: bool, renewal: Renewal) -> int:
    """Format what comes in; nothing goes out if it has errors, so that an editor keeps its text."""
    source = decode_source("<stdin>", sys.stdin.buffer.read(FILE_SIZE.value + 1))
    outcome = _outcome(Path(source.name), source, renewal)
    if outcome.formatted is None:
        return FINDINGS
    if diff:
        _show_difference(outcome)
    elif not check:
        sys.stdout.buffer.write(outcome.formatted.encode())
        sys.stdout.buffer.flush()
    return FINDINGS if check and outcome.changes else 0
