"""Checking a file: parse it, build every model, read every recipe, and collect what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from striate.elaborate import elaborate, model_names
from striate.host.catalogue import HostCatalogue
from striate_dsl.diagnostics import Diagnostic, DiagnosticError, Severity
from striate_dsl.parser import parse
from striate_dsl.reading import read_source
from striate_dsl.source import Source, Span

if TYPE_CHECKING:
    from striate.dims.domain import Domain


@dataclass(slots=True)
class Checked:
    """What a check found in one file, and the input sizes that each of its models takes."""

    file: str
    diagnostics: list[Diagnostic] = field(default_factory=list)
    domains: dict[str, Domain] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether there are errors."""
        return any(item.severity is Severity.ERROR for item in self.diagnostics)


def check_file(path: Path, model: str | None = None, overrides: Mapping[str, str] | None = None) -> Checked:
    """Read and check a file; a file that cannot be read is a finding like any other."""
    try:
        source = read_source(path)
    except DiagnosticError as error:
        return Checked(str(path), list(error.diagnostics))
    return check_source(source, model, overrides)


def check_source(source: Source, model: str | None = None, overrides: Mapping[str, str] | None = None) -> Checked:
    """Check a text: all its models, or the one named.

    A mistake inside a block shows up in every model that uses the block; it is reported once.
    """
    result = parse(source)
    checked = Checked(source.name, list(result.diagnostics))
    if result.file is None:
        return checked
    catalogue = HostCatalogue()
    names = (model,) if model else model_names(result.file)
    seen: set[tuple[str, Span | None, str]] = set()
    for name in names:
        built = elaborate(result.file, name, catalogue, overrides if model or len(names) == 1 else None)
        for item in built.diagnostics:
            key = (item.code, item.span, item.message)
            if key not in seen:
                seen.add(key)
                checked.diagnostics.append(item)
        if built.domain is not None and built.graph is not None:
            checked.domains[name] = built.domain
    return checked
