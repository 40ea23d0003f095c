"""Everything that can be named in a `.cnn` file, by kind: built-in layers at once, plugins' records when asked for."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from striate.host.records import HeadRecord
from striate.ops.record import OpRecord
from striate.ops.registry import BUILTIN
from striate_dsl.diagnostics import Diagnostic, DiagnosticError, Severity

if TYPE_CHECKING:
    from striate.host.loading import Loaded, PluginFailure
    from striate.host.manifest import Whereabouts

Kind = TypeVar("Kind")


class NameClashError(DiagnosticError):
    """E0702: several plugins provide the same name; the message names all of them."""

    def __init__(self, name: str, owners: tuple[str, ...]) -> None:
        super().__init__(
            Diagnostic(
                "E0702",
                f"{name} is provided by {' and '.join(owners)}",
                help="which one is meant must not depend on chance: uninstall one of them",
            )
        )


class HostCatalogue:
    """Records by kind and name. Plugins are loaded when something that is not built in is asked for."""

    def __init__(self, *, plugins: bool = True) -> None:
        self._plugins = plugins

    @cached_property
    def loaded(self) -> Loaded:
        """The records of all plugins."""
        from striate.host.loading import Loaded, load_plugins  # noqa: PLC0415  # pluggy costs start-up time

        return load_plugins() if self._plugins else Loaded()

    @property
    def failures(self) -> list[PluginFailure]:
        """The plugins that could not be loaded, as far as plugins were needed."""
        return self.loaded.failures if "loaded" in self.__dict__ else []

    def warnings(self) -> list[Diagnostic]:
        """Return a finding per plugin that could not be loaded, as far as plugins were needed."""
        return [
            Diagnostic(
                "W0701",
                f"plugin {failure.plugin} cannot be loaded: {failure.reason}",
                severity=Severity.WARNING,
                help="what it provides is missing; update or uninstall it",
            )
            for failure in self.failures
        ]

    def known_layer(self, name: str) -> OpRecord | None:
        """Return a layer that can be named without loading a plugin."""
        record = BUILTIN.get(name)
        if record is None and "loaded" in self.__dict__:
            return self.find(OpRecord, name)
        return record

    def layer(self, name: str) -> OpRecord | None:
        """Return a layer's record, loading plugins if it is not built in; None where nobody provides it."""
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

    def whereabouts(self, kind: str, name: str) -> Whereabouts:
        """Return what is known of a name that nobody provides: the plugins that would, or may, and what ails them.

        Args:
            kind: what it should be, as manifests call it: `layers`, `losses`, …
            name: the name.
        """
        from striate.host.manifest import Whereabouts  # noqa: PLC0415  # only where something is missing

        perhaps = []
        for failure in self.failures:
            if failure.manifest is None:
                perhaps.append(f"plugin {failure.plugin}, which may provide it, cannot be loaded: {failure.reason}")
            elif name in failure.manifest.provides.get(kind, ()):
                note = f"plugin {failure.plugin} provides {name}, but cannot be loaded: {failure.reason}"
                package = failure.distribution or failure.plugin
                return Whereabouts((note,), f"repair that, or get another version: pip install --upgrade {package}")
        return Whereabouts(tuple(perhaps))

    def head(self, name: str) -> HeadRecord | None:
        """Return a task head's record, or None."""
        return self.find(HeadRecord, name)

    def layer_names(self) -> Iterable[str]:
        """Return the names of all layers."""
        return [*BUILTIN, *self.loaded.of(OpRecord)]

    def head_names(self) -> Iterable[str]:
        """Return the names of all task heads."""
        return self.names(HeadRecord)

    def names(self, kind: type) -> list[str]:
        """Return the names of all plugin records of a kind, e.g. `LossRecord`."""
        return sorted(self.loaded.of(kind))

    def find(self, kind: type[Kind], name: str) -> Kind | None:
        """Return a plugin's record of a kind by name, or None.

        Raises:
            NameClashError: several plugins provide it.
        """
        owners = self.loaded.clashes.get((kind, name))
        if owners:
            raise NameClashError(name, owners)
        found = self.loaded.of(kind).get(name)
        return None if found is None else found[1]

    def owner(self, kind: type, name: str) -> str | None:
        """Return the plugin that provides a record, or None."""
        found = self.loaded.of(kind).get(name)
        return None if found is None else found[0]
