"""What a plugin says it provides, in a file beside its code: read without importing anything of the plugin.

The file is `striate-plugin.toml` in the package that the plugin's entry point names:

    [provides]
    layers = ["focal_conv"]
    losses = ["focal"]

With it, a name that is missing because its plugin cannot be loaded is told together with the plugin.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path

FILE = "striate-plugin.toml"
LARGEST = 256 * 1024
"""Bytes of a manifest; a larger one is not read."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The names that a plugin provides, by kind in the plural (`layers`, `losses`, …)."""

    provides: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What is known of a name that nobody provides.

    Attributes:
        notes: a sentence for each plugin that would provide it, or else for each that may.
        help: what to do, where it is known which plugin would provide it.
    """

    notes: tuple[str, ...] = ()
    help: str | None = None


class ManifestError(ValueError):
    """A manifest that cannot be read; the message says where and why."""


def read_manifest(entry: EntryPoint) -> Manifest | None:
    """Return the manifest of an entry point's package, None where there is none.

    Raises:
        ManifestError: there is one, and it is not as it should be.
    """
    path = _path(entry)
    if path is None:
        return None
    try:
        if path.stat().st_size > LARGEST:
            raise ManifestError(f"{path} is larger than {LARGEST:,} bytes")
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ManifestError(f"{path}: {error}") from None
    provides = content.get("provides", {})
    if not isinstance(provides, dict):
        raise ManifestError(f"{path}: provides is a table of lists of names")
    return Manifest({kind: _names(path, kind, names) for kind, names in provides.items()})


def _names(path: Path, kind: str, names: object) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ManifestError(f"{path}: provides.{kind} is a list of names")
    return tuple(names)


def _path(entry: EntryPoint) -> Path | None:
    """Return where the manifest is; finding a package of the top level imports nothing."""
    package = entry.value.partition(":")[0].strip().partition(".")[0]
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return None
    places = spec.submodule_search_locations if spec else None
    found = [path for place in places or () if (path := Path(place, FILE)).is_file()]
    return found[0] if found else None
