"""In which size images are brought to a network: what the input says, and where it leaves sizes open a sensible one."""

from __future__ import annotations

from itertools import count, takewhile

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
        found = (shape[0], evaluate(shape[1], sizes), evaluate(shape[2], sizes))
        if domain.contains(sizes) and (found[1:] == wanted or (wanted is None and min(found[1:]) >= 1)):
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


def _candidates(shape: tuple[Dim, ...], domain: Domain, wanted: tuple[int, int] | None) -> list[dict[str, int]]:
    """Return sizes of the symbols to try, the best first; whether they are legal is for the domain to say."""
    if not domain.symbols:
        return [{}]
    if wanted is not None:
        height, width = (symbols_of(shape[1]), symbols_of(shape[2]))
        upright = dict.fromkeys(domain.symbols, wanted[0])
        plain = {name: wanted[1] if name in width and name not in height else size for name, size in upright.items()}
        return [plain] if all(isinstance(size, int) or len(symbols_of(size)) == 1 for size in shape) else []
    equal = [dict.fromkeys(domain.symbols, size) for size in range(_SMALLEST, _LARGEST + 1)]
    apart = {
        name: next(takewhile(lambda size: size <= _LARGEST, (n for n in count(_SMALLEST) if n in domain[name])), 0)
        for name in domain.symbols
    }
    smallest = domain.smallest()
    return [*equal, apart, *([smallest] if smallest else [])]


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
