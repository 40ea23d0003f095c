"""`striate expand`: one model of a file, written out as a file of its own that is the same network."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from striate.elaborate import elaborate
from striate.elaborate.definitions import base_model
from striate.elaborate.linked import reachable
from striate.expand.document import document
from striate.expand.lines import WIDTH
from striate.expand.origins import Origins
from striate.expand.recorder import Recorder
from striate.graph import Graph, fingerprint, format_graph, format_shape
from striate.host.catalogue import HostCatalogue
from striate.model import Model, chosen_profile, only_model
from striate.project.linking import parse_linked
from striate.settling import settled_sections
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.formatter import format_source
from striate_dsl.source import Source
from striate_dsl.syntax import File, Requires

__all__ = ["Expansion", "expand_model", "expand_source"]


@dataclass(frozen=True)
class Expansion:
    """A model written out.

    Attributes:
        model: the model's name in the text; without the name of a used file that stood before it.
        text: the file.
        graph: the network.
        parameters: the model's parameters as text, with their origins.
        layers: name, layer, inputs, arguments with origins, weights, size and place of every layer.
        warnings: findings that are no errors.
    """

    model: str
    text: str
    graph: Graph
    parameters: Mapping[str, tuple[str, str]]
    layers: tuple[dict[str, Any], ...]
    warnings: tuple[Diagnostic, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the expansion as plain data."""
        return {
            "model": self.model,
            "parameters": {name: {"value": text, "origin": origin} for name, (text, origin) in self.parameters.items()},
            "inputs": {item.value.name: format_shape(item.value.type) for item in self.graph.inputs},
            "layers": list(self.layers),
            "outputs": dict(self.graph.outputs),
            "text": self.text,
        }


def expand_source(
    source: Source,
    model: str | None = None,
    overrides: Mapping[str, str] | None = None,
    profile: str | None = None,
    *,
    origins: bool = True,
) -> Expansion:
    """Write out one model of a text.

    Args:
        source: the text.
        model: the model's or variant's name; may be left out where there is only one.
        overrides: model parameters as expressions.
        profile: the name of a profile of the file.
        origins: whether comments say where every value comes from.

    Raises:
        DiagnosticError: the text has mistakes or no such model, or E0332, the model cannot be written out.
    """
    catalogue = HostCatalogue()
    parsed = parse_linked(source, catalogue)
    if parsed.file is None or parsed.diagnostics.has_errors:
        raise DiagnosticError(*parsed.diagnostics)
    written = _written_out(
        parsed.file, model or only_model(parsed.file), overrides, profile, catalogue, origins=origins
    )
    return replace(written, warnings=(*parsed.diagnostics, *written.warnings))


def expand_model(model: Model, sections: Container[str] = ()) -> Expansion:
    """Write out a model that has been built, without comments, and of its sections those of some kinds.

    Raises:
        DiagnosticError: E0332, it cannot be written out.
    """
    chosen = (model.file, model.name, model.overrides, model.profile, model.catalogue)
    return _written_out(*chosen, origins=False, sections=sections)


def _written_out(
    file: File,
    name: str,
    overrides: Mapping[str, str] | None,
    profile: str | None,
    catalogue: HostCatalogue,
    *,
    origins: bool,
    sections: Container[str] = ("train", "export"),
) -> Expansion:
    source = file.span.source
    chosen = chosen_profile(file, profile)
    known = Origins(file)
    recorder = Recorder(known, catalogue, comments=origins)
    built = elaborate(file, name, catalogue, overrides, chosen.arguments(file, name), observer=recorder)
    if built.graph is None or built.domain is None:
        raise DiagnosticError(*built.diagnostics)
    _demand_writable(recorder, name)
    short = name.rpartition(".")[2]
    parameters = dict(_parameters(file, name, recorder, known))
    text = document(
        short,
        _notes(name, source, profile, parameters) if origins else (),
        dict.fromkeys(_requirements(file)),
        recorder.finish(),
        [
            item.entries(short, comments=origins)
            for item in settled_sections(file, name, chosen, known)
            if item.kind in sections
        ],
    )
    if any(len(line) > WIDTH for line in text.splitlines()):  # calls are broken already; what is left are long paths
        text = format_source(Source(source.name, text)).text or text
    graph = replace(built.graph, name=short)
    _demand_same(text, graph, source, catalogue)
    return Expansion(short, text, graph, parameters, tuple(_layers(recorder)), tuple(built.diagnostics))


# ------------------------------------------------------------------------------------------------ parts of the text


def _parameters(file: File, model: str, recorder: Recorder, origins: Origins) -> Iterator[tuple[str, tuple[str, str]]]:
    base, scope = base_model(file, model), recorder.scope
    if base is None or scope is None:
        return
    for parameter in base.parameters:
        key = parameter.name.text
        text = recorder.shown(scope, key)
        yield key, (text, origins.parameter(key, scope, text))


def _notes(model: str, source: Source, profile: str | None, parameters: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    under = f" with profile {profile}" if profile else ""
    yield f"{model} of {PurePath(source.name).name}{under}, written out by striate expand"
    for name, (text, origin) in parameters.items():
        yield f"  {name} = {text}: {origin}"


def _requirements(file: File) -> Iterator[str]:
    for each in reachable(file):
        for item in each.definitions:
            if isinstance(item, Requires):
                yield " ".join(item.span.text.split())


def _layers(recorder: Recorder) -> Iterator[dict[str, Any]]:
    for written in recorder.layers:
        node = written.node
        yield {
            "name": node.name,
            "layer": node.op,
            "inputs": list(node.inputs),
            "arguments": {
                name: {"value": text, **({"origin": origin} if origin else {})}
                for name, (text, origin) in written.arguments.items()
            },
            "weights": dict(node.weights),
            "size": format_shape(node.outputs[0].type),
            "place": written.place,
            "blocks": [frame.block for frame in node.origin.trail],
        }


# ------------------------------------------------------------------------------------------------ what must hold


def _demand_writable(recorder: Recorder, model: str) -> None:
    if recorder.problems:
        found = recorder.problems[0]
        raise DiagnosticError(
            Diagnostic("E0332", f"{model} cannot be written out: {found.reason}", found.span, help=_ADVICE)
        )


_ADVICE = "expand needs values that the language can write; look at the network with striate summary instead"


def _demand_same(text: str, graph: Graph, source: Source, catalogue: HostCatalogue) -> None:
    """Read the text again and compare: an expansion that is another network is never shown."""
    parsed = parse_linked(Source(source.name, text), catalogue)
    findings = list(parsed.diagnostics)
    if parsed.file is not None:
        again = elaborate(parsed.file, graph.name, catalogue)
        if again.graph is not None and fingerprint(again.graph) == fingerprint(graph):
            return
        findings += again.diagnostics
        if again.graph is not None:
            raise DiagnosticError(_differs(graph, again.graph))
    notes = tuple(f"{item.code}: {item.message}" for item in findings)[:3]
    raise DiagnosticError(
        Diagnostic("E0332", f"{graph.name} cannot be written out: names in it are in each other's way", notes=notes)
    )


def _differs(graph: Graph, again: Graph) -> Diagnostic:
    lines = zip(format_graph(graph).splitlines(), format_graph(again).splitlines(), strict=False)
    first = next((f"{before} would become {after}" for before, after in lines if before != after), "its end is missing")
    return Diagnostic("E0332", f"{graph.name} cannot be written out so that it stays the same network", notes=(first,))
