"""Networks for people to look at: summary tables in a terminal, as JSON and in a notebook.

Nothing here computes what a network costs (see `striate.analysis`), and nothing here prints.
"""

from striate.view.rows import LayerRow, Totals
from striate.view.summary import Summary, summarize

__all__ = ["LayerRow", "Summary", "Totals", "summarize"]
