"""The recipes and export contracts of one model, with a profile put in and defaults filled in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from striate.elaborate.expressions import evaluate
from striate.elaborate.faults import Fault
from striate.elaborate.linked import renamed_in
from striate.elaborate.profiles import NO_PROFILE, Profile
from striate.elaborate.settings import RecipeEnvironment, flat_settings
from striate.elaborate.values import CallValue
from striate.expand.document import SettledSection, SettledSetting
from striate.expand.origins import Origins
from striate.expand.rendering import expression_text
from striate.ops.arguments import Argument, format_value
from striate.settings import parts_of
from striate_dsl.syntax import Binary, CallExpression, Expression, File, ListLiteral, Name, Section, Setting

_PASSES = "passes"
"""The setting of an export section that names things of plugins."""


def settled_sections(
    file: File, model: str, profile: Profile, origins: Origins | None = None
) -> Iterator[SettledSection]:
    """Yield the recipes of a model, then its export contracts.

    Args:
        file: the file with the model.
        model: the model's or variant's name.
        profile: what a profile sets of the recipes.
        origins: where places are looked up, if that has been done.
    """
    origins = origins or Origins(file)
    from striate.onnx.contract import ENTRIES, contract_sections
    from striate.train.recipe import SCALARS
    from striate.train.sections import sections_of

    renamed = renamed_in(file)
    for section in sections_of(file, model):
        yield _settled(section, profile, SCALARS, origins, renamed)
    for section in contract_sections(file, model):
        yield _settled(section, NO_PROFILE, ENTRIES.values(), origins, renamed)


def _settled(
    section: Section, profile: Profile, known: Iterable[Argument], origins: Origins, renamed: Mapping[str, str]
) -> SettledSection:
    entries = {".".join(part.text for part in path): item for path, item in flat_settings(section.settings)}
    for path, item in flat_settings(profile.recipe):
        key = ".".join(part.text for part in path)
        entries = {old: value for old, value in entries.items() if not old.startswith(f"{key}.")}
        entries[key] = item
    settings = [_written(key, item, origins, renamed) for key, item in entries.items()]
    settings += [
        SettledSetting(item.name, text, f"default of {section.kind}", text)
        for item in known
        if item.name not in entries and not item.required and item.default not in (None, ())
        for text in [item.default if isinstance(item.default, str) else format_value(item.default)]
    ]
    return SettledSection(section.kind, section.alias.text if section.alias else None, settings)


def _written(key: str, item: Setting, origins: Origins, renamed: Mapping[str, str]) -> SettledSetting:
    assert item.value is not None, "flat settings have values"
    expression = _whole(item.value, renamed) if key in {*parts_of("train"), _PASSES} else item.value
    text = expression_text(expression)
    try:
        value = _value_text(evaluate(expression, RecipeEnvironment()))
    except Fault:  # told by whoever reads the recipe
        value = text
    return SettledSetting(key, text, origins.setting(item.span), value)


def _whole(expression: Expression, renamed: Mapping[str, str]) -> Expression:
    """Return an expression with whole names for those that a file has for things of plugins; arguments stay."""
    if isinstance(expression, Name):
        return Name(expression.span, renamed.get(expression.text, expression.text))
    if isinstance(expression, CallExpression):
        return replace(expression, function=_whole(expression.function, renamed))
    if isinstance(expression, ListLiteral):
        return replace(expression, items=tuple(_whole(item, renamed) for item in expression.items))
    if isinstance(expression, Binary):
        return replace(expression, left=_whole(expression.left, renamed), right=_whole(expression.right, renamed))
    return expression


def _value_text(value: object) -> str:
    """Return a value's text, the same for all ways of writing it."""
    if isinstance(value, CallValue):
        given = [*map(_value_text, value.positional)]
        given += [f"{name} = {_value_text(item)}" for name, item in sorted(value.named.items())]
        return f"{value.name}({', '.join(given)})" if given else value.name
    if isinstance(value, (list, tuple)):
        inside = ", ".join(map(_value_text, value))
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    if isinstance(value, range):
        return f"{value.start}..{value.stop}"
    return format_value(value)
