"""Writes generated pages of `docs/` (`python -m striate.reference`): `layers/`, `plugins-collection.md`, `hooks.md`.

The pages are of what striate itself brings: its own layers, with pictures, and the records of its own plugin.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from striate.host.catalogue import HostCatalogue
from striate.ops.record import OpRecord
from striate.ops.registry import families
from striate.reference.hooks_page import hooks_page
from striate.reference.layer_page import layer_page
from striate.reference.page import Picture, markdown_table
from striate.reference.pictures import PICTURES, picture
from striate.reference.record_pages import KINDS, record_page

PICTURES_FOLDER = "pictures"
OWNER = "striate-plugins"
"""The entry point of the plugin that comes with striate."""

_LAYERS_HEAD = """# Layers

Made from the layers' records by `python -m striate.reference`: sizes, costs and messages are computed, not typed.
`striate explain conv` prints a layer's page in the terminal, those of installed plugins included.
"""

_COLLECTION_HEAD = """# What the plugin of striate provides

Made from the plugin's records by `python -m striate.reference`. `striate explain sgd` prints a part of this page, and
knows what other installed plugins provide.
"""


def pages() -> dict[str, str]:
    """Return the text of every generated page by its path in `docs/`."""
    catalogue = HostCatalogue()
    made = {
        "layers/README.md": _layer_index(),
        "plugins-collection.md": _collection(catalogue),
        "hooks.md": hooks_page(),
    }
    for family in families().values():
        for record in family.records:
            made |= _layer(record)
    return made


def _layer(record: OpRecord) -> dict[str, str]:
    """Return the page of a layer and its picture, if it has one."""
    drawn = picture(record)
    if drawn is None:
        return {f"layers/{record.name}.md": layer_page(record).markdown()}
    path = f"{PICTURES_FOLDER}/{record.name}.svg"
    shown = layer_page(record, picture=Picture(path, PICTURES[record.name].shows(record))).markdown()
    return {f"layers/{record.name}.md": shown, f"layers/{path}": drawn}


def _layer_index() -> str:
    return "\n".join([_LAYERS_HEAD, *(_family(family.title, family.records) for family in families().values())])


def _family(title: str, records: tuple[OpRecord, ...]) -> str:
    rows = [(f"[{record.name}]({record.name}.md)", f"`{record.signature}`", record.summary) for record in records]
    return f"## {title}\n\n{markdown_table(('layer', 'call', 'what it does'), rows)}\n"


def _collection(catalogue: HostCatalogue) -> str:
    return "\n".join([_COLLECTION_HEAD, *_kinds(catalogue)])


def _kinds(catalogue: HostCatalogue) -> Iterator[str]:
    for kind, words in KINDS.items():
        own = [(name, found[1]) for name, found in sorted(catalogue.of(kind).items()) if found[0] == OWNER]
        yield f"## {words.several}\n"
        yield markdown_table(("name", "what it is"), [(f"`{name}`", record.summary) for name, record in own]) + "\n"
        yield from (record_page(kind, record, OWNER, catalogue).markdown(level=3) for _, record in own)


def main() -> int:
    """Write the pages below the folder that is named, `docs` by default, and remove pages of layers that are gone."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    made = pages()
    (folder / "layers" / PICTURES_FOLDER).mkdir(parents=True, exist_ok=True)
    for path in (folder / "layers").rglob("*.*"):
        if path.relative_to(folder).as_posix() not in made:
            path.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"wrote {len(made)} pages below {folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
