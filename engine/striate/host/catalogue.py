"""Everything that can be named in a `.cnn` file, by kind: built-in layers at once, plugins' records when asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from striate.host.records import HeadRecord
from striate.ops.record import OpRecord
from striate.ops.registry import BUILTIN
from striate_dsl.diagnostics import Diagnostic, DiagnosticError, Severity

if TYPE_CHECKING:
    from striate.host.loading import PluginFailure
    from striate.host.manifest import Whereabouts
    from striate.host.plugins import Plugins

Record = TypeVar("Record")


class NameClashError(DiagnosticError):
    """E0702: several plugins provide the same name; the message names all of them and the way out."""

    def __init__(self, name: str, owners: Iterable[str]) -> None:
        owners = tuple(owners)
        written = " or ".join(f"{qualifier(owner)}.{name}" for owner in owners)
        super().__init__(
            Diagnostic(
                "E0702",
                f"{name} is provided by {' and '.join(owners)}",
                help=f"say which one is meant: {written}; or disable a plugin: striate plugins disable {owners[-1]}",
            )
        )


def qualifier(plugin: str) -> str:
    """Return what stands before the dot of a name that says whose it is: the plugin's name as an identifier."""
    return plugin.replace("-", "_").replace(".", "_")


class HostCatalogue:
    """Records by kind and name. A plugin is loaded when something of it that is not built in is asked for."""

    def __init__(self, *, plugins: bool | Plugins = True) -> None:
        """Take the installed plugins, none, or others."""
        self._given = plugins
        self._by_owner: dict[tuple[str, str], Any] = {}

    @cached_property
    def plugins(self) -> Plugins:
        """The plugins; their manifests are read when they are first asked for."""
        from striate.host.plugins import Plugins  # noqa: PLC0415  # pluggy and package metadata cost start-up time

        return self._given if isinstance(self._given, Plugins) else Plugins(None if self._given else ())

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

        Raises:
            NameClashError: several plugins provide it.
        """
        from striate.host.kinds import PLURAL_OF  # noqa: PLC0415  # once plugins are needed

        plural = PLURAL_OF[kind]
        owners = self.plugins.owners(plural, name)
        if len(owners) > 1:
            raise NameClashError(name, owners)
        if owners:
            found: Record | None = self.plugins.record(plural, name, owners[0])
            return found
        return self._qualified(plural, name) if "." in name else None

    def _qualified(self, plural: str, name: str) -> Any:
        """Return the record of a name that says whose it is, under that name: a graph must find it again by it."""
        known = self._by_owner.get((plural, name))
        if known is not None:
            return known
        prefix, _, rest = name.rpartition(".")
        whose = {item.name for item in self.plugins.installed if prefix in (item.name, qualifier(item.name))}
        record = self.plugins.record(plural, rest, whose.pop()) if len(whose) == 1 else None
        if record is not None:
            record = self._by_owner[plural, name] = replace(record, name=name)
        return record

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

        owners = self.plugins.owners(PLURAL_OF[kind], name)
        return owners[0] if len(owners) == 1 else None

    # ---------------------------------------------------------------------------------------- layers and heads

    def known_layer(self, name: str) -> OpRecord | None:
        """Return a layer that can be named without asking plugins, or when they have been asked before."""
        record = BUILTIN.get(name)
        if record is None and self.plugins_if_needed is not None:
            return self.find(OpRecord, name)
        return record

    def layer(self, name: str) -> OpRecord | None:
        """Return a layer's record, asking plugins if it is not built in; None where nobody provides it."""
        return BUILTIN.get(name) or self.find(OpRecord, name)

    def lookup(self, name: str) -> OpRecord:
        """Return the record of a layer that a graph holds.

        Raises:
            LookupError: nobody provides it any more.
        """
        record = self.layer(name)
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

        plain = name.rpartition(".")[2]
        for plugin in self.plugins.installed:
            reason = self.plugins.refused.get(plugin.name)
            if reason is not None and plugin.declares(kind, plain):
                return Whereabouts((f"plugin {plugin.name} provides {plain}, but {reason}",), _way_back(reason))
        perhaps = []
        for failure in self.failures:
            if failure.manifest is None:
                perhaps.append(f"plugin {failure.plugin}, which may provide it, cannot be loaded: {failure.reason}")
            elif plain in failure.manifest.provides.get(kind, ()):
                note = f"plugin {failure.plugin} provides {plain}, but cannot be loaded: {failure.reason}"
                return Whereabouts((note,), failure.advice)
        return Whereabouts(tuple(perhaps))


def _way_back(reason: str) -> str:
    """Return what to do about a plugin that is left out: the command in the reason, or to stop leaving it out."""
    _, _, command = reason.partition(": ")
    return command or "let the plugin be used, if you trust it"
