"""`striate plugins`: which are installed, what ails them, who provides a name, and leaving some out for good."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from striate.cli.boundary import FINDINGS, terminal_width
from striate.cli.plugins_check import check

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from striate.host.installed import Plugin
    from striate.host.loading import PluginFailure
    from striate.host.plugins import Plugins
    from striate.host.project_files import ProjectFile


@click.group("plugins")
def command() -> None:
    """Show installed plugins, find out what ails them, check what they provide, disable and enable them; trust files.

    Only doctor and check run a plugin's code, doctor in a process of its own.
    """


command.add_command(check)


@command.command("list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
def list_plugins(form: str) -> None:
    """List the installed plugins and what they provide, by their manifests."""
    plugins = _plugins()
    rows = [_row(item, plugins) for item in plugins.installed]
    if form == "json":
        click.echo(json.dumps([{key: row[key] for key in row if key != "label"} for row in rows], indent=2))
        return
    if not rows:
        click.echo("no plugins are installed")
    for row in rows:
        click.echo(_line(row))


def _row(plugin: Plugin, plugins: Plugins) -> dict[str, Any]:
    failure = _failure(plugin, plugins)
    refused = plugins.refused.get(plugin.name)
    state = refused.state if refused else "broken" if failure else "ready"
    manifest = plugin.manifest
    return {
        "name": plugin.name,
        "label": plugin.label,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "file": plugin.written or None,
        "state": state,
        "reason": refused.reason if refused else failure.reason if failure else None,
        "advice": refused.advice if refused else failure.advice if failure else None,
        "summary": manifest.summary if manifest else "",
        "api": manifest.window if manifest else "",
        "provides": {kind: list(names) for kind, names in manifest.provides.items()} if manifest else None,
    }


def _failure(plugin: Plugin, plugins: Plugins) -> PluginFailure | None:
    """Return why a plugin cannot be used, as far as that is known; another one may have its name."""
    alike = (item for item in plugins.failures if item.plugin == plugin.name)
    return next((item for item in alike if item.distribution == plugin.distribution), None)


def _line(row: dict[str, Any]) -> str:
    from textwrap import fill

    lines = [f"{row['label']}: {row['state']}"]
    if row["reason"]:
        lines.append(f"  {row['reason']}: {row['advice']}")
    if row["summary"]:
        lines.append(f"  {row['summary']}")
    if row["provides"] is None:
        lines.append("  it has no manifest: what it provides is known when it is loaded")
    for kind, names in (row["provides"] or {}).items():
        lines.append(f"  {kind.replace('_', ' ')}: {', '.join(names)}")
    width = terminal_width()
    return "\n".join(fill(line, width, subsequent_indent="    ", break_long_words=False) for line in lines)


@command.command("which")
@click.argument("name")
def which(name: str) -> None:
    """Say which installed plugin provides NAME: a layer, a loss, a head, a file or another thing."""
    from striate.host.kinds import KINDS
    from striate.ops.registry import BUILTIN

    plugins = _plugins()
    found = ["layer: built in"] if name in BUILTIN else []
    for kind in KINDS:
        for item in plugins.installed:
            if item.declares(kind.plural, name):
                state = _row(item, plugins)
                note = "" if state["state"] == "ready" else f", which is {state['state']}: {state['reason']}"
                found.append(f"{kind.singular}: {item.label}{note}")
    if found:
        click.echo("\n".join(found))
        return
    silent = [item.name for item in plugins.installed if item.manifest is None]
    hint = f"; {', '.join(silent)} may, without a manifest: striate plugins doctor {silent[0]}" if silent else ""
    click.echo(f"no installed plugin says that it provides {name}{hint}", err=True)
    raise click.exceptions.Exit(FINDINGS)


@command.command("doctor")
@click.argument("names", nargs=-1)
def doctor(names: tuple[str, ...]) -> None:
    """Load plugins, each in a process of its own, and say in full what is wrong with them; without NAMES, all."""
    plugins = _plugins()
    for name in names:
        _demand(plugins, name)
    chosen = [item for item in plugins.installed if not names or item.name in names]
    ill = [item.name for item in chosen if not _examined(item, plugins)]
    for failure in plugins.failures:
        if failure.plugin not in {item.name for item in plugins.installed} and not names:
            click.echo(f"{failure.plugin}: {failure.reason}\n  {failure.advice}")
            ill.append(failure.plugin)
    for name, where in () if names else plugins.misspelt():
        click.echo(f"{where} names {name}: {_no_such_plugin(plugins, name)}")
    if ill:
        raise click.exceptions.Exit(FINDINGS)


def _examined(plugin: Plugin, plugins: Plugins) -> bool:
    from striate.host.attempts import forgive
    from striate.host.examination import examine

    refused = plugins.refused.get(plugin.name)
    if refused:
        click.echo(f"{plugin.label}: not examined, it {refused}")
        return True
    known = _failure(plugin, plugins)
    if known is not None:
        click.echo(f"{plugin.label}: cannot be used\n  {known.reason}\n  {known.advice}")
        return False
    found = examine(plugin, plugins.seconds)
    if found.reason is not None:
        click.echo(f"{plugin.label}: cannot be loaded\n  {found.reason}\n  {found.advice}")
        for title, text in (("what happened", found.report), ("what it printed", found.said)):
            if text.strip() and text.strip() != found.reason:
                click.echo(f"  {title}:\n" + "\n".join(f"    {line}" for line in text.strip().splitlines()))
        return False
    forgive(plugin)
    click.echo(f"{plugin.label}: fine, provides {_counted(found.names)}, loaded in {found.seconds or 0:.2f} s")
    if found.modules:
        click.echo(f"  slow to load: it imports {', '.join(found.modules)}, which its functions could do when they run")
    if found.changed:
        click.echo(f"  importing it changes {' and '.join(found.changed)}, which commands put back: tell its author")
    if plugin.manifest is None and plugin.file is None:
        click.echo("  it has no manifest, so it is loaded whenever some name is looked for: striate-plugin.toml tells")
    return True


def _counted(names: Mapping[str, tuple[str, ...]]) -> str:
    from striate.host.kinds import KINDS

    counts = {kind: len(names.get(kind.plural, ())) for kind in KINDS}
    words = [f"{n} {kind.singular if n == 1 else kind.plural.replace('_', ' ')}" for kind, n in counts.items() if n]
    return ", ".join(words) or "nothing"


@command.command("new")
@click.argument("name")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FOLDER", help="Where to [striate-NAME].")
@click.option("--summary", default="Layers and losses of our own", show_default=True, help="What it is for, in a line.")
def new(name: str, output: Path | None, summary: str) -> None:
    """Write a new plugin: a distribution with a layer, a loss, a network, tests and a README, ready to install."""
    from striate.host.scaffold import ScaffoldError, write_plugin

    folder = output or Path(f"striate-{name}")
    try:
        made = write_plugin(name, folder, summary)
    except ScaffoldError as error:
        raise click.UsageError(str(error)) from None
    click.echo(f"{name} is in {made.folder}:")
    for place in made.files:
        click.echo(f"  {place}")
    click.echo(f"next: cd {made.folder} && pip install -e '.[test]' && striate plugins check {name} && pytest")


@command.command("disable")
@click.argument("names", nargs=-1, required=True)
def disable(names: tuple[str, ...]) -> None:
    """Leave plugins out from now on, in all projects of yours."""
    plugins = _plugins()
    before = _disabled()
    for name in names:
        _demand(plugins, name, further=before)
    path = _write_disabled([*before, *names])
    click.echo(f"disabled: {', '.join(names)} ({path})")


@command.command("enable")
@click.argument("names", nargs=-1, required=True)
def enable(names: tuple[str, ...]) -> None:
    """Let plugins be used again that were disabled."""
    before = _disabled()
    unknown = [name for name in names if name not in before]
    if unknown:
        listed = f"disabled are {', '.join(before)}" if before else "none is"
        raise click.UsageError(f"{unknown[0]} is not disabled: {listed}")
    path = _write_disabled([name for name in before if name not in names])
    click.echo(f"enabled: {', '.join(names)} ({path})")
    still = {name: refusal for name, refusal in _plugins().refused.items() if name in names}
    for name, refusal in still.items():
        click.echo(f"  {name} still {refusal}")


@command.command("trust")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
def trust(paths: tuple[Path, ...]) -> None:
    """Let files of the project run that it lists as its plugins, as they are now. Read them first."""
    from striate.host.trust import set_trusted_files, trusted_files

    with _settings():
        found = [_listed_file(path) for path in paths]
        place = set_trusted_files({**trusted_files(), **{str(file.path): file.digest for file in found}})
    for file in found:
        click.echo(f"trusted: {file.written}, {file.lines} lines, {file.version}… ({place})")
    plugins = _plugins()
    for file in found:
        refusal = plugins.refused.get(file.path.stem)
        if refusal is not None:
            click.echo(f"  {file.path.stem} still {refusal}")


@command.command("distrust")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
def distrust(paths: tuple[Path, ...]) -> None:
    """Take back that files of a project may run; they need not be there any more."""
    from striate.host.trust import set_trusted_files, trusted_files

    with _settings():
        known = dict(trusted_files())
        for path in paths:
            if known.pop(os.path.realpath(path), None) is None:
                listed = ", ".join(known) or "no file is"
                raise click.UsageError(f"{path} is not trusted; trusted: {listed}")
        place = set_trusted_files(known)
    click.echo(f"not trusted any more: {', '.join(map(str, paths))} ({place})")


def _listed_file(path: Path) -> ProjectFile:
    """Return a file that the project lists among its plugins."""
    plugins = _plugins()
    wanted = os.path.realpath(path)
    for item in plugins.installed:
        if item.file is not None and str(item.file.path) == wanted:
            return item.file
        if item.written and item.file is None and os.path.realpath(item.written) == wanted:
            raise click.ClickException(str(item.ailment))
    listed = [item.written for item in plugins.installed if item.written]
    hint = f"listed are {', '.join(listed)}" if listed else f'add plugins = ["./{path.name}"]'
    raise click.UsageError(f"{path} is no plugin of this project by its striate.toml: {hint}")


@contextmanager
def _settings() -> Iterator[None]:
    """Tell what is wrong with the user's settings."""
    from striate.host.policy import SettingsError

    try:
        yield
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


def _disabled() -> tuple[str, ...]:
    from striate.host.policy import user_disabled

    with _settings():
        return user_disabled()


def _write_disabled(names: Iterable[str]) -> Path:
    from striate.host.policy import set_user_disabled

    with _settings():
        return set_user_disabled(names)


def _plugins() -> Plugins:
    from striate.host.plugins import Plugins

    return Plugins()


def _demand(plugins: Plugins, name: str, further: tuple[str, ...] = ()) -> None:
    if name not in further and name not in {item.name for item in plugins.installed}:
        raise click.UsageError(_no_such_plugin(plugins, name))


def _no_such_plugin(plugins: Plugins, name: str) -> str:
    from striate_dsl.names import nearest

    known = [item.name for item in plugins.installed]
    near = nearest(name, known)
    hint = f"did you mean {near}?" if near else f"installed are {', '.join(known) or 'none'}"
    return f"there is no plugin {name}: {hint}"
