"""Writing a new plugin: a whole distribution with a layer, a loss, a network, tests, a manifest and a README.

The files are templates beside this module (`template/`); a word between two section signs is filled in.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from striate.version import __version__

SUFFIX = ".txt"
"""What template files end in, so that no tool takes them for code of ours."""

_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_PLACES = {"gitignore": ".gitignore", "github": ".github"}


class ScaffoldError(ValueError):
    """No plugin can be written under this name or there; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Scaffold:
    """A new plugin: its folder, and its files in there in order."""

    folder: Path
    files: tuple[str, ...]


def write_plugin(name: str, folder: Path, summary: str) -> Scaffold:
    """Write a new plugin, whole or not at all.

    Args:
        name: the plugin's name, e.g. `acme` or `acme-vision`; its package has `_` for `-`.
        folder: where it is to be; it must not be there, or be empty.
        summary: what it is for, in a line.

    Raises:
        ScaffoldError: the name cannot be one, the folder holds something, or it cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise ScaffoldError(f"{name!r} is no name of a plugin: small letters, digits and -, beginning with a letter")
    if not summary.strip() or "\n" in summary or '"' in summary or "\\" in summary:
        raise ScaffoldError("the summary is one line of text without quotes")
    package = name.replace("-", "_")
    if package in ("striate", "striate_dsl", "striate_plugins", "std", "zoo"):
        raise ScaffoldError(f"{name} is striate's own: choose another name")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ScaffoldError(f"{folder} is there already, and not empty: name another folder with -o")
    words = {
        "name": name,
        "package": package,
        "distribution": f"striate-{name.replace('_', '-')}",
        "summary": summary.rstrip("."),
        "striate": __version__,
    }
    try:
        return _written(folder, dict(_texts(words)))
    except OSError as error:
        raise ScaffoldError(f"{folder} cannot be written: {error}") from None


def _texts(words: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of every file, from the templates."""
    for path, template in _templates(files("striate.host").joinpath("template"), ""):
        text = template.read_text(encoding="utf-8")
        for word, value in words.items():
            text = text.replace(f"§{word}§", value)
        first, _, rest = path.partition("/")
        place = f"src/{words['package']}/{rest}" if first == "package" else f"{_PLACES.get(first, first)}/{rest}"
        yield place.rstrip("/"), text


def _templates(folder: Traversable, path: str) -> Iterator[tuple[str, Traversable]]:
    for item in sorted(folder.iterdir(), key=lambda each: each.name):
        if item.is_dir():
            yield from _templates(item, f"{path}{item.name}/")
        elif item.name.endswith(SUFFIX):
            yield f"{path}{item.name.removesuffix(SUFFIX)}", item


def _written(folder: Path, texts: dict[str, str]) -> Scaffold:
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for place, text in texts.items():
            (aside / place).parent.mkdir(parents=True, exist_ok=True)
            (aside / place).write_text(text, encoding="utf-8")
        (aside / f"src/{_package(texts)}/py.typed").touch()
        aside.chmod(0o755)
        if folder.is_dir():
            folder.rmdir()
        aside.rename(folder)
    except OSError:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return Scaffold(folder, tuple(sorted(texts)))


def _package(texts: dict[str, str]) -> str:
    return next(place.split("/")[1] for place in texts if place.endswith("/__init__.py"))
