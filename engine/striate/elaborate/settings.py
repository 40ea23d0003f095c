"""Sections and input bodies as plain data: dotted keys to values, with the place of every entry.

`train.epochs = 1` and `train { epochs = 1 }` are the same entry. Calls such as `sgd(lr = 0.05)` and plain names stay
calls and names: what they mean is up to whoever reads the section.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from striate.elaborate.expressions import Environment, evaluate
from striate.elaborate.faults import fault
from striate.elaborate.values import LayerRef
from striate_dsl.diagnostics import Label
from striate_dsl.source import Span
from striate_dsl.syntax import Identifier, Name, Setting


class RecipeEnvironment:
    """The environment of a section: constants and functions only; unknown calls are kept as calls."""

    open_calls = True

    def lookup(self, name: Name) -> Any:
        """Return None: a section has no names of its own."""
        return None

    def layer(self, name: str) -> LayerRef | None:
        """Return None: a section knows no layers."""
        return None

    def called(self, name: str, place: Span) -> LayerRef | None:
        """Return None: a section knows no layers."""
        return None

    def spend(self, entries: int, span: Span) -> None:
        """Count nothing: without names, no list is larger than its text."""

    def known_names(self) -> list[str]:
        """Return no names."""
        return []


def placed_settings(settings: tuple[Setting, ...], environment: Environment) -> Mapping[str, tuple[Any, Setting]]:
    """Return settings by dotted key with the syntax they come from.

    Raises:
        Fault: a key is given twice, or a value cannot be worked out.
    """
    found: dict[str, tuple[Any, Setting]] = {}
    for path, setting in flat_settings(settings):
        key = ".".join(part.text for part in path)
        if key in found:
            raise fault(
                "E0401",
                f"{key} is set twice",
                key_span(setting),
                labels=(Label(key_span(found[key][1]), "first here"),),
            )
        assert setting.value is not None, "entries with a body are flattened"
        found[key] = (evaluate(setting.value, environment), setting)
    return found


def key_span(setting: Setting) -> Span:
    """Return the place of an entry's key."""
    return setting.key[0].span.to(setting.key[-1].span)


def flat_settings(
    settings: tuple[Setting, ...], prefix: tuple[Identifier, ...] = ()
) -> Iterator[tuple[tuple[Identifier, ...], Setting]]:
    """Yield every entry that has a value with its whole key: of `a { b = 1 }` the entry `b` with the key a, b."""
    for setting in settings:
        path = (*prefix, *setting.key)
        if setting.body is None:
            yield path, setting
        else:
            yield from flat_settings(setting.body, path)
