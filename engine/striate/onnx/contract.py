"""The export contract: what an `export Model { … }` section of a file asks of the ONNX file.

Of several sections, the one for the model itself goes before one for the model that it is a variant of, and that
before one without a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from striate.analysis.ends import CAMERAS, POSTPROCESS, PREPROCESS
from striate.elaborate.definitions import collect, lineage
from striate.elaborate.faults import Fault, renaming, suggestion
from striate.elaborate.repairs.values import repairs_of_value
from striate.elaborate.settings import RecipeEnvironment, key_span, placed_settings
from striate.onnx.opsets import DEFAULT_OPSET, check_opset
from striate.onnx.precision.formats import FLOAT32, PRECISIONS, Names
from striate.ops.arguments import Argument, ArgumentError, Flag, Integer, OneOf, Optional, Real
from striate_dsl.diagnostics import Diagnostic, DiagnosticError, Diagnostics, Label
from striate_dsl.syntax import File, Section, Setting

ENTRIES: Mapping[str, Argument] = {
    entry.name: entry
    for entry in (
        Argument("opset", Integer(), "The operator set to be written (bfloat16: 22).", DEFAULT_OPSET),
        Argument(
            "tolerance",
            Real(0),
            "How far ONNX Runtime may be from torch, as a share of an output's largest entry (float16: 0.01, bfloat16: "
            "0.08, int8: 0.1).",
            FLOAT32.tolerance,
        ),
        Argument(
            "tensor_cores",
            Optional(OneOf(("tf32", "float16", "bfloat16", "int8"))),
            "The arithmetic of the tensor cores that the file is made for: its channels are checked against it, and "
            "the file says so.",
            None,
        ),
        Argument("precision", OneOf(tuple(PRECISIONS)), "The numbers of weights and computation.", FLOAT32.name),
        Argument(
            "io_precision",
            OneOf(("float32", "float16", "bfloat16")),
            "The numbers of inputs and outputs: float32, or what `precision` is.",
            FLOAT32.name,
        ),
        Argument("keep_float", Names(), "Layers and blocks that stay in float32 whatever `precision` is, by name.", ()),
        Argument(
            "text",
            Flag(),
            "Whether the file carries the network's own text, so that importing it loses nothing.",
            True,
        ),
        Argument(
            "preprocess",
            Optional(OneOf(PREPROCESS)),
            "What the file does before the network: it takes 8-bit images `N x H x W x C` of the network's size "
            "(pixels), or of any size (resize), and prepares them by the pixel contract of the input.",
            None,
        ),
        Argument(
            "camera",
            Optional(OneOf(CAMERAS)),
            "Order of the channels in the images that `preprocess` takes; without it rgb.",
            None,
        ),
        Argument(
            "postprocess",
            Optional(OneOf(POSTPROCESS)),
            "What the file does behind the network: what the head says (head), shares of classes (softmax), a chance "
            "for each class (sigmoid), the class with the highest score (argmax), or the likeliest classes (top).",
            None,
        ),
        Argument("top", Optional(Integer()), "How many classes `postprocess = top` names.", None),
        Argument(
            "passes",
            Names("passes that plugins provide, e.g. [fold_gain]"),
            "Passes of plugins that the network goes through before it is written, in their order.",
            (),
        ),
    )
}
"""What a section may hold."""


@dataclass(frozen=True, slots=True)
class ExportContract:
    """How a model is to be exported; the fields are the entries of a section."""

    opset: int = DEFAULT_OPSET
    tolerance: float = FLOAT32.tolerance
    tensor_cores: str | None = None
    precision: str = FLOAT32.name
    io_precision: str = FLOAT32.name
    keep_float: tuple[str, ...] = ()
    text: bool = True
    preprocess: str | None = None
    camera: str | None = None
    postprocess: str | None = None
    top: int | None = None
    passes: tuple[str, ...] = ()


def read_contract(file: File, model: str, name: str | None = None, *, precision: str | None = None) -> ExportContract:
    """Return the export contract of a model: its section, or the defaults where there is none.

    Args:
        file: the file with the model.
        model: the model's or variant's name.
        name: which one, where sections have names of their own (`export Model as name { … }`).
        precision: another precision than the section's, for which its tolerance and numbers of inputs do not hold.

    Raises:
        DiagnosticError: no or several sections fit, or one has an unknown entry or a value that does not fit.
    """
    section = _section(file, model, name)
    if section is None:
        return _completed({}, precision)
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
    contract = _completed(values, precision)
    if contract.io_precision not in (FLOAT32.name, contract.precision):
        raise DiagnosticError(_io_mismatch(contract, placed["io_precision"][1]))
    return contract


def _completed(values: Mapping[str, Any], precision: str | None) -> ExportContract:
    """Return a contract with the defaults that belong to its precision, and that precision put in."""
    own = {"precision": FLOAT32.name, **values}
    if precision is not None and precision != own["precision"]:
        kept = {key: value for key, value in own.items() if key not in ("tolerance", "io_precision")}
        own = {**kept, "precision": precision}
    chosen = PRECISIONS[own["precision"]]
    return ExportContract(**{"opset": chosen.opset, "tolerance": chosen.tolerance, **own})


def _io_mismatch(contract: ExportContract, setting: Setting) -> Diagnostic:
    place = setting.value.span if setting.value else setting.span
    return Diagnostic(
        "E0403",
        f"io_precision must be float32 or what precision is ({contract.precision}), not {contract.io_precision}",
        place,
        help="leave io_precision out: inputs and outputs are then float32",
    )


def read_contracts(file: File, model: str) -> list[ExportContract]:
    """Return all export contracts of a model: that without a name, and those of sections with names of their own.

    Raises:
        DiagnosticError: as `read_contract`, with the mistakes of all of them.
    """
    found: list[ExportContract] = []
    problems: list[Diagnostic] = []
    for name in (None, *_aliases(file, model)):
        try:
            found.append(read_contract(file, model, name))
        except DiagnosticError as error:
            problems += error.diagnostics
    if problems:
        raise DiagnosticError(*problems)
    return found


def _aliases(file: File, model: str) -> list[str]:
    """Return the names that the export sections for a model, or for every model, have of their own."""
    owners = {*lineage(file, model), None}
    sections = (item for item in collect(file, Diagnostics()).sections if item.kind == "export" and item.alias)
    named = [item.alias.text for item in sections if item.alias and (item.name.text if item.name else None) in owners]
    return list(dict.fromkeys(named))


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
                fixes=renaming(key, ENTRIES, key_span(setting)),
            )
        )
    place = setting.value.span if setting.value else setting.span
    try:
        converted = entry.kind.convert(value)
    except ArgumentError as error:
        fixes = repairs_of_value(entry, value, setting.value) if setting.value else ()
        help = fixes[0].title if fixes else None
        raise DiagnosticError(Diagnostic("E0403", f"{key} {error}", place, help=help, fixes=fixes)) from None
    return check_opset(converted, place) if key == "opset" else converted


def contract_sections(file: File, model: str) -> tuple[Section, ...]:
    """Return the export sections that hold for a model, one for each name of their own."""
    sections = _export_sections(file)
    found: dict[str | None, Section] = {}
    for owner in (*lineage(file, model), None):
        for section in sections:
            if (section.name.text if section.name else None) == owner:
                found.setdefault(section.alias.text if section.alias else None, section)
    return tuple(found.values())


def _export_sections(file: File) -> list[Section]:
    return [section for section in collect(file, Diagnostics()).sections if section.kind == "export"]


def _section(file: File, model: str, name: str | None) -> Section | None:
    sections = _export_sections(file)
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
