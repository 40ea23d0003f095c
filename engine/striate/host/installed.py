"""Which distributions with plugins are installed, and in which versions: from package metadata, nothing is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

GROUP = "striate.plugins"
"""The group of entry points by which plugins are found."""


@dataclass(frozen=True, slots=True)
class InstalledPlugin:
    """A plugin's name, the distribution that brings it, and that one's version."""

    name: str
    distribution: str
    version: str


def installed_plugins(found: Iterable[EntryPoint] | None = None) -> tuple[InstalledPlugin, ...]:
    """Return the plugins that are installed, by name."""
    entries = entry_points(group=GROUP) if found is None else found
    plugins = {
        InstalledPlugin(entry.name, entry.dist.metadata["Name"], entry.dist.version)
        for entry in entries
        if entry.dist is not None
    }
    return tuple(sorted(plugins, key=lambda item: (item.name, item.distribution)))
