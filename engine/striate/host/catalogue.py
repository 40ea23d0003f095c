"""Everything that can be named in a `.cnn` file, by kind: built-in layers at once, plugins' records when asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from striate.host.identity import FIRST_PARTY, identity, qualifier
from striate.host.records import HeadRecord
from striate.ops.record import OpRecord
from striate.ops.registry import BUILTIN
from striate_dsl.diagnostics import Diagnostic, DiagnosticError, Severity
from striate_dsl.source import Span

if TYPE_CHECKING:
    from pathlib import Path

    from striate.host.loading import PluginFailure
    from striate.host.manifest import Whereabouts
    from striate.host.plugins import Plugins

Record = TypeVar("Record")

_OUTSIDE = frozenset({"files", "passes", "backends", "exporters", "importers", "explainers", "commands"})
"""The kinds whose names no graph, checkpoint or recipe holds: their records keep the name that the plugin gives."""


class NameClashError(DiagnosticError):
    """E0702: several plugins provide the same name; the message names all of them and the ways out.

    Attributes:
        ways: what to write instead, by the plugin that is then meant.
    """

    def __init__(self, name: str, ways: Mapping[str, str]) -> None:
        self.ways = dict(sorted(ways.items()))
        self.name = name
        owners, written = list(self.ways), " or ".join(self.ways.values())
        alias = f"use {self.ways[owners[0]]} as {qualifier(owners[0])}_{name.rpartition('.')[2]}"
        super().__init__(
            Diagnostic(
                "E0702",
                f"{name} is provided by {' and '.join(owners)}",
                help=f"say which one is meant: {written}; or give one a name for the whole file: {alias}; "
                f"or disable a plugin: striate plugins disable {owners[-1]}",
            )
        )

    def at(self, place: Span) -> Diagnostic:
        """Return the finding at the place where the name is written."""
        return replace(self.diagnostics[0], span=place)


@dataclass(frozen=True, slots=True)
class Provided:
    """What `acme.focal` names: a plugin, a name that it provides, and the kinds (`layers`, …) in which it does."""

    owner: str
    name: str
    kinds: tuple[str, ...]


class HostCatalogue:
    """Records by kind and name. A plugin is loaded when something of it that is not built in is asked for."""

    def __init__(self, *, plugins: bool | Plugins = True, folder: Path | None = None) -> None:
        """Take the installed plugins and those of the project around a folder, no plugins, or others.

        Args:
            plugins: whether there are any, or which.
            folder: a folder of the project whose settings hold, by default the current one.
        """
        self._given = plugins
        self.folder = folder
        self.generation = 0
        self._identified: dict[tuple[str, str, str], tuple[Any, Any]] = {}

    @cached_property
    def plugins(self) -> Plugins:
        """The plugins; their manifests are read when they are first asked for."""
        from striate.host.plugins import Plugins  # noqa: PLC0415  # pluggy and package metadata cost start-up time

        if isinstance(self._given, Plugins):
            return self._given
        return Plugins(None if self._given else (), folder=self.folder)

    def forget(self) -> None:
        """Forget the plugins: what is asked next looks for them anew. `generation` counts how often that was."""
        self.__dict__.pop("plugins", None)
        self._identified.clear()
        self.generation += 1

    @property
    def plugins_if_needed(self) -> Plugins | None:
        """The plugins if they have been needed, else None."""
        return self.plugins if "plugins" in self.__dict__ else None

    @property
    def failures(self) -> list[PluginFailure]:
        """The plugins that could not be used, as far as plugins were needed."""
        return self.plugins_if_needed.failures if self.plugins_if_needed else []

    def warnings(self) -> list[Diagnostic]:
        """Return a finding per plugin that could not be used, as far as plugins were needed."""
        if self.plugins_if_needed is None:
            return []
        from striate.host.plugins import take_untold  # noqa: PLC0415  # there are plugins, so it is loaded

        take_untold()
        strict = self.plugins.strict
        return [
            Diagnostic(
                "W0701",
                f"plugin {failure.plugin} cannot be loaded: {failure.reason}",
                severity=Severity.ERROR if strict else Severity.WARNING,
                help=f"{failure.advice}; striate plugins doctor {failure.plugin} says more",
            )
            for failure in self.failures
        ]

    # ---------------------------------------------------------------------------------------- records

    def find(self, kind: type[Record], name: str) -> Record | None:
        """Return a plugin's record of a kind by name (`focal`, or `acme.focal` to say whose), or None.

        It goes by its identity: what is not striate's own is called `acme.focal`, however it was asked for. Files,
        exporters and what else is no part of a network or recipe keep their plain names.

        Raises:
            NameClashError: several plugins provide it.
        """
        from striate.host.kinds import PLURAL_OF  # noqa: PLC0415  # once plugins are needed

        plural = PLURAL_OF[kind]
        found = self._whose(plural, name)
        record: Record | None = None if found is None else self._record(plural, *found)
        return record

    def identified(self, kind: type[Record], name: str) -> Record | None:
        """Return the record of a name that a graph, a checkpoint or another record holds, or None.

        There a plain name is striate's own if that has one, whoever else has one too.

        Raises:
            NameClashError: striate has none, and several plugins provide it.
        """
        from striate.host.kinds import PLURAL_OF  # noqa: PLC0415  # once plugins are needed

        plural = PLURAL_OF[kind]
        if FIRST_PARTY not in self.plugins.owners(plural, name):
            return self.find(kind, name)
        record: Record | None = self._record(plural, FIRST_PARTY, name)
        return record

    def identified_owner(self, kind: type, name: str) -> str | None:
        """Return the plugin of a record that `identified` returns, or None."""
        from striate.host.kinds import PLURAL_OF  # noqa: PLC0415  # once plugins are needed

        return FIRST_PARTY if FIRST_PARTY in self.plugins.owners(PLURAL_OF[kind], name) else self.owner(kind, name)

    def _whose(self, plural: str, name: str) -> tuple[str, str] | None:
        """Return the plugin that is meant by a name, and what it calls the thing; None where nobody has it.

        Raises:
            NameClashError: several plugins may be meant.
        """
        found = {owner: (f"{qualifier(owner)}.{name}", name) for owner in self.plugins.owners(plural, name)}
        owner, rest = self._qualified(name)
        if owner is not None and owner not in found and owner in self.plugins.owners(plural, rest):
            found[owner] = (rest, rest)  # acme's file `b.c`, where `acme.b.c` is another plugin's
        if len(found) > 1:
            raise NameClashError(name, {key: way for key, (way, _) in found.items()})
        return next(((key, called) for key, (_, called) in found.items()), None)

    def _qualified(self, name: str) -> tuple[str | None, str]:
        """Return the plugin that a name says it is of, None where it says none, and the rest of it."""
        if "." in name:
            for plugin in self.plugins.installed:
                for prefix in (plugin.name, qualifier(plugin.name)):
                    if name.startswith(f"{prefix}."):
                        return plugin.name, name[len(prefix) + 1 :]
        return None, name

    def _record(self, plural: str, owner: str, name: str) -> Any:
        """Return a plugin's record under its identity, always the same object; None where the plugin has failed."""
        record = self.plugins.record(plural, name, owner)
        if record is None or plural in _OUTSIDE or owner == FIRST_PARTY:
            return record
        known = self._identified.get((plural, owner, name))
        if known is None or known[0] is not record:
            task = getattr(record, "task", None)
            own = {"task": identity(owner, task)} if task and owner in self.plugins.owners("tasks", task) else {}
            known = record, replace(record, name=identity(owner, name), **own)
            self._identified[plural, owner, name] = known
        return known[1]

    def provided(self, name: str) -> Provided | None:
        """Return what a name such as `acme.focal` stands for beside files; None where it names no plugin's thing."""
        from striate.host.kinds import KINDS  # noqa: PLC0415  # once plugins are needed

        owner, rest = self._qualified(name)
        if owner is None:
            return None
        plurals = (kind.plural for kind in KINDS if kind.plural != "files")
        kinds = tuple(plural for plural in plurals if owner in self.plugins.owners(plural, rest))
        return Provided(owner, rest, kinds) if kinds else None

    def provides(self, owner: str) -> list[str]:
        """Return all names that a plugin provides beside files, as far as that is known without loading it."""
        from striate.host.kinds import KINDS  # noqa: PLC0415  # once plugins are needed

        kinds = [kind for kind in KINDS if kind.plural != "files"]
        return sorted({name for kind in kinds for name in self.plugins.names(kind.plural, owner)})

    def plugin_of(self, name: str) -> str | None:
        """Return the installed plugin that a dotted name begins with, None where it begins with none."""
        return self._qualified(name)[0]

    def ways(self, kind: type, name: str) -> Mapping[str, str]:
        """Return what is written to mean each plugin's thing of a name, by plugin: the name itself if it is one's."""
        from striate.host.kinds import PLURAL_OF  # noqa: PLC0415  # once plugins are needed

        try:
            found = self._whose(PLURAL_OF[kind], name)
        except NameClashError as error:
            return error.ways
        return {} if found is None else {found[0]: name}

    def of(self, kind: type) -> Mapping[str, tuple[str, Any]]:
        """Return owner and record by name of all plugins' records of a kind; their plugins are loaded."""
        from striate.host.kinds import PLURAL_OF  # noqa: PLC0415  # once plugins are needed

        return self.plugins.of(PLURAL_OF[kind])

    def names(self, kind: type) -> list[str]:
        """Return the names of all plugin records of a kind, e.g. `LossRecord`; as a rule no plugin is loaded."""
        from striate.host.kinds import PLURAL_OF  # noqa: PLC0415  # once plugins are needed

        return self.plugins.names(PLURAL_OF[kind])

    def owner(self, kind: type, name: str) -> str | None:
        """Return the plugin that provides a record, or None where nobody does, or several do."""
        from striate.host.kinds import PLURAL_OF  # noqa: PLC0415  # once plugins are needed

        try:
            found = self._whose(PLURAL_OF[kind], name)
        except NameClashError:
            return None
        return None if found is None else found[0]

    # ---------------------------------------------------------------------------------------- layers and heads

    def known_layer(self, name: str) -> OpRecord | None:
        """Return a layer that can be named without asking plugins, or when they have been asked before.

        None also where several plugins provide it: whoever needs the layer asks `layer`, which says so.
        """
        record = BUILTIN.get(name)
        if record is None and self.plugins_if_needed is not None:
            try:
                return self.find(OpRecord, name)
            except NameClashError:
                return None
        return record

    def layer(self, name: str) -> OpRecord | None:
        """Return a layer's record, asking plugins if it is not built in; None where nobody provides it."""
        return BUILTIN.get(name) or self.find(OpRecord, name)

    def lookup(self, name: str) -> OpRecord:
        """Return the record of a layer that a graph holds.

        Raises:
            LookupError: nobody provides it any more.
        """
        record = BUILTIN.get(name) or self.identified(OpRecord, name)
        if record is None:
            raise LookupError(f"no installed plugin provides the layer {name}")
        return record

    def head(self, name: str) -> HeadRecord | None:
        """Return a task head's record, or None."""
        return self.find(HeadRecord, name)

    def layer_names(self) -> Iterable[str]:
        """Return the names of all layers."""
        return [*BUILTIN, *self.names(OpRecord)]

    def head_names(self) -> Iterable[str]:
        """Return the names of all task heads."""
        return self.names(HeadRecord)

    # ---------------------------------------------------------------------------------------- what is missing

    def whereabouts(self, kind: str, name: str) -> Whereabouts:
        """Return what is known of a name that nobody provides: the plugins that would, or may, and what ails them.

        Args:
            kind: what it should be, as manifests call it: `layers`, `losses`, …
            name: the name.
        """
        from striate.host.manifest import Whereabouts  # noqa: PLC0415  # only where something is missing

        whose, plain = self._qualified(name)
        meant = [item for item in self.plugins.installed if whose in (None, item.name)]
        for plugin in meant:
            refusal = self.plugins.refused.get(plugin.name)
            if refusal is not None and plugin.declares(kind, plain):
                note = f"plugin {plugin.name} provides {plain}, but {refusal.reason}"
                return Whereabouts((note,), refusal.advice)
        perhaps = [
            f"{plain} may be in {plugin.written}, which {refusal}"
            for plugin in meant
            if plugin.file is not None
            and plugin.manifest is None
            and (refusal := self.plugins.refused.get(plugin.name)) is not None
        ]
        for failure in self.failures:
            if whose not in (None, failure.plugin):
                continue
            if failure.manifest is None:
                perhaps.append(f"plugin {failure.plugin}, which may provide it, cannot be loaded: {failure.reason}")
            elif plain in failure.manifest.provides.get(kind, ()):
                note = f"plugin {failure.plugin} provides {plain}, but cannot be loaded: {failure.reason}"
                return Whereabouts((note,), failure.advice)
        return Whereabouts(tuple(perhaps))
