"""What to say about a name that stands for nothing: used too early, misspelt, or nowhere to be found."""

from __future__ import annotations

from striate.elaborate.environment import Definitions
from striate.elaborate.faults import Fault, fault, renaming, suggestion, trail_notes
from striate.elaborate.scope import Scope
from striate.elaborate.sites import defined_later
from striate.elaborate.values import ValueRef
from striate_dsl.diagnostics import Label
from striate_dsl.source import Span
from striate_dsl.syntax import Name


def unknown_layer(name: str, span: Span, scope: Scope, definitions: Definitions) -> Fault:
    """Return the fault for a step whose name is no layer, block or value."""
    visible = definitions.visible(scope)
    if name in visible.models:
        return fault("E0306", f"{name} is a model; only blocks can be used inside a network", span)
    later = defined_later(scope.body, name)
    if later is not None:
        return _used_too_early(name, span, later.span)
    known = [*scope.names, *visible.blocks, *definitions.catalogue.layer_names()]
    return fault(
        "E0301",
        f"there is no layer, block or value {name}",
        span,
        notes=trail_notes(scope.trail),
        help=suggestion(name, known)
        or "layers come from striate and from plugins, blocks from this file and those it uses",
        fixes=renaming(name, known, span),
    )


def no_value(name: Name, scope: Scope) -> Fault:
    """Return the fault for a name that should stand for a value of the network."""
    later = defined_later(scope.body, name.text)
    if later is not None and name.text not in scope.names:
        return _used_too_early(name.text, name.span, later.span)
    values = [key for key, binding in scope.names.items() if isinstance(binding.value, ValueRef)]
    return fault(
        "E0302",
        f"there is no {name.text} here",
        name.span,
        help=suggestion(name.text, values),
        fixes=renaming(name.text, values, name.span),
    )


def _used_too_early(name: str, span: Span, later: Span) -> Fault:
    return fault(
        "E0308",
        f"{name} is used before it is made",
        span,
        labels=(Label(later, f"{name} gets its value here"),),
        notes=("a network has no cycles: a value can be used only after the line that makes it",),
    )
