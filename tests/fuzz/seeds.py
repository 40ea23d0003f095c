"""Texts to start from: the networks that come with striate, the examples of the codes' pages, the corpus."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from striate.codes import catalogue

CORPUS = Path(__file__).parent / "corpus"


@cache
def seeds() -> tuple[str, ...]:
    """Return the texts, each once."""
    zoo = files("striate_plugins") / "zoo"
    networks = [entry.read_text(encoding="utf-8") for entry in zoo.iterdir() if entry.name.endswith(".cnn")]
    pages = [text for page in catalogue().values() for text in (page.example, page.repaired) if text]
    return tuple(dict.fromkeys([*sorted(networks), *pages, *kept().values()]))


def kept() -> dict[str, str]:
    """Return the texts of the corpus by name: those that fuzzing found worth keeping, and those that were faults."""
    return {path.name: path.read_bytes().decode("utf-8", errors="replace") for path in sorted(CORPUS.glob("*.cnn"))}
