"""The page of all codes, `docs/codes.md`: made by `python -m striate.codes.reference`, not by hand."""

from __future__ import annotations

import sys
from pathlib import Path

from striate.codes.catalogue import Page, catalogue

FAMILIES = {
    "E01": "Files and syntax",
    "E02": "Layers and sizes",
    "E03": "Names and meaning",
    "E04": "Recipes and settings",
    "E05": "Data, runs and checkpoints",
    "E06": "ONNX",
    "E07": "Plugins",
    "W": "Warnings",
}
"""The beginnings of codes and what they are about."""

_HEAD = """# Codes

Every finding has a code that never changes its meaning. `striate explain CODE` prints the code's part of this page.
Each example is run by the tests: it gives exactly its code, and its repaired form gives none.
"""


def reference() -> str:
    """Return the text of the page."""
    pages = catalogue().values()
    parts = [_HEAD]
    for beginning, title in FAMILIES.items():
        family = [page for page in pages if page.code.startswith(beginning)]
        parts.append(f"## {title}\n")
        parts.append("\n".join(f"- [{page.code}](#{_anchor(page)}) {page.title}" for page in family) + "\n")
        parts += [f"##{page.text.replace('```cnn repaired', 'Repaired:' + chr(10) * 2 + '```cnn')}" for page in family]
    return "\n".join(parts)


def _anchor(page: Page) -> str:
    """Return the anchor that GitHub gives a heading."""
    words = f"{page.code} {page.title}".lower()
    return "".join(char for char in words if char.isalnum() or char in " -_").replace(" ", "-")


def main() -> int:
    """Write the page to the file that is named, `docs/codes.md` by default."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/codes.md")
    target.write_text(reference(), encoding="utf-8")
    sys.stdout.write(f"wrote {target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
