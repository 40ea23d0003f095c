"""Makes `docs/faults.md`, the table of faults, from the corpus: `python -m tests.faults.page`, not by hand."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.faults.corpus import Case, Expected, corpus

GROUPS = {
    "twelve": "The twelve faults, their variants and look-alikes",
    "sizes": "Sizes",
    "arguments": "Layers and their arguments",
    "statements": "Statements and names",
    "recipes": "Recipes, export sections, profiles and pixels",
    "syntax": "Syntax",
    "lints": "Lints",
}
"""The folders of the corpus, in the order of the page."""

_HEAD = """# What striate says about faulty networks

Each row is a file of `tests/faults`: a network with one fault, or several, and everything `striate check` says about it
in one run. Places are line:column. A repair marked *safe* is made by `striate check --fix`, one marked *unsafe* by
`striate check --fix --unsafe-fixes`; the tests make it and check the result. Where nothing can be proposed, the reason
is given. The page is made by `python -m tests.faults.page`, and a test says when it is out of date.
"""
_RESULTS = ROOT / "benchmarks" / "results"
_SHOWN = ("tool", "cases", "before_running", "line", "column", "both_values", "repair", "all_at_once", "fine_accepted")


def page() -> str:
    """Return the text of the page."""
    cases = corpus()
    parts = [_HEAD, _comparison()]
    for group, title in GROUPS.items():
        own = [case for case in cases if case.group == group]
        parts += [f"## {title}\n", "| fault | line | what striate says | repair |", "|---|---|---|---|"]
        parts += [row for case in own for row in _rows(case)]
        parts.append("")
    return "\n".join(parts)


def _rows(case: Case) -> list[str]:
    if not case.expected:
        return [f"| {_cell(case.title)} | | nothing: it is fine | |"]
    lines = case.text.splitlines()
    rows = []
    for index, item in enumerate(case.expected):
        title = case.title if index == 0 else ""
        written = lines[item.line - 1].strip() if item.line <= len(lines) else ""
        said = f"{item.severity} {item.code} at {item.line}:{item.column}: {item.message}"
        rows.append(f"| {_cell(title)} | {_code(written)} | {_cell(said)} | {_repair(item)} |")
    return rows


def _repair(item: Expected) -> str:
    if not item.fixes:
        return _cell(f"none: {' '.join(item.all('no fix'))}")
    grade, title = item.fixes[0]
    now = item.all("now")
    return f"{grade}: {_code(now[0])}" if now else f"{grade}: {_cell(title)}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("_", "\\_").replace("<", "&lt;")


def _code(text: str) -> str:
    if not text:
        return ""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}".replace("|", "\\|")


def _comparison() -> str:
    """Return what other tools say about the twelve, from the newest saved benchmark."""
    newest = sorted(_RESULTS.glob("*-faults.json"))[-1]
    document: dict[str, Any] = json.loads(newest.read_text(encoding="utf-8"))
    table = document["tables"][0]
    lines = ["## Beside other tools\n"]
    lines += ["| " + " | ".join(key.replace("_", " ") for key in _SHOWN) + " |", "|---" * len(_SHOWN) + "|"]
    lines += ["| " + " | ".join(str(row[key]) for key in _SHOWN) + " |" for row in table["rows"]]
    where = newest.with_suffix(".md").relative_to(ROOT)
    lines += ["", f"The twelve and their variants in the notation of each tool, of {document['date']}; all scores and"]
    lines += [f"the rules: [{where.name}](../{where}). Run it: `python benchmarks/fault_table.py`.", ""]
    return "\n".join(lines)


def main() -> int:
    """Write the page to the file that is named, `docs/faults.md` by default."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/faults.md")
    target.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
