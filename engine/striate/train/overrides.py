"""`--set` options: which are for the model, which for the recipe, the latter as settings that messages can quote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from striate.elaborate.definitions import base_model
from striate.elaborate.faults import suggestion
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.parser import parse
from striate_dsl.source import Source, Span
from striate_dsl.syntax import File, Section, Setting

SOURCE = "<--set>"
"""The name under which messages quote an override."""

_PREFIX = "train."
_OPENING = "train {\n"


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the user sets from outside: model parameters as text, and settings of the recipe."""

    model: Mapping[str, str]
    recipe: tuple[Setting, ...] = ()


def read_overrides(written: Mapping[str, str], file: File, model: str, recipe_keys: Iterable[str]) -> Overrides:
    """Sort overrides by what they are for.

    Args:
        written: value by key, as in `{"classes": "10", "train.epochs": "3"}`.
        file: the file with the model.
        model: the model or variant that is trained.
        recipe_keys: the keys of a recipe, for suggestions.

    Raises:
        DiagnosticError: E0407, one has an unknown key or cannot be read.
    """
    parameters = model_parameters(file, model)
    findings: list[Diagnostic] = []
    settings: list[Setting] = []
    for key, value in written.items():
        if key.startswith(_PREFIX):
            setting = _parse(key, value)
            (settings if isinstance(setting, Setting) else findings).append(setting)  # type: ignore[arg-type]
        elif key not in parameters:
            findings.append(_unknown(key, value, model, parameters, recipe_keys))
    if findings:
        raise DiagnosticError(*findings)
    return Overrides({key: value for key, value in written.items() if not key.startswith(_PREFIX)}, tuple(settings))


def model_parameters(file: File, model: str) -> tuple[str, ...]:
    """Return the names of a model's parameters; a variant has those of its model."""
    found = base_model(file, model)
    return () if found is None else tuple(parameter.name.text for parameter in found.parameters)


def _parse(key: str, value: str) -> Setting | Diagnostic:
    """Read one override as a line of a `train` section, with the places in the text that the user typed."""
    typed = Source(SOURCE, f"{key}={value}")
    source = Source(SOURCE, f"{_OPENING}{key.removeprefix(_PREFIX)}={value}\n}}")
    result = parse(source)
    found = result.file.definitions if result.file else ()
    if len(found) == 1 and isinstance(found[0], Section) and len(found[0].settings) == 1:
        setting: Setting = _moved(found[0].settings[0], source, typed)
        return setting
    reason = next((item.message for item in result.diagnostics), "one value is expected")
    return Diagnostic(
        "E0407",
        f"cannot read the value of {key}: {reason}",
        Span(typed, len(key) + 1, len(typed.text)),
        help="write it as in a file, e.g. --set train.epochs=3 or --set 'train.optimizer=adam(lr = 0.001)'",
    )


def _moved(item: Any, source: Source, typed: Source) -> Any:
    """Return a syntax tree whose places in one text are those in the other, where the same characters stand."""
    if isinstance(item, Span):
        shift = len(_PREFIX) - len(_OPENING)
        return Span(typed, item.start + shift, item.end + shift) if item.source is source else item
    if isinstance(item, tuple):
        return tuple(_moved(part, source, typed) for part in item)
    if is_dataclass(item) and not isinstance(item, type):
        return replace(item, **{part.name: _moved(getattr(item, part.name), source, typed) for part in fields(item)})
    return item


def _unknown(key: str, value: str, model: str, parameters: tuple[str, ...], recipe_keys: Iterable[str]) -> Diagnostic:
    known = [*parameters, *(_PREFIX + name for name in recipe_keys)]
    of_recipe = _PREFIX + key.partition(".")[0] in known
    return Diagnostic(
        "E0407",
        f"there is nothing called {key} to set",
        Span(Source(SOURCE, f"{key}={value}"), 0, len(key)),
        notes=(f"parameters of {model}: {', '.join(parameters)}" if parameters else f"{model} has no parameters",),
        help=f"a setting of the recipe is written --set {_PREFIX}{key}={value}"
        if of_recipe
        else suggestion(key, known) or f"settings of the recipe begin with {_PREFIX}",
    )
