"""Where the elaborator finds layers and task heads that no file defines; implemented by `striate.host`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from striate.host.records import HeadRecord
from striate.ops.record import OpRecord

if TYPE_CHECKING:
    from striate.host.manifest import Whereabouts


class Catalogue(Protocol):
    """Layers and heads by name, from striate itself and from plugins."""

    def known_layer(self, name: str) -> OpRecord | None:
        """Return a layer that can be named without loading a plugin."""

    def layer(self, name: str) -> OpRecord | None:
        """Return a layer's record, or None where nobody provides it."""

    def head(self, name: str) -> HeadRecord | None:
        """Return a task head's record, or None where nobody provides it."""

    def layer_names(self) -> Iterable[str]:
        """Return the names of all layers."""

    def head_names(self) -> Iterable[str]:
        """Return the names of all task heads."""

    def whereabouts(self, kind: str, name: str) -> Whereabouts:
        """Return what is known of a name that nobody provides; `kind` is `layers` or `heads`."""
