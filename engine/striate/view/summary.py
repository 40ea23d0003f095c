"""The summary of a network as one object: data to compute with, and text, JSON or HTML to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

from striate.analysis.costs import Lookup
from striate.graph import Graph
from striate.view.conditions import conditions
from striate.view.document import document
from striate.view.lines import BOXES, Line, Signs, colored, plain, printable, shortened
from striate.view.notebook import html_table
from striate.view.rows import LayerRow, Totals, layer_rows
from striate.view.sizes import checked_sizes
from striate.view.tables import View, has_folded_rows, table_lines
from striate.view.totalling import totals_of
from striate.view.totals import totals_lines
from striate.view.wording import Wording

if TYPE_CHECKING:
    from striate.dims.domain import Domain


@dataclass(frozen=True)
class Summary:
    """What there is to say of a network's layers; `print` shows it as a table, a notebook as a page.

    Attributes:
        model: the model's name.
        rows: one row per layer, in execution order.
        totals: what holds for the whole network.
        domain: the sizes that the network takes, where they were worked out.
        view: "tree" groups layers by block instances, "flat" lists them.
        depth: the number of levels that the tree shows; all of them where it is None.
    """

    model: str
    rows: tuple[LayerRow, ...]
    totals: Totals
    domain: Domain | None = None
    view: View = "tree"
    depth: int | None = None

    def shown(self, *, view: View = "tree", depth: int | None = None) -> Summary:
        """Return the same summary in another view."""
        return replace(self, view=view, depth=depth)

    def text(self, width: int | None = None, *, color: bool = False, signs: Signs = BOXES) -> str:
        """Return the table and the totals, at most `width` columns wide (None: the terminal's, or 100)."""
        width = width or get_terminal_size((100, 24)).columns
        lines = [*self._title(width, signs), *self._body(width, signs)]
        return colored(lines) if color else plain(lines)

    def to_json(self) -> dict[str, Any]:
        """Return the summary as plain JSON values, sizes that are open as text."""
        return document(self.model, self.rows, self.totals, self.domain)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<Summary of {self.model}: {self.totals.layers} layers, {self.totals.parameters:,} parameters>"

    def _repr_html_(self) -> str:
        return html_table(self.model, self.rows, self.totals, Wording.of(self.domain))

    def _title(self, width: int, signs: Signs) -> list[Line]:
        facts = [f"{self.totals.layers:,} layers"]
        facts += [f"{name} = {size}" for name, size in self.totals.sizes.items()]
        facts += [f"batch of {self.totals.batch}"] if self.totals.batch != 1 else []
        return [[(shortened(printable(f"{self.model}: {', '.join(facts)}"), width, signs), "bold")], []]

    def _body(self, width: int, signs: Signs) -> list[Line]:
        wording = Wording.of(self.domain)
        table = table_lines(
            self.rows, self.totals.inputs, wording, width=width, view=self.view, depth=self.depth, signs=signs
        )
        folded = self.view == "tree" and has_folded_rows(self.rows, self.depth)
        return [*table, *totals_lines(self.totals, wording, width, folded=folded)]


def summarize(
    graph: Graph,
    lookup: Lookup,
    domain: Domain | None = None,
    *,
    sizes: Mapping[str, int] | None = None,
    batch: int = 1,
    precision: str = "fp32",
    optimizer: str | None = None,
    device: str | None = None,
) -> Summary:
    """Return the summary of a graph.

    Args:
        graph: the network.
        lookup: gives the record of a layer.
        domain: the sizes that the network takes; needed where `sizes` are given.
        sizes: sizes to put in for the symbols, all of them, e.g. `{"H": 224, "W": 224}`.
        batch: the number of images that operations, traffic and memory are given for.
        precision: what values are held in: `fp32`, `fp16`, `bf16` or `int8`.
        optimizer: `sgd`, `momentum` or `adam` for the memory of training; None for that of evaluation.
        device: the name of a device (`striate.analysis.devices`) for lower bounds of the time.

    Raises:
        DiagnosticError: the network does not take these sizes, and the message has the nearest that it does; or a name
            is not known or does not go with the others.
        UnknownLayerError: nobody provides one of the layers.
    """
    given = conditions(checked_sizes(domain, sizes or {}), batch, precision, optimizer, device)
    rows = layer_rows(graph, lookup, given)
    return Summary(graph.name, rows, totals_of(graph, lookup, rows, domain, given), domain)
