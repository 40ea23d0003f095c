"""The summary of a network as one object: data to compute with, and text, JSON or HTML to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

from striate.analysis.costs import Lookup
from striate.analysis.precision import FP32
from striate.graph import Graph
from striate.view.choice import check_column, listed_columns, table_columns
from striate.view.chosen import chosen_lines, sorted_rows
from striate.view.columns import COLUMNS, Column
from striate.view.conditions import conditions
from striate.view.delimited import csv_text, markdown_text
from striate.view.document import document
from striate.view.lines import BOXES, Line, Signs, colored, plain, printable, shortened
from striate.view.notebook import html_table
from striate.view.rows import LayerRow, Totals, layer_rows
from striate.view.sizes import checked_sizes
from striate.view.tables import View, has_folded_rows, table_lines
from striate.view.totalling import totals_of
from striate.view.totals import totals_lines
from striate.view.wording import Wording
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

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
        columns: the names of the columns to show (`striate.view.columns`); those that fit where it is empty.
        sort: the name of the column that layers are sorted by, which makes the view flat; nothing for their order.
    """

    model: str
    rows: tuple[LayerRow, ...]
    totals: Totals
    domain: Domain | None = None
    view: View = "tree"
    depth: int | None = None
    columns: tuple[str, ...] = ()
    sort: str = ""

    def shown(
        self, *, view: View = "tree", depth: int | None = None, columns: Sequence[str] = (), sort: str = ""
    ) -> Summary:
        """Return the same summary in another view.

        Raises:
            DiagnosticError: there is no column of a name, it needs a device or training, or open sizes are sorted.
        """
        for name in (*columns, *([sort] if sort else [])):
            check_column(name, self.totals.conditions)
        shown = replace(self, view=view, depth=depth, columns=tuple(columns), sort=sort)
        if sort:
            shown.arranged()
        return shown

    def arranged(self) -> tuple[LayerRow, ...]:
        """Return the rows in the order that is shown.

        Raises:
            DiagnosticError: the sizes that they are sorted by are open.
        """
        if not self.sort:
            return self.rows
        try:
            return sorted_rows(self.rows, COLUMNS[self.sort])
        except TypeError:
            raise DiagnosticError(_sizes_missing(f"{self.sort} is open and cannot be sorted by", self.totals)) from None

    def to_csv(self) -> str:
        """Return a line of comma-separated values per layer, the first one with the columns' names."""
        return csv_text(self.arranged(), self._listed(), Wording.of(self.domain))

    def to_markdown(self) -> str:
        """Return a Markdown table of the layers, with totals in its last line."""
        return markdown_text(self.arranged(), self._listed(), Wording.of(self.domain))

    def _listed(self) -> tuple[Column, ...]:
        return tuple(COLUMNS[name] for name in self.columns or listed_columns(self.totals.conditions))

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
        given = self.totals.conditions
        facts += [given.precision.in_words] if given.precision is not FP32 else []
        facts += [f"trained with {given.optimizer.name}"] if given.optimizer is not None else []
        return [[(shortened(printable(f"{self.model}: {', '.join(facts)}"), width, signs), "bold")], []]

    def _body(self, width: int, signs: Signs) -> list[Line]:
        wording = Wording.of(self.domain)
        view: View = "flat" if self.sort else self.view
        names = self.columns or table_columns(self.totals.conditions, self.sort)
        if names:
            table = chosen_lines(
                self.arranged(),
                [COLUMNS[name] for name in names],
                wording,
                width=width,
                tree=view == "tree",
                depth=self.depth,
                signs=signs,
            )
        else:
            table = table_lines(
                self.rows, self.totals.inputs, wording, width=width, view=view, depth=self.depth, signs=signs
            )
        folded = view == "tree" and has_folded_rows(self.rows, self.depth)
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
    totals = totals_of(graph, lookup, rows, domain, given)
    if totals.peak_memory is None and (given.device is not None or given.optimizer is not None):
        what = "bounds for a device" if given.device is not None else "a forecast of training"
        raise DiagnosticError(_sizes_missing(f"{what} cannot be given for open sizes", totals))
    return Summary(graph.name, rows, totals, domain)


def _sizes_missing(message: str, totals: Totals) -> Diagnostic:
    written = ",".join(f"{name}=…" for name in totals.symbols)
    return Diagnostic("E0230", message, help=f"put sizes in: --size {written}")
