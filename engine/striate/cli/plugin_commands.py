"""Commands that plugins provide: listed by their manifests, loaded when one is called, blamed when it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from striate.host.provided import Provided
    from striate.host.work_records import CommandRecord


def listed_commands() -> list[tuple[str, str]]:
    """Return name and description of the commands that manifests name; no plugin is imported.

    One that several plugins have is listed once for each, as `acme.stats`, which is how it is called then.
    """
    from striate.host.identity import qualifier
    from striate.host.plugins import Plugins

    plugins = Plugins()
    left_out = {*plugins.refused, *(failure.plugin for failure in plugins.failures)}
    offered = [
        (name, item)
        for item in plugins.installed
        if item.manifest is not None and item.name not in left_out
        for name in item.manifest.provides.get("commands", ())
    ]
    count = [name for name, _ in offered]
    return sorted(
        (
            f"{qualifier(item.name)}.{name}" if count.count(name) > 1 else name,
            f"Of plugin {item.name}"
            + (f": {item.manifest.summary}" if item.manifest and item.manifest.summary else "."),
        )
        for name, item in offered
    )


def plugin_command(name: str) -> click.Command | None:
    """Return a plugin's command, None where no plugin has it.

    Raises:
        DiagnosticError: E0702, several plugins have it; E0720 or E0721, it cannot be made.
    """
    from striate.host.catalogue import HostCatalogue
    from striate.host.provided import find_provided, shown
    from striate.host.work_records import CommandRecord

    found = find_provided(HostCatalogue(), CommandRecord, name)
    if found is None:
        return None
    with found.blamed(click.ClickException):
        made = found.record.factory()
    found.demand(isinstance(made, click.Command), f"was made as {shown(made)} where a click.Command is due")
    return _Blamed(found, made)


class _Blamed(click.Command):
    """A plugin's command under its record's name; what it raises is a finding that names the plugin."""

    def __init__(self, found: Provided[CommandRecord], inner: click.Command) -> None:
        super().__init__(
            found.name,
            params=[],
            help=inner.help or found.record.summary,
            add_help_option=False,
            context_settings={
                "ignore_unknown_options": True,
                "allow_extra_args": True,
                "allow_interspersed_args": False,
            },
        )
        self._found, self._inner = found, inner

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Leave every argument to the plugin's command."""
        ctx.args = list(args)
        return []

    def invoke(self, ctx: click.Context) -> Any:
        """Run the plugin's command with what was written behind its name."""
        with self._found.blamed(click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            inner = self._inner.make_context(self._found.name, list(ctx.args), parent=ctx.parent)
            with inner:
                return self._inner.invoke(inner)
