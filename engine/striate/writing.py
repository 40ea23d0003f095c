"""A network as the text of a `.cnn` file that elaborates to exactly that network, with blocks and loops found in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from striate.graph import Graph, fingerprint, format_graph
from striate.host.catalogue import HostCatalogue
from striate.model import Model, load_source
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.formatter import format_source
from striate_dsl.source import Source

if TYPE_CHECKING:
    import numpy as np

    from striate.importing.naming import Names
    from striate.importing.network import Network

    Arrays = Mapping[str, np.ndarray[Any, np.dtype[Any]]]

__all__ = ["text_of", "written"]


def text_of(graph: Graph, catalogue: HostCatalogue | None = None) -> str:
    """Return the text of a file whose only model is this graph: same fingerprint, same names, same initial weights.

    Raises:
        DiagnosticError: E0614, there is none: the graph has a task head, whose layers are not told from others, names
            that no file can give, or nodes that rewriting has left without the form that elaboration gives them.
    """
    from striate.importing.findings import UnsupportedError
    from striate.importing.graphs import network_of

    known = catalogue or HostCatalogue()
    try:
        network, names = network_of(graph, {}, known.lookup)
        text, _, _ = written(network, names, graph.name, known, graph)
    except UnsupportedError as error:
        raise DiagnosticError(Diagnostic("E0614", f"{graph.name} cannot be written as text: {error}")) from None
    return text


def written(
    network: Network,
    names: Names,
    name: str,
    catalogue: HostCatalogue,
    wanted: Graph | None = None,
    otherwise: str | None = None,
    behind: str = "",
) -> tuple[str, Model, Arrays]:
    """Return the text, the network that it elaborates to, and the weights; the plainest text that is right is the last.

    Args:
        network: the network.
        names: the names in it.
        name: the name of the model.
        catalogue: the layers that the text may use.
        wanted: what the text must elaborate to; without it, the graph of the network's layers.
        otherwise: a text to be taken where none that is made of the layers will do.
        behind: what stands behind the model in the other texts.

    Raises:
        DiagnosticError: E0614, no text is the same network.
    """
    from striate.importing.finished import graph_of

    problem: DiagnosticError | None = None
    for text, called in _texts(network, names, name, catalogue, otherwise, behind):
        graph, weights = graph_of(network, names, called, name)
        try:
            built = _same(text, wanted or graph, catalogue, whole=wanted is not None)
        except DiagnosticError as error:
            problem = problem or error
            continue
        return format_source(Source(name, text)).text or text, built, weights
    assert problem is not None, "a text was tried"
    raise problem


def _texts(
    network: Network, names: Names, name: str, catalogue: HostCatalogue, otherwise: str | None, behind: str
) -> Iterator[tuple[str, Mapping[int, str]]]:
    """Yield texts with the names of all values in them, the best one first."""
    from striate.importing.text import ModelText, Style

    for style in (Style(), Style(blocks=False), Style(blocks=False, branches=False), Style(True, False, False)):
        made = ModelText(network, names, name, lambda word: catalogue.known_layer(word) is not None, style)
        yield made.text() + behind, made.called
    if otherwise is not None:
        yield otherwise, made.called


def _same(text: str, graph: Graph, catalogue: HostCatalogue, *, whole: bool) -> Model:
    """Read the text again and compare: a text that is another network is never handed out."""
    try:
        built = load_source(Source(f"{graph.name}.cnn", text), graph.name, catalogue=catalogue)
    except DiagnosticError as error:
        notes = tuple(f"{item.code}: {item.message}" for item in error.diagnostics)[:3]
        raise DiagnosticError(
            Diagnostic("E0614", f"{graph.name} cannot be written as text", notes=notes, help=_REPORT)
        ) from error
    if fingerprint(built.graph) == fingerprint(graph) and (not whole or _starts_alike(built.graph, graph)):
        return built
    lines = zip(format_graph(graph).splitlines(), format_graph(built.graph).splitlines(), strict=False)
    first = next((f"{before} would become {after}" for before, after in lines if before != after), "its end is missing")
    raise DiagnosticError(
        Diagnostic(
            "E0614", f"{graph.name} cannot be written so that it stays the same network", notes=(first,), help=_REPORT
        )
    )


def _starts_alike(first: Graph, second: Graph) -> bool:
    """Whether two graphs of one fingerprint also start from the same weights, take the same sizes and seek the same."""
    asked, wanted = ({item.condition() for item in each.constraints} for each in (first, second))
    return first.weights == second.weights and asked == wanted and _sought(first) == _sought(second)


def _sought(graph: Graph) -> list[Any]:
    """Return what the heads of a graph are to find."""
    return [task.objects.groups if task.objects else None for task in graph.tasks]


_REPORT = "nothing was written; this is a mistake in striate: report it with the file, if you can"
