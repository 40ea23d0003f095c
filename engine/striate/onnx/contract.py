"""The export contract: what an `export Model { … }` section of a file asks of the ONNX file.

Of several sections, the one for the model itself goes before one for the model that it is a variant of, and that
before one without a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from striate.elaborate.definitions import collect, lineage
from striate.elaborate.faults import Fault, suggestion
from striate.elaborate.settings import RecipeEnvironment, key_span, placed_settings
from striate.onnx.opsets import DEFAULT_OPSET, check_opset
from striate.ops.arguments import Argument, ArgumentError, Integer, Real
from striate_dsl.diagnostics import Diagnostic, DiagnosticError, Diagnostics, Label
from striate_dsl.syntax import File, Section, Setting

DEFAULT_TOLERANCE = 1e-4

ENTRIES: Mapping[str, Argument] = {
    entry.name: entry
    for entry in (
        Argument("opset", Integer(), "The operator set to be written.", DEFAULT_OPSET),
        Argument(
            "tolerance",
            Real(0),
            "How far ONNX Runtime may be from torch, as a share of an output's largest entry.",
            DEFAULT_TOLERANCE,
        ),
    )
}
"""What a section may hold."""


@dataclass(frozen=True, slots=True)
class ExportContract:
    """How a model is to be exported; the fields are the entries of a section."""

    opset: int = DEFAULT_OPSET
    tolerance: float = DEFAULT_TOLERANCE


def read_contract(file: File, model: str, name: str | None = None) -> ExportContract:
    """Return the export contract of a model: its section, or the defaults where there is none.

    Args:
        file: the file with the model.
        model: the model's or variant's name.
        name: which one, where sections have names of their own (`export Model as name { … }`).

    Raises:
        DiagnosticError: no or several sections fit, or one has an unknown entry or a value that does not fit.
    """
    section = _section(file, model, name)
    if section is None:
        return ExportContract()
    try:
        placed = placed_settings(section.settings, RecipeEnvironment())
    except Fault as error:
        raise DiagnosticError(error.diagnostic) from None
    values: dict[str, Any] = {}
    problems: list[Diagnostic] = []
    for key, (value, setting) in placed.items():
        try:
            values[key] = _checked(key, value, setting)
        except DiagnosticError as error:
            problems += error.diagnostics
    if problems:
        raise DiagnosticError(*problems)
    return ExportContract(**values)


def _checked(key: str, value: Any, setting: Setting) -> Any:
    entry = ENTRIES.get(key)
    if entry is None:
        raise DiagnosticError(
            Diagnostic(
                "E0402",
                f"an export section has no {key}",
                key_span(setting),
                notes=(f"an export section may hold {', '.join(ENTRIES)}",),
                help=suggestion(key, ENTRIES),
            )
        )
    place = setting.value.span if setting.value else setting.span
    try:
        converted = entry.kind.convert(value)
    except ArgumentError as error:
        raise DiagnosticError(Diagnostic("E0403", f"{key} {error}", place)) from None
    return check_opset(converted, place) if key == "opset" else converted


def _section(file: File, model: str, name: str | None) -> Section | None:
    definitions = collect(file, Diagnostics())
    sections = [section for section in definitions.sections if section.kind == "export"]
    for owner in (*lineage(file, model), None):
        own = [section for section in sections if (section.name.text if section.name else None) == owner]
        fitting = [section for section in own if (section.alias.text if section.alias else None) == name]
        if len(fitting) > 1:
            raise DiagnosticError(_twice(fitting))
        if fitting:
            return fitting[0]
    if name is None:
        return None
    known = [section.alias.text for section in sections if section.alias]
    raise DiagnosticError(
        Diagnostic(
            "E0404",
            f"{model} has no export section called {name}",
            notes=(f"sections with a name: {', '.join(known) or 'none'}",),
            help=suggestion(name, known) or f"write one: export {model} as {name} {{ opset = {DEFAULT_OPSET} }}",
        )
    )


def _twice(sections: list[Section]) -> Diagnostic:
    return Diagnostic(
        "E0404",
        "two export sections fit, and nothing says which one is meant",
        sections[1].span,
        labels=(Label(sections[0].span, "the other one"),),
        help="give one of them a name, as in: export Model as small { … }",
    )
