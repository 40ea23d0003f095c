"""`striate explain`: what a finding's code, a layer, a plugin's record or a word of the language means."""

from __future__ import annotations

import re
import sys

import click

from striate.cli.boundary import terminal_width, wants_color

_CODE = re.compile(r"[EW]\d+")


@click.command("explain")
@click.argument("topic", required=False)
def command(topic: str | None) -> None:
    """Say what TOPIC means, with examples: a code (E0203), a layer, a loss, a head, a word of the language.

    Without TOPIC, list all of them.
    """
    if topic is None:
        _list_all()
        return
    from striate.codes import catalogue

    pages = catalogue()
    wanted = topic.strip().strip("[]").upper()
    if wanted in pages:
        click.echo(_shown(pages[wanted].text, color=wants_color(sys.stdout)), nl=False)
    elif _CODE.fullmatch(wanted):
        raise click.UsageError(_unknown_code(topic, list(pages)))
    else:
        _show_topic(topic.strip())


def _list_all() -> None:
    from striate.codes import catalogue
    from striate.host.catalogue import HostCatalogue
    from striate.reference.topics import topics

    def heading(text: str) -> str:
        return click.style(text, bold=True) if wants_color(sys.stdout) else text

    for title, group in topics(HostCatalogue()).items():
        if group:
            wide = max(len(topic.name) for topic in group)
            click.echo("\n".join([heading(title), *(f"  {item.name:{wide}}  {item.summary}" for item in group), ""]))
    click.echo(heading("Codes"))
    for page in catalogue().values():
        click.echo(f"  {page.code}  {page.title}")


def _show_topic(name: str) -> None:
    from striate.cli.boundary import show
    from striate.cli.pages import show_page
    from striate.host.catalogue import HostCatalogue
    from striate.reference.topics import find, names, topics

    catalogue = HostCatalogue()
    known = topics(catalogue)
    show(catalogue.warnings())
    found = find(name, known)
    if not found:
        raise click.UsageError(_unknown_topic(name, names(known)))
    for number, topic in enumerate(found):
        click.echo("\n" if number else "", nl=False)
        show_page(topic.page(), width=terminal_width(), color=wants_color(sys.stdout))


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


def _unknown_code(code: str, known: list[str]) -> str:
    from striate_dsl.names import edit_distance

    wanted = code.strip().upper()
    near = min(known, key=lambda item: (edit_distance(wanted, item), item[:3] != wanted[:3], item))
    hint = f"The nearest is {near}." if edit_distance(wanted, near) <= 2 else "Codes look like E0203."
    return f"there is no code {code}. {hint} Without a code, striate explain lists all."


def _unknown_topic(name: str, known: list[str]) -> str:
    from striate_dsl.names import nearest

    near = nearest(name, known)
    hint = f" Did you mean {near}?" if near else ""
    return f"there is nothing called {name}.{hint} Without a topic, striate explain lists all."
