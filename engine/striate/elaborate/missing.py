"""What to say about a name that stands for nothing: used too early, misspelt, or nowhere to be found."""

from __future__ import annotations

from dataclasses import replace

from striate.elaborate.catalogue import Catalogue
from striate.elaborate.elsewhere import ambiguous
from striate.elaborate.environment import Definitions
from striate.elaborate.faults import Fault, fault, meant, renaming, suggestion, trail_notes
from striate.elaborate.scope import Scope
from striate.elaborate.sites import defined_later
from striate.elaborate.values import ValueRef
from striate_dsl.diagnostics import Edit, Fix, Label
from striate_dsl.source import Span
from striate_dsl.syntax import CallExpression, Flow, Identifier, Name, Output


def unknown_layer(name: str, span: Span, scope: Scope, definitions: Definitions) -> Fault:
    """Return the fault for a step whose name is no layer, block or value."""
    visible = definitions.visible(scope)
    if name in visible.models:
        message = f"{name} is a model; only blocks can be used inside a network"
        return fault("E0306", message, span, help="make a block of what the two models have in common")
    later = defined_later(scope.body, name)
    if later is not None:
        return _used_too_early(name, span, later.span)
    whole = visible.renamed.get(name)
    if whole is not None:
        return _no_layer_of_its_plugin(name, whole, span, definitions.catalogue)
    known = [*scope.names, *visible.blocks, *visible.renamed, *definitions.catalogue.layer_names()]
    if "." in name and span.text == name:
        written = _without_dots(name.split("."), known)
        if written is not None:
            fixes = (Fix(f"write {written}", (Edit(span, written),), "unsafe"),)
            return fault("E0301", f"there is no layer or block {name}", span, help=fixes[0].title, fixes=fixes)
    where, twofold = definitions.catalogue.whereabouts("layers", name), ambiguous(name)
    everywhere = "layers come from striate and from plugins, blocks from this file and those it uses"
    return fault(
        "E0301",
        f"there is no layer, block or value {name}",
        span,
        notes=(*where.notes, *trail_notes(scope.trail)),
        help=where.help or twofold or suggestion(name, known) or everywhere,
        fixes=() if where.help or twofold else renaming(name, known, span),
    )


def _no_layer_of_its_plugin(name: str, whole: str, span: Span, catalogue: Catalogue) -> Fault:
    """Return the fault for a name that the file has for something of a plugin that is no layer."""
    where = catalogue.whereabouts("layers", whole)
    message = f"{name} is {whole}, which is no layer"
    advice = where.help or "a loss, an optimizer and the like belong in a recipe: train Net { … }"
    return fault("E0306", message, span, notes=where.notes, help=advice)


def no_head(name: str, span: Span, catalogue: Catalogue) -> Fault:
    """Return the fault for the name of a task head that nobody provides."""
    where, known = catalogue.whereabouts("heads", name), sorted(catalogue.head_names())
    return fault(
        "E0301",
        f"there is no task head {name}",
        span,
        notes=(*where.notes, f"heads: {', '.join(known)}"),
        help=where.help or suggestion(name, known),
        fixes=() if where.help else renaming(name, known, span),
    )


def _without_dots(parts: list[str], known: list[str]) -> str | None:
    """Return what `nn.Conv2d` or `relu.maxpool` is written as here: one layer, or several in a row."""
    if all(part in known for part in parts):
        return " -> ".join(parts)
    return meant(parts[-1], known) if not any(part in known for part in parts[:-1]) else None


def no_value(name: Name, scope: Scope) -> Fault:
    """Return the fault for a name that should stand for a value of the network."""
    later = defined_later(scope.body, name.text)
    if later is not None and name.text not in scope.names:
        return _used_too_early(name.text, name.span, later.span)
    values = [key for key, binding in scope.names.items() if isinstance(binding.value, ValueRef)]
    block = scope.trail[-1].block if scope.trail else None
    handed = f"names do not reach into blocks: write block {block}({name.text}, …), and hand the value to it"
    return fault(
        "E0302",
        f"there is no {name.text} here",
        name.span,
        notes=trail_notes(scope.trail),
        help=suggestion(name.text, values) or (handed if block else None),
        fixes=renaming(name.text, values, name.span),
    )


def no_output_value(name: Identifier, statement: Output, scope: Scope) -> Fault:
    """Return the fault for a name of an `output` of several that stands for nothing; the value before may be meant."""
    found = no_value(Name(name.span, name.text), scope)
    if found.diagnostic.fixes or found.diagnostic.code != "E0302":
        return found
    help = f"several outputs are named values: … as {name.text}, then {statement.span.text}"
    lines = scope.body.statements
    before = lines[lines.index(statement) - 1] if statement in lines[1:] else None
    last = before.steps[-1] if isinstance(before, Flow) else None
    if last is None or last.alias is not None:
        return Fault(replace(found.diagnostic, help=help))
    end = last.span.end
    edit = Edit(Span(last.span.source, end, end), f" as {name.text}")
    fix = Fix(f"write as {name.text} behind the last layer", (edit,), "unsafe")
    return Fault(replace(found.diagnostic, help=help, fixes=(fix,)))


def _used_too_early(name: str, span: Span, later: Span) -> Fault:
    return fault(
        "E0308",
        f"{name} is used before it is made",
        span,
        labels=(Label(later, f"{name} gets its value here"),),
        notes=("a network has no cycles: a value can be used only after the line that makes it",),
    )


def unknown_function(name: Name, call: CallExpression, known: list[str]) -> Fault:
    """Return the fault for a call in an expression of something that is no function, layer or block."""
    message = f"there is no layer, block or function {name.text}"
    bounds = [item.value.span.text for item in call.arguments if item.name is None]
    if name.text == "range" and 1 <= len(bounds) <= 2:
        written = "..".join(["0", *bounds][-2:])
        fix = Fix(f"write {written}", (Edit(call.span, written),), "safe")
        return fault("E0301", message, name.span, help=f"a range is written {written}", fixes=(fix,))
    fixes = renaming(name.text, known, name.span)
    return fault("E0301", message, name.span, help=suggestion(name.text, known), fixes=fixes)
