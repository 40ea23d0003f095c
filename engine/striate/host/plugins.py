"""All plugins together: which one has a name is looked up in their manifests, and only that one is loaded.

A plugin without a manifest may have any name, so it is loaded when a name is looked for that is not known yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from striate.host.installed import Plugin, find_plugins
from striate.host.loading import Contribution, PluginFailure, load, unfit
from striate.host.policy import Policy, SettingsError, current_policy

_untold: list[PluginFailure] = []


def take_untold() -> list[PluginFailure]:
    """Return the failures in this process that nobody has been told of yet; from now on they count as told."""
    found = list({failure.plugin: failure for failure in _untold}.values())
    _untold.clear()
    return found


class Plugins:
    """The installed plugins, each loaded when it is first needed.

    Attributes:
        installed: all of them, those that may not be used included.
        refused: why a plugin may not be used, by name.
        failures: those that cannot be used, in the order in which that was found out.
    """

    def __init__(self, installed: Iterable[Plugin] | None = None, policy: Policy | None = None) -> None:
        """Take the plugins that are installed and the policy of the current folder, unless others are given."""
        self.installed = find_plugins() if installed is None else tuple(installed)
        self.failures: list[PluginFailure] = []
        self._policy = policy or self._policy_here()
        self.refused = {
            plugin.name: reason
            for plugin in self.installed
            if (reason := self._policy.refusal(plugin.name)) is not None
        }
        self._usable = {plugin.name: plugin for plugin in self._sound()}
        self._loaded: dict[str, Contribution] = {}

    def _policy_here(self) -> Policy:
        try:
            return current_policy()
        except SettingsError as error:
            advice = "repair the file; until then only striate's own plugin is used"
            self._fail(PluginFailure("settings", str(error), advice=advice, report=str(error)))
            return Policy(nobody="is left out, because the settings cannot be read")

    def _sound(self) -> Iterator[Plugin]:
        """Yield the plugins that may be used and whose manifests do not speak against it."""
        names = Counter(plugin.name for plugin in self.installed)
        for plugin in self.installed:
            if plugin.name in self.refused:
                continue
            failure = unfit(plugin) if names[plugin.name] == 1 else self._namesakes(plugin.name)
            if failure is None:
                yield plugin
            elif failure not in self.failures:
                self._fail(failure)

    def _fail(self, failure: PluginFailure) -> None:
        self.failures.append(failure)
        _untold.append(failure)

    def _namesakes(self, name: str) -> PluginFailure:
        brought = sorted({item.distribution or item.entry.value for item in self.installed if item.name == name})
        reason = f"{' and '.join(brought)} both bring a plugin of this name"
        return PluginFailure(name, reason, advice="uninstall one of them", report=reason)

    @property
    def seconds(self) -> float:
        """How long the loading of one plugin may take."""
        return self._policy.seconds

    @property
    def strict(self) -> bool:
        """Whether a plugin that fails is an error."""
        return self._policy.strict

    # ---------------------------------------------------------------------------------------- lookups

    def owners(self, kind: str, name: str) -> list[str]:
        """Return the plugins that provide a name, sorted; `kind` is in the plural, as in manifests."""
        self._load_undeclared()
        declared = [item.name for item in self._usable.values() if item.declares(kind, name)]
        found = [owner for owner, given in self._loaded.items() if name in given.records.get(kind, {})]
        return sorted({*declared, *found})

    def record(self, kind: str, name: str, owner: str) -> Any:
        """Return a plugin's record, loading the plugin if need be; None where it cannot give it."""
        given = self.contribution(owner)
        return None if given is None else given.records.get(kind, {}).get(name)

    def names(self, kind: str) -> list[str]:
        """Return all names of a kind, sorted; plugins with a manifest are not loaded for that."""
        self._load_undeclared()
        names = {
            name for item in self._usable.values() if item.manifest for name in item.manifest.provides.get(kind, ())
        }
        names |= {name for given in self._loaded.values() for name in given.records.get(kind, {})}
        return sorted(names)

    def of(self, kind: str) -> Mapping[str, tuple[str, Any]]:
        """Return owner and record by name for all records of a kind; names of several plugins are left out."""
        found = {}
        for name in self.names(kind):
            owners = self.owners(kind, name)
            record = self.record(kind, name, owners[0]) if len(owners) == 1 else None
            if record is not None:
                found[name] = (owners[0], record)
        return found

    # ---------------------------------------------------------------------------------------- loading

    def contribution(self, owner: str) -> Contribution | None:
        """Return what a plugin gives, None where it is not there, may not be used, or cannot be loaded."""
        known = self._loaded.get(owner)
        plugin = self._usable.get(owner)
        if known is not None or plugin is None:
            return known
        outcome = load(plugin, self._policy.seconds)
        if isinstance(outcome, PluginFailure):
            del self._usable[owner]
            self._fail(outcome)
            return None
        self._loaded[owner] = outcome
        return outcome

    def load_all(self) -> None:
        """Load every plugin that may be used."""
        for owner in list(self._usable):
            self.contribution(owner)

    def _load_undeclared(self) -> None:
        for owner in [name for name, item in self._usable.items() if item.manifest is None]:
            self.contribution(owner)

    def plugin(self, name: str) -> Plugin | None:
        """Return an installed plugin by name."""
        return next((item for item in self.installed if item.name == name), None)
