"""In which size images are brought to a network: what the input says, and where it leaves sizes open a sensible one."""

from __future__ import annotations

from collections.abc import Iterator

from striate.dims import Dim, Domain, evaluate, format_dim, symbols_of
from striate.graph import Graph, format_shape
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

Size = tuple[int, int, int]

_SMALLEST, _LARGEST = 32, 1024
"""Without other information an open height or width is the smallest legal one in this range."""


def input_size(graph: Graph, domain: Domain, wanted: tuple[int, int] | None = None) -> Size:
    """Return channels, height and width of the images that a network with one image input is given.

    Args:
        graph: the network.
        domain: the sizes that it takes.
        wanted: height and width that the recipe asks for, or None: then open sizes are the smallest legal ones of at
            least 32, height and width alike where that is possible.

    Raises:
        DiagnosticError: E0507, the network does not take one image, or not in the wanted size.
    """
    shape = _image_shape(graph)
    if not isinstance(shape[0], int):
        raise DiagnosticError(_misfit(graph, f"leaves its channels open ({format_dim(shape[0])})"))
    for sizes in _candidates(shape, domain, wanted):
        if sizes.keys() >= set(domain.symbols) and domain.contains(sizes):
            found = (shape[0], evaluate(shape[1], sizes), evaluate(shape[2], sizes))
            if wanted in (None, found[1:]):
                return found
    raise DiagnosticError(_no_size(graph, domain, wanted))


def _image_shape(graph: Graph) -> tuple[Dim, ...]:
    if len(graph.inputs) != 1:
        names = ", ".join(item.value.name for item in graph.inputs)
        raise DiagnosticError(_misfit(graph, f"has {len(graph.inputs)} inputs ({names}); one image is supported"))
    shape = graph.inputs[0].value.type.shape
    if len(shape) != 3:
        size = format_shape(graph.inputs[0].value.type)
        raise DiagnosticError(_misfit(graph, f"takes {size}, which is no image (channels x height x width)"))
    return shape


def _candidates(shape: tuple[Dim, ...], domain: Domain, wanted: tuple[int, int] | None) -> Iterator[dict[str, int]]:
    """Yield sizes of the symbols to try, the best first; whether they are legal is for the domain to say."""
    if wanted is not None:
        yield dict(_solved(size, number) for size, number in zip(shape[1:], wanted, strict=True) if symbols_of(size))
        return
    yield from (dict.fromkeys(domain.symbols, size) for size in range(_SMALLEST, _LARGEST + 1))
    yield {name: domain[name].nearest(_SMALLEST)[1] or 0 for name in domain.symbols}
    yield domain.smallest() or {}


def _solved(size: Dim, number: int) -> tuple[str, int]:
    """Return the symbol in a size and what it must be for the size to come to a number; 0 where nothing will do."""
    name = min(symbols_of(size))
    return name, next((n for n in range(1, number + 1) if evaluate(size, {name: n}) == number), 0)


def _misfit(graph: Graph, reason: str) -> Diagnostic:
    span = graph.inputs[0].origin.span if graph.inputs else None
    return Diagnostic("E0507", f"{graph.name} cannot be given images: it {reason}", span)


def _no_size(graph: Graph, domain: Domain, wanted: tuple[int, int] | None) -> Diagnostic:
    item = graph.inputs[0]
    asked = f" of {wanted[0]} x {wanted[1]}" if wanted else ""
    return Diagnostic(
        "E0507",
        f"{graph.name} does not take images{asked}",
        item.origin.span,
        notes=(f"its input is {format_shape(item.value.type)}", *domain.sentences()),
        help="set a legal size in the recipe: size = (height, width)",
    )
