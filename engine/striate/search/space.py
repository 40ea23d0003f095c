"""The space of a `search` section: which settings of a recipe and parameters of a model range over which values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from striate.elaborate.definitions import lineage
from striate.elaborate.faults import Fault, suggestion
from striate.elaborate.settings import RecipeEnvironment, key_span, placed_settings
from striate.search.dimensions import Dimension, read_dimension
from striate.train.overrides import model_parameters  # noqa: TID253  # of this room only what needs no torch
from striate.train.recipe import KEYS  # noqa: TID253  # the same
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.source import Span
from striate_dsl.syntax import File, Section

RECIPE, MODEL = "train.", "model."

Point = Mapping[str, str]
"""Settings by key, as text in the language; the keys begin with `train.` or `model.`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a search section: the key, what it ranges over, its text, and the place of its key."""

    key: str
    dimension: Dimension
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Space:
    """What is searched.

    Attributes:
        model: the model whose parameters and recipe are searched.
        name: the section's own name, None where it has none.
        entries: the settings, in the order of the section.
        span: the place of the section's first line.
    """

    model: str
    name: str | None
    entries: tuple[Entry, ...]
    span: Span

    @property
    def size(self) -> int | None:
        """The number of points; None where there is no end of them."""
        sizes = [entry.dimension.size for entry in self.entries]
        known = [size for size in sizes if size is not None]
        return prod(known) if len(known) == len(sizes) else None

    def part(self, prefix: str) -> Space:
        """Return the space of those settings alone whose keys begin with `train.` or `model.`."""
        kept = tuple(entry for entry in self.entries if entry.key.startswith(prefix))
        return Space(self.model, self.name, kept, self.span)


def search_sections(file: File) -> tuple[Section, ...]:
    """Return the `search` sections of a file."""
    return tuple(item for item in file.definitions if isinstance(item, Section) and item.kind == "search")


def sections_for(file: File, model: str) -> tuple[Section, ...]:
    """Return the search sections of a model: its own, or those of what it is a variant of, or those for every model."""
    sections = search_sections(file)
    for owner in (model, *(name for name in lineage(file, model) if name != model), None):
        own = tuple(item for item in sections if (item.name.text if item.name else None) == owner)
        if own:
            return own
    return ()


def choose_space(file: File, model: str, name: str | None = None) -> Section:
    """Return the search section to use; raises DiagnosticError E0413: there is none, or which one is not said."""
    sections = sections_for(file, model)
    found = [item for item in sections if (item.alias.text if item.alias else None) == name]
    if len(found) == 1:
        return found[0]
    if name is None and not found and len(sections) == 1:
        return sections[0]
    known = [item.alias.text for item in sections if item.alias]
    if not sections:
        message, advice = f"{model} has no search section", f"write one: search {model} {{ train.batch = [32, 64] }}"
    elif len(found) > 1:
        message, advice = f"two search sections for {model} have the same name", "name one: search Model as wide { … }"
    elif name is None:
        message, advice = f"{model} has several search sections: which one?", f"name one with --space {known[0]}"
    else:
        message, advice = f"{model} has no search section {name}", suggestion(name, known) or ""
    span = found[1].span if len(found) > 1 else None
    notes = (f"search sections of {model}: {', '.join(known)}",) if known else ()
    raise DiagnosticError(Diagnostic("E0413", message, span, notes=notes, help=advice or None))


def read_space(section: Section, file: File, model: str) -> Space:
    """Return what a section says, for one model.

    Raises:
        DiagnosticError: everything that is wrong with it: E0401, E0409 to E0411.
    """
    try:
        placed = placed_settings(section.settings, RecipeEnvironment())
    except Fault as error:
        raise DiagnosticError(error.diagnostic) from None
    known = [*(RECIPE + name for name in KEYS), *(MODEL + name for name in model_parameters(file, model))]
    entries: list[Entry] = []
    findings: list[Diagnostic] = []
    for key, (value, setting) in placed.items():
        assert setting.value is not None, "placed settings have values"
        place = key_span(setting)
        try:
            _check_key(key, place, model, known)
            dimension = read_dimension(key, value, setting.value)
            entries.append(Entry(key, dimension, " ".join(setting.value.span.text.split()), place))
        except DiagnosticError as error:
            findings += error.diagnostics
    if not placed:
        findings.append(Diagnostic("E0411", "the search section names no settings", section.span, help=_example(known)))
    if findings:
        raise DiagnosticError(*findings)
    alias = section.alias.text if section.alias else None
    return Space(model, alias, tuple(entries), section.span)


def merged(*layers: Point) -> dict[str, str]:
    """Return settings laid over each other; one for a whole part takes away what lies below for its arguments."""
    result: dict[str, str] = {}
    for layer in layers:
        for key in sorted(layer, key=lambda item: item.count(".")):
            result = {old: text for old, text in result.items() if not old.startswith(f"{key}.")}
            result[key] = layer[key]
    return result


def _check_key(key: str, place: Span, model: str, known: Sequence[str]) -> None:
    first = ".".join(key.split(".")[:2])
    if key == "train.metrics":
        raise DiagnosticError(
            Diagnostic("E0409", "train.metrics is what points are compared by: it cannot be searched", place)
        )
    if (key.startswith(MODEL) and key in known) or (key.startswith(RECIPE) and first in known):
        return
    raise DiagnosticError(_no_such_key(key, place, model, known))


def _no_such_key(key: str, place: Span, model: str, known: Sequence[str]) -> Diagnostic:
    near = next((name for name in known if name.partition(".")[2] == key.partition(".")[0]), None)
    if near is not None and "." in key:
        near = RECIPE + key
    return Diagnostic(
        "E0409",
        f"there is nothing called {key} to search",
        place,
        notes=(f"a search section names train.… for settings of the recipe and model.… for parameters of {model}",),
        help=f"did you mean {near}?" if near else suggestion(key, known),
    )


def _example(known: Iterable[str]) -> str:
    first = next((name for name in known if name.startswith(MODEL)), None)
    return f"for example {first} = [8, 16]" if first else "for example train.batch = [32, 64]"
