"""Which plugins are installed, and what their manifests say: from package metadata, nothing of a plugin is imported."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points
from typing import TYPE_CHECKING

from striate.host.identity import FIRST_PARTY, OWN_DISTRIBUTION
from striate.host.manifest import Manifest, ManifestError, read_manifest

if TYPE_CHECKING:
    from striate.host.project_files import ProjectFile

GROUP = "striate.plugins"
"""The group of entry points by which plugins are found."""

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
"""What a plugin may be called: as distributions are."""


@dataclass(frozen=True, slots=True)
class InstalledPlugin:
    """A plugin's name, the distribution that brings it, and that one's version."""

    name: str
    distribution: str
    version: str


@dataclass(frozen=True, slots=True)
class Plugin:
    """An installed plugin as far as it is known without importing it.

    Attributes:
        entry: the entry point, by whose name the plugin goes.
        distribution: the distribution that brings it; None for an entry point that is in none.
        version: that one's version; empty where there is none.
        manifest: what it says of itself; None where it says nothing.
        ailment: what is wrong with the manifest, or with a file of the project; None where nothing is.
        file: the file of the project that it is; None where it is installed.
        written: the path of that file as the project writes it, also where the file cannot be read.
    """

    entry: EntryPoint
    distribution: str | None = None
    version: str = ""
    manifest: Manifest | None = None
    ailment: str | None = None
    file: ProjectFile | None = None
    written: str = ""

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self.entry.name

    @property
    def label(self) -> str:
        """The plugin's name with its distribution and version, e.g. `boxes (striate-detection 1.4.0)`, or its file."""
        brought = f"{self.distribution} {self.version}".strip() if self.distribution else self.written
        return f"{self.name} ({brought})" if brought and brought != self.name else self.name

    def declares(self, kind: str, name: str) -> bool:
        """Whether the manifest says that the plugin provides a name."""
        return self.manifest is not None and name in self.manifest.provides.get(kind, ())


def is_own(plugin: Plugin) -> bool:
    """Whether a plugin is the one that striate itself brings, and not another of that name."""
    return plugin.name == FIRST_PARTY and plugin.distribution == OWN_DISTRIBUTION


def find_plugins(found: Iterable[EntryPoint] | None = None) -> tuple[Plugin, ...]:
    """Return the installed plugins by name; one that is found twice in the same distribution is one."""
    entries, ailing = _entries() if found is None else (found, [])
    plugins = {}
    for entry in entries:
        distribution, version = _said(entry.dist)
        plugins[entry.name, entry.value, distribution] = (entry, distribution, version)
    sound = [_plugin(*item) for _, item in sorted(plugins.items(), key=lambda pair: str(pair[0]))]
    return (*sound, *ailing)


def _entries() -> tuple[Iterable[EntryPoint], list[Plugin]]:
    """Return the entry points of plugins, and a plugin for each distribution whose own cannot be read.

    Python reads those of all distributions at once, and one that is garbled hides all others.
    """
    try:
        return entry_points(group=GROUP), []
    except Exception:  # whatever Python makes of a garbled file
        return _entries_one_by_one()


def _entries_one_by_one() -> tuple[list[EntryPoint], list[Plugin]]:
    entries: list[EntryPoint] = []
    ailing: list[Plugin] = []
    for distribution in distributions():
        try:
            entries += [entry for entry in distribution.entry_points if entry.group == GROUP]
        except Exception as error:
            said, version = _said(distribution)
            name = said or "unknown"
            if GROUP in (distribution.read_text("entry_points.txt") or ""):
                reason = f"its entry points cannot be read: {error}"
                ailing.append(Plugin(EntryPoint(name, name, GROUP), name, version, None, reason))
    return entries, ailing


def _said(distribution: Distribution | None) -> tuple[str | None, str]:
    """Return a distribution's name and version: None and nothing where its metadata is missing or garbled."""
    if distribution is None:
        return None, ""
    try:
        metadata = distribution.metadata
        return metadata["Name"] or None, metadata["Version"] or ""
    except Exception:  # whatever Python makes of a garbled file, and of none
        return None, ""


def _plugin(entry: EntryPoint, distribution: str | None, version: str) -> Plugin:
    if _NAME.fullmatch(entry.name) is None:
        reason = f"{entry.name[:60]!a} is no name for a plugin: letters a to z, digits, and -, _ or . between them"
        return Plugin(entry, distribution, version, None, reason)
    try:
        return Plugin(entry, distribution, version, read_manifest(entry))
    except ManifestError as error:
        return Plugin(entry, distribution, version, None, str(error))


def installed_plugins(found: Iterable[EntryPoint] | None = None) -> tuple[InstalledPlugin, ...]:
    """Return the plugins that are installed, by name, without a look at their manifests."""
    entries = _entries()[0] if found is None else found
    brought = ((entry.name, *_said(entry.dist)) for entry in entries)
    plugins = {InstalledPlugin(name, distribution, version) for name, distribution, version in brought if distribution}
    return tuple(sorted(plugins, key=lambda item: (item.name, item.distribution)))
