"""Model YAML in the style of Ultralytics as a network of the language: the rows in order, all that cannot be listed."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from striate.dims import Dim, symbol
from striate.importing.building import Builder
from striate.importing.findings import UnsupportedError, shown, without_counterpart
from striate.importing.kinds import Lookup, Reading
from striate.importing.naming import model_name
from striate.importing.network import Entrance, Network, Value
from striate.importing.structure import name_by_scopes
from striate.importing.ultralytics.description import Description, Row, read_description, wrong
from striate.importing.ultralytics.heads import Output
from striate.importing.ultralytics.modules import Modules
from striate.importing.ultralytics.rows import Rows, is_head
from striate.importing.ultralytics.scaling import scaling_of
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.limits import FINDINGS

USUAL_SIZE = "640"
"""The size that models which need one get where none is given."""

_FIXED = ("C2PSA",)

_READ = "docs/import-descriptions.md lists the modules that are read"


def read(path: Path, lookup: Lookup, *, scale: str | None = None, size: str | None = None) -> Reading:
    """Read a model's YAML.

    Args:
        path: the file.
        lookup: from a layer's name to its record.
        scale: the letter of the size, of those in the file; otherwise that of the file's name, or the first.
        size: height and width of the input, `640` or `480x640`; open where it is left out and the model allows it.

    Raises:
        DiagnosticError: E0657, E0658, E0660, it cannot be read; E0659, with every row that has no counterpart.
    """
    description = read_description(path)
    scaling, notes = scaling_of(description, path, scale)
    if size is None and any(row.module in _FIXED for row in description.rows):
        size = USUAL_SIZE
        notes.append(f"the input is {USUAL_SIZE} x {USUAL_SIZE}, since attention needs a size; --size sets another")
    network = Network(lookup)
    build = Builder(network)
    value = build.entrance((scaling.channels, *_size(size)))
    network.inputs.append(Entrance("image", value))
    modules = {row.module for row in description.rows}
    anchored = any(row.module == "Detect" and len(row.arguments) > 1 for row in description.rows)
    rows = Rows(
        Modules(build, scaling.activation), scaling, description.settings, anchored, "C3k2" in modules, []
    )  # fmt: skip
    _convert(path, description, rows, value)
    for output in rows.outputs:
        network.outputs.append((output.name, output.value))
        network.remarks[output.name] = output.remarks
    name_by_scopes(network, build.scopes)
    counts = Counter(row.module for row in description.rows)
    return Reading(
        network,
        model_name("", _name(path.stem, scale)),
        "Ultralytics YAML" + (f", scale {scaling.letter}" if scaling.letter else ""),
        dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
        {"format": "ultralytics", "scale": scaling.letter or None, "classes": scaling.classes},
        notes=tuple(notes),
    )


def _name(stem: str, scale: str | None) -> str:
    """Return the name of a size of a model: `yolov8n`, and `yolov8-seg-n` where no number ends the name."""
    return stem if scale is None else f"{stem}{'' if stem[-1:].isdigit() else '-'}{scale}"


def _size(size: str | None) -> tuple[Dim, Dim]:
    if size is None:
        return symbol("H"), symbol("W")
    written = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", size)
    if written is None or not int(written[1]) or not int(written[2] or 1):
        raise wrong(f"--size must be a number like 640, or height and width like 480x640, not {shown(size)}")
    return int(written[1]), int(written[2] or written[1])


def _convert(path: Path, description: Description, rows: Rows, image: Value) -> None:
    """Read the rows in order, and refuse them all together if any cannot be."""
    values: list[Value | None] = []
    refusals: list[str] = []
    found: list[Diagnostic] = []
    for row in description.rows:
        made: Value | None = None
        try:
            inputs = _inputs(row, values, description, image)
            if inputs is not None:
                made = rows.read(row, inputs)
        except UnsupportedError as error:
            refusals.append(f"{row}: {error}")
        except DiagnosticError as error:
            found += error.diagnostics
        values.append(made)
        if len(found) >= FINDINGS.value:
            break
    if refusals:
        found.append(without_counterpart("E0659", str(path), refusals, "row", _READ))
    if found:
        raise DiagnosticError(*found)
    if not rows.outputs:
        assert values[-1] is not None, "what cannot be read is refused"
        rows.outputs.append(Output("features", values[-1], ()))


def _inputs(row: Row, values: list[Value | None], description: Description, image: Value) -> list[Value] | None:
    """Return what flows into a row; None where that could not be read, which is told already.

    Raises:
        DiagnosticError: E0658, a place is none of the rows before.
    """
    found: list[Value] = []
    for source in row.sources:
        place = source if source >= 0 else row.index + source
        if place == -1 and row.index == 0:
            found.append(image)
            continue
        if not 0 <= place < row.index:
            raise wrong(f"{row} takes row {place}, which is not before it", row.span, "rows are counted from 0")
        if is_head(description.rows[place].module):
            raise wrong(f"{row} takes the output of a head, {description.rows[place]}", row.span)
        value = values[place]
        if value is None:
            return None
        found.append(value)
    return found
