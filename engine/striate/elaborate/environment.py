"""What the names of an expression stand for at one place of a body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from striate.elaborate.budget import Budget
from striate.elaborate.catalogue import Catalogue
from striate.elaborate.faults import Fault
from striate.elaborate.scope import Scope
from striate.elaborate.values import BlockRef, LayerRef, UsedFile, ValueRef
from striate.host.catalogue import NameClashError
from striate_dsl.source import Span
from striate_dsl.syntax import Block, Name


class Visible(Protocol):
    """What one file sees of what files define."""

    @property
    def blocks(self) -> Mapping[str, Block]:
        """Its blocks, and those of the files it uses, by name."""

    @property
    def models(self) -> Mapping[str, Any]:
        """Its models and variants, and those of the files it uses, by name."""

    @property
    def files(self) -> Mapping[str, UsedFile]:
        """The files that have a name of their own there."""

    @property
    def renamed(self) -> Mapping[str, str]:
        """The things of plugins that have a name of their own there, with their whole names."""


class Definitions(Protocol):
    """The definitions of all files that take part, and the layers of plugins."""

    def visible(self, scope: Scope) -> Visible:
        """Return what the file sees in which a scope's text stands."""

    @property
    def catalogue(self) -> Catalogue:
        """Layers and heads that no file defines."""

    @property
    def budget(self) -> Budget:
        """What may still be used up."""


class ScopeEnvironment:
    """Looks names up in a scope, then in its file (blocks, names of plugins' things), then among the layers."""

    open_calls = False

    def __init__(self, definitions: Definitions, scope: Scope, current: ValueRef | None) -> None:
        self.scope = scope
        self.current = current
        self._definitions = definitions
        self._visible: Visible | None = None

    @property
    def visible(self) -> Visible:
        """What the file sees in which the text stands."""
        if self._visible is None:
            self._visible = self._definitions.visible(self.scope)
        return self._visible

    def lookup(self, name: Name) -> Any:
        """Return what a name stands for, or None.

        Layers of plugins that are not loaded yet are not found: a plain name such as `half` must not load plugins.
        """
        text = name.text
        if text == "in":
            return self.current
        binding = self.scope.names.get(text)
        if binding is not None:
            return binding.value
        visible = self.visible
        block = visible.blocks.get(text)
        if block is not None:
            return BlockRef(block)
        if text in visible.files:
            return visible.files[text]
        return self.layer(text)

    def layer(self, name: str) -> LayerRef | None:
        """Return the layer of a name, also where the name stands for a value."""
        whole, catalogue = self.visible.renamed.get(name), self._definitions.catalogue
        record = catalogue.known_layer(name) if whole is None else catalogue.layer(whole)
        return None if record is None else LayerRef(record, name)

    def called(self, name: str, place: Span) -> LayerRef | None:
        """Return the layer that is called at a place, loading the plugin that has it; None where nobody does.

        Raises:
            Fault: several plugins provide it.
        """
        try:
            record = self._definitions.catalogue.layer(self.visible.renamed.get(name, name))
        except NameClashError as error:
            raise Fault(error.at(place)) from None
        return None if record is None else LayerRef(record, name)

    def spend(self, entries: int, span: Span) -> None:
        """Count entries of lists that an expression copies, compares or looks through."""
        self._definitions.budget.entries(entries, span)

    def known_names(self) -> list[str]:
        """Return the names visible here, without layers."""
        return [*self.scope.names, *self.visible.blocks, *self.visible.renamed]
