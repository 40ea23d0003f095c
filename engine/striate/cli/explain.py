"""`striate explain`: what a code of a finding means, with an example and repairs."""

from __future__ import annotations

import sys

import click

from striate.cli.boundary import wants_color


@click.command("explain")
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """Say what CODE means, with an example and repairs; without CODE, list all codes."""
    from striate.codes import catalogue

    pages = catalogue()
    if code is None:
        for page in pages.values():
            click.echo(f"{page.code}  {page.title}")
        return
    wanted = code.strip().strip("[]").upper()
    if wanted not in pages:
        raise click.UsageError(_unknown(code, list(pages)))
    click.echo(_shown(pages[wanted].text, color=wants_color(sys.stdout)), nl=False)


def _shown(text: str, *, color: bool) -> str:
    """Return a page for the terminal: fences become indented text with a word about what it is."""
    names = {"```cnn": "For example:", "```cnn repaired": "Repaired:", "```console": "For example:"}
    lines, inside = [], False
    heading, *rest = text.splitlines()
    title = heading.removeprefix("# ").replace(" ", ": ", 1)
    lines.append(click.style(title, bold=True) if color else title)
    for line in rest:
        if line.startswith("```"):
            inside = line in names
            lines += [names[line], ""] if inside else []
        else:
            lines.append(f"    {line}" if inside and line else line)
    return "\n".join(lines) + "\n"


def _unknown(code: str, known: list[str]) -> str:
    from striate_dsl.names import edit_distance

    wanted = code.strip().upper()
    near = min(known, key=lambda item: (edit_distance(wanted, item), item[:3] != wanted[:3], item))
    hint = f"The nearest is {near}." if edit_distance(wanted, near) <= 2 else "Codes look like E0203."
    return f"there is no code {code}. {hint} Without a code, striate explain lists all."
