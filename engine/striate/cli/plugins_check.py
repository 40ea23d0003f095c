"""`striate plugins check`: the conformance kit over plugins, as a score card or JSON."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from striate.cli.boundary import FINDINGS, terminal_width

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from striate.conformance import Outcome, ScoreCard
    from striate.host.installed import Plugin
    from striate.host.plugins import Plugins


@click.command("check")
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Check every installed plugin that may be used.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
@click.option("--seed", type=int, default=0, show_default=True, help="Where what is tried is drawn from.")
@click.option("--draws", type=click.IntRange(0), default=25, show_default=True, help="Calls drawn beside the samples.")
@click.option("--seconds", type=click.FloatRange(1), default=60, show_default=True, help="How long one check may take.")
def check(names: tuple[str, ...], everything: bool, form: str, seed: int, draws: int, seconds: float) -> None:
    """Hold all that plugins provide against what their records say, by numbers; striate means the built-in layers.

    Every layer, loss, file and so on is run, trained, saved, exported and compared as its kind demands. The exit code
    is 1 where something fails. The plugins' code is run: check only what you would use.
    """
    from striate.conformance import Effort, check_plugin
    from striate.conformance.results import BUILTIN_NAME
    from striate.host.plugins import Plugins

    if bool(names) is everything:
        raise click.UsageError("name the plugins to check, or say --all")
    plugins = Plugins()
    chosen = _chosen(plugins, names)
    effort = Effort(seed, draws, seconds)
    cards = []
    if BUILTIN_NAME in names:
        from striate.conformance.running import check_builtin

        cards.append(_watched(BUILTIN_NAME, lambda tell: check_builtin(effort, tell=tell)))
    for plugin in chosen:
        cards.append(_watched(plugin.name, lambda tell, plugin=plugin: check_plugin(plugin, effort, tell=tell)))  # type: ignore[misc]  # mypy knows no defaults in lambdas
    if form == "json":
        click.echo(json.dumps([card.to_plain() for card in cards], indent=2))
    else:
        for card in cards:
            show_card(card)
    if not all(card.passed for card in cards):
        raise click.exceptions.Exit(FINDINGS)


def _chosen(plugins: Plugins, names: tuple[str, ...]) -> list[Plugin]:
    """Return the plugins asked for; those that are left out are refused by name, or passed over."""
    from striate.conformance.results import BUILTIN_NAME
    from striate_dsl.names import nearest

    known = {item.name: item for item in plugins.installed}
    for name in names:
        if name in plugins.refused:
            raise click.UsageError(f"{name} {plugins.refused[name]}")
        if name not in known and name != BUILTIN_NAME:
            near = nearest(name, [*known, BUILTIN_NAME])
            hint = f"did you mean {near}?" if near else f"installed are {', '.join(known) or 'none'}"
            raise click.UsageError(f"there is no plugin {name}: {hint}")
    return [item for item in plugins.installed if (item.name in names if names else item.name not in plugins.refused)]


def _watched(name: str, run: Callable[[Callable[[Outcome], None]], ScoreCard]) -> ScoreCard:
    """Run checks, and say on a terminal which one came last."""
    from rich.console import Console

    console = Console(stderr=True)
    if not sys.stderr.isatty():
        return run(lambda outcome: None)
    with console.status(f"{name}: loading") as status:
        return run(lambda outcome: status.update(f"{name}: {outcome.kind} {outcome.record}: {outcome.check}"))


def show_card(card: ScoreCard) -> None:
    """Print a card: a row per record, then what failed, why checks do not apply, and how many there are of each."""
    from rich.console import Console

    console = Console(width=terminal_width(), highlight=False, soft_wrap=False)
    _print_table(card, console)
    _print_failures(card, console)
    _print_reasons(card, console)
    console.print(_total(card), markup=False)


def _print_table(card: ScoreCard, console: Console) -> None:
    """Print a row per record: which checks it passed, which do not apply, which it failed."""
    from rich import box
    from rich.table import Table

    from striate.conformance import Status

    columns = (Status.PASSED, Status.NOT_APPLICABLE, Status.FAILED)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    table.add_column("record", overflow="fold", ratio=3)
    for title, style in (("passed", "green"), ("not applicable", "dim"), ("failed", "bold red")):
        table.add_column(title, style=style, overflow="fold", ratio=4 if title == "passed" else 2)
    for kind, name, outcomes in card.by_record():
        cells = [", ".join(item.check for item in outcomes if item.status is status) for status in columns]
        table.add_row(f"{kind} {name}", *cells)
    console.print(table)


def _print_failures(card: ScoreCard, console: Console) -> None:
    """Print in full what failed: what is wrong, on what, and what to do."""
    from striate.conformance import Status

    for item in card.of(Status.FAILED):
        console.print(f"{item.kind} {item.record}: {item.check} failed", style="bold red", markup=False)
        for title, text in (("", item.message), ("smallest example: ", item.example), ("to repair: ", item.repair)):
            if text:
                console.print(_indented(f"{title}{text}"), markup=False)
        console.print()


def _indented(text: str) -> str:
    first, *others = text.splitlines()
    return "\n".join([f"  {first}", *(f"    {line}" for line in others)])


def _print_reasons(card: ScoreCard, console: Console) -> None:
    """Print why checks do not apply, a line per reason."""
    from striate.conformance import Status

    reasons: dict[tuple[str, str], list[str]] = {}
    for item in card.of(Status.NOT_APPLICABLE):
        reasons.setdefault((item.check, item.message), []).append(item.record)
    for (name, reason), records in reasons.items():
        of = ", ".join(records[:4]) + (f" and {len(records) - 4} more" if len(records) > 4 else "")
        console.print(f"{name} does not apply to {of}: {reason}", style="dim", markup=False)


def _total(card: ScoreCard) -> str:
    from striate.conformance import Status

    counts = ", ".join(f"{len(card.of(status))} {status.value}" for status in Status)
    seconds = sum(item.seconds for item in card.outcomes)
    return f"{card.plugin} {card.version}: {counts}, in {seconds:.1f} s"
