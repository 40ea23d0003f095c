"""What plugins' things are called, and how striate's own plugin is told from others."""

from __future__ import annotations

FIRST_PARTY = "striate-plugins"
"""The plugin that striate itself brings."""

OWN_DISTRIBUTION = "striate"
"""The distribution that brings it: an index has one of that name, so nobody else's plugin can pass for it."""


def qualifier(plugin: str) -> str:
    """Return what stands before the dot of a name that says whose it is: the plugin's name as an identifier."""
    return plugin.replace("-", "_").replace(".", "_")


def identity(owner: str, name: str) -> str:
    """Return what a thing is called in graphs, checkpoints and reports, however a file writes it.

    What striate brings itself goes by its plain name, everything else by `owner.name`: so that what a network is
    called does not depend on which other plugins are installed.
    """
    return name if owner == FIRST_PARTY else f"{qualifier(owner)}.{name}"
