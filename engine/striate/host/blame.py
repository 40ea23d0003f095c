"""Whose code an error comes from: a plugin's mistake is told as one, wherever it was raised."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType

from striate.host.identity import FIRST_PARTY
from striate.host.installed import Plugin, find_plugins
from striate.host.project_files import project_plugin
from striate.host.single_file import running_file


def responsible(error: BaseException, plugins: Iterable[Plugin] | None = None) -> Plugin | None:
    """Return the plugin of the innermost place on the way to an error that lies in a plugin; None where none does.

    Args:
        error: the error, as it was caught.
        plugins: the plugins that come into question, by default all that are installed. A fault of striate's own
            plugin is a fault of striate.
    """
    known = {
        item.entry.value.partition(":")[0].strip().partition(".")[0]: item
        for item in (find_plugins() if plugins is None else plugins)
        if item.name != FIRST_PARTY
    }
    found: Plugin | None = None
    place: TracebackType | None = error.__traceback__
    while place is not None:
        package = str(place.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        file = running_file(package)
        found = known.get(package, found) if file is None else project_plugin(file.written, file.root)
        place = place.tb_next
    return found
