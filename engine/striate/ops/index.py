"""Writes `_index.py`, which says in which module each built-in layer is: `python -m striate.ops.index`."""

from __future__ import annotations

import sys
from pathlib import Path

from striate.ops.registry import MODULES, records_of

TARGET = Path(__file__).with_name("_index.py")


def index_text() -> str:
    """Return the text of `_index.py` as it should be."""
    rows = [f"    {record.name!r}: {module!r}," for module in MODULES for record in records_of(module)]
    head = '"""The module of each built-in layer; written by `python -m striate.ops.index`."""'
    return "\n".join([head, "", "INDEX = {", *(row.replace("'", '"') for row in rows), "}", ""])


if __name__ == "__main__":
    TARGET.write_text(index_text(), encoding="utf-8")
    sys.stdout.write(f"wrote {TARGET.name}\n")
