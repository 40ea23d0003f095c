"""Which plugins are installed, and what their manifests say: from package metadata, nothing of a plugin is imported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from striate.host.manifest import Manifest, ManifestError, read_manifest

GROUP = "striate.plugins"
"""The group of entry points by which plugins are found."""

FIRST_PARTY = "striate-plugins"
"""The plugin that striate itself brings."""


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
        ailment: what is wrong with the manifest; None where nothing is.
    """

    entry: EntryPoint
    distribution: str | None = None
    version: str = ""
    manifest: Manifest | None = None
    ailment: str | None = None

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self.entry.name

    @property
    def label(self) -> str:
        """The plugin's name with its distribution and version, e.g. `boxes (striate-detection 1.4.0)`."""
        return f"{self.name} ({self.distribution} {self.version})" if self.distribution else self.name

    def declares(self, kind: str, name: str) -> bool:
        """Whether the manifest says that the plugin provides a name."""
        return self.manifest is not None and name in self.manifest.provides.get(kind, ())


def find_plugins(found: Iterable[EntryPoint] | None = None) -> tuple[Plugin, ...]:
    """Return the installed plugins by name; one that is found twice in the same distribution is one."""
    entries = entry_points(group=GROUP) if found is None else found
    plugins = {(entry.name, entry.value, _distribution(entry)): entry for entry in entries}
    return tuple(_plugin(entry) for _, entry in sorted(plugins.items(), key=lambda item: str(item[0])))


def _distribution(entry: EntryPoint) -> str | None:
    return entry.dist.metadata["Name"] if entry.dist is not None else None


def _plugin(entry: EntryPoint) -> Plugin:
    version = entry.dist.version if entry.dist is not None else ""
    try:
        return Plugin(entry, _distribution(entry), version, read_manifest(entry))
    except ManifestError as error:
        return Plugin(entry, _distribution(entry), version, None, str(error))


def installed_plugins(found: Iterable[EntryPoint] | None = None) -> tuple[InstalledPlugin, ...]:
    """Return the plugins that are installed, by name, without a look at their manifests."""
    entries = entry_points(group=GROUP) if found is None else found
    plugins = {
        InstalledPlugin(entry.name, entry.dist.metadata["Name"], entry.dist.version)
        for entry in entries
        if entry.dist is not None
    }
    return tuple(sorted(plugins, key=lambda item: (item.name, item.distribution)))
