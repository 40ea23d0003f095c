"""All plugins together: which one has a name is looked up in their manifests, and only that one is loaded.

A plugin without a manifest may have any name, so it is loaded when a name is looked for that is not known yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from striate.host.attempts import ended_the_program
from striate.host.identity import qualifier
from striate.host.installed import Plugin, find_plugins, is_own
from striate.host.loading import Contribution, PluginFailure, load, unfit
from striate.host.policy import Policy, Refusal, SettingsError, current_policy

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

    def __init__(
        self, installed: Iterable[Plugin] | None = None, policy: Policy | None = None, folder: Path | None = None
    ) -> None:
        """Take the plugins that are installed and the policy of a folder, by default the current one.

        Args:
            installed: other plugins than those that are installed.
            policy: another policy than the folder's.
            folder: a folder of the project whose settings hold, and whose files are plugins if it says so.
        """
        self.failures: list[PluginFailure] = []
        self._policy = policy or self._policy_in(folder)
        self.installed = (*find_plugins(), *self._project_files()) if installed is None else tuple(installed)
        self.refused = {
            plugin.name: refusal for plugin in self.installed if (refusal := self._refusal(plugin)) is not None
        }
        self._usable = {plugin.name: plugin for plugin in self._sound()}
        self._loaded: dict[str, Contribution] = {}

    def _project_files(self) -> list[Plugin]:
        """Return the plugins that are files of the project, read but not run."""
        if self._policy.root is None:
            return []
        from striate.host.project_files import project_plugin  # noqa: PLC0415  # few projects have such files

        return [project_plugin(written, self._policy.root) for written in dict.fromkeys(self._policy.files)]

    def _refusal(self, plugin: Plugin) -> Refusal | None:
        """Return why a plugin is not used: because somebody has said so, or because nobody has trusted its file."""
        refusal = self._policy.refusal(plugin.name, is_listed=bool(plugin.written))
        if refusal is not None or plugin.file is None:
            return refusal
        from striate.host.trust import distrust  # noqa: PLC0415  # few projects have such files

        try:
            return distrust(plugin.file)
        except SettingsError as error:
            return Refusal("is not trusted, because what is cannot be read", str(error), "untrusted")

    def _policy_in(self, folder: Path | None) -> Policy:
        try:
            return current_policy(folder)
        except SettingsError as error:
            advice = "repair the file; until then only striate's own plugin is used"
            self._fail(PluginFailure("settings", str(error), advice=advice, report=str(error)))
            return Policy(nobody=Refusal("is left out, because the settings cannot be read", advice))

    def _sound(self) -> Iterator[Plugin]:
        """Yield the plugins that may be used and whose manifests do not speak against it."""
        bearers: dict[str, list[Plugin]] = {}
        for plugin in self.installed:
            bearers.setdefault(qualifier(plugin.name), []).append(plugin)
        for plugin in self.installed:
            if plugin.name in self.refused:
                continue
            same = bearers[qualifier(plugin.name)]
            failure = unfit(plugin) if len(same) == 1 or is_own(plugin) else _namesakes(plugin, same)
            if failure is None:
                yield plugin
            elif failure not in self.failures:
                self._fail(failure)

    def _fail(self, failure: PluginFailure) -> None:
        self.failures.append(failure)
        _untold.append(failure)

    @property
    def seconds(self) -> float:
        """How long the loading of one plugin may take."""
        return self._policy.seconds

    def misspelt(self) -> list[tuple[str, str]]:
        """Return the plugins that a list of settings names and that are not installed, each with where the list is."""
        known = {qualifier(item.name) for item in self.installed}
        return [(name, where) for name, where in self._policy.named if qualifier(name) not in known]

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

    def names(self, kind: str, owner: str | None = None) -> list[str]:
        """Return the names of a kind, all or one plugin's, sorted; plugins with a manifest are not loaded for that."""
        self._load_undeclared()
        asked = [item for item in self._usable.values() if owner in (None, item.name)]
        names = {name for item in asked if item.manifest for name in item.manifest.provides.get(kind, ())}
        loaded = [self._loaded[item.name] for item in asked if item.name in self._loaded]
        return sorted(names | {name for given in loaded for name in given.records.get(kind, {})})

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
        outcome = _crashed(plugin) if ended_the_program(plugin) else load(plugin, self._policy.seconds)
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


def _crashed(plugin: Plugin) -> PluginFailure:
    reason = "its loading ended the whole program the last time"
    advice = f"leave it out: striate plugins disable {plugin.name}"
    return PluginFailure(plugin.name, reason, plugin.manifest, plugin.distribution, advice, reason)


def _namesakes(plugin: Plugin, bearers: list[Plugin]) -> PluginFailure:
    """Return why a plugin cannot be used that has its name, or what stands before its names' dots, with others."""
    brought = sorted({item.distribution or item.written or item.entry.value for item in bearers})
    if any(is_own(item) for item in bearers):
        reason = f"{qualifier(plugin.name)} is what striate's own plugin is called"
        package = plugin.distribution or plugin.name
        advice = f"tell its author to choose another name, and uninstall it: pip uninstall {package}"
        return PluginFailure(plugin.name, reason, plugin.manifest, plugin.distribution, advice, reason)
    names = sorted({item.name for item in bearers})
    alike = "of this name" if len(names) == 1 else f"that names are written {qualifier(plugin.name)}.… for"
    reason = f"{' and '.join(brought)} both bring a plugin {alike}"
    mine = [item.written for item in bearers if item.written]
    advice = f"give {mine[0]} another name" if mine else "uninstall one of them"
    return PluginFailure(plugin.name, reason, advice=advice, report=reason)
