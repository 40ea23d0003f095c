"""What a plugin says of itself in a file beside its code: read without importing anything of the plugin.

The file is `striate-plugin.toml` in the package that the plugin's entry point names:

    summary = "Focal losses and the layers that go with them"
    api = ">=1.0, <2"

    [provides]
    layers = ["focal_conv"]
    losses = ["focal"]

    [extras]
    timm = "acme[timm]"

`api` is the window of versions of the plugin interface that the plugin works with; `extras` says what to install for a
package that it needs only for some of its parts. With the names in `provides`, only the plugin that has a name is
loaded when a file uses it, and a name is known, with what ails its plugin, even where that cannot be loaded.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from striate.host.kinds import PLURALS
from striate.host.versions import fulfils, parse_window
from striate_dsl.names import nearest

FILE = "striate-plugin.toml"
LARGEST = 256 * 1024
"""Bytes of a manifest; a larger one is not read."""

KEYS = ("api", "extras", "provides", "summary")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a plugin says of itself.

    Attributes:
        provides: the names that it provides, by kind in the plural (`layers`, `losses`, …).
        api: the versions of the plugin interface that it works with, as comparisons; none where it does not say.
        summary: what it is for, in a line.
        extras: what pip is to install for a package that the plugin may need, by the package's import name.
    """

    provides: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    api: tuple[tuple[str, str], ...] = ()
    summary: str = ""
    extras: Mapping[str, str] = field(default_factory=dict)

    def works_with(self, version: str) -> bool:
        """Whether a version of the plugin interface lies in the window."""
        return all(fulfils(version, operator, bound) for operator, bound in self.api)

    @property
    def window(self) -> str:
        """The window as a text, e.g. `>=1.0, <2`."""
        return ", ".join(f"{operator}{version}" for operator, version in self.api)


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


def manifest_path(value: str) -> Path | None:
    """Return where the manifest of an entry point's package is; finding a package of the top level imports nothing."""
    package = value.partition(":")[0].strip().partition(".")[0]
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return None
    places = spec.submodule_search_locations if spec else None
    found = [path for place in places or () if (path := Path(place, FILE)).is_file()]
    return found[0] if found else None


def read_manifest(entry: EntryPoint) -> Manifest | None:
    """Return the manifest of an entry point's package, None where there is none.

    Raises:
        ManifestError: there is one, and it is not as it should be.
    """
    path = manifest_path(entry.value)
    return None if path is None else manifest_at(path)


def manifest_at(path: Path) -> Manifest:
    """Return the manifest in a file.

    Raises:
        ManifestError: it cannot be read, or is not as it should be.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise ManifestError(f"{path} is larger than {LARGEST:,} bytes")
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ManifestError(f"{path}: {error}") from None
    except RecursionError:
        raise ManifestError(f"{path} is nested too deeply") from None
    try:
        return manifest_of(content)
    except ValueError as error:
        raise ManifestError(f"{path}: {error}") from None


def manifest_of(content: Mapping[str, Any]) -> Manifest:
    """Return the manifest that a TOML document's content is.

    Raises:
        ValueError: a key is unknown, or a value is not of its kind; the message names the key.
    """
    for key in content:
        if key not in KEYS:
            raise ValueError(_unknown("key", key, KEYS))
    provides, extras = content.get("provides", {}), content.get("extras", {})
    if not isinstance(provides, dict):
        raise ValueError("provides is a table of lists of names")
    for kind in provides:
        if kind not in PLURALS:
            raise ValueError(_unknown("kind in provides", kind, PLURALS))
    if not isinstance(extras, dict) or not all(_is_requirement(text) for text in extras.values()):
        raise ValueError('extras is a table of what to install for a package, e.g. timm = "acme[timm]"')
    api, summary = content.get("api", ""), content.get("summary", "")
    if not isinstance(summary, str) or not summary.isprintable():
        raise ValueError("summary is one line of text")
    window = parse_window(api) if isinstance(api, str) else None
    if window is None:
        raise ValueError('api is a window of versions, e.g. ">=1.0, <2"')
    names = {kind: _names(kind, written) for kind, written in provides.items()}
    return Manifest(names, window, summary, dict(extras))


def is_name(text: str, *, dotted: bool = False) -> bool:
    """Whether a text can be written as a name in the language: letters a to z, digits and _, parts with dots between.

    Letters of other alphabets are none there, so that no name looks like another one.
    """
    parts = text.split(".") if dotted else [text]
    return text.isascii() and all(part.isidentifier() for part in parts) and (len(parts) > 1 or not dotted)


def _unknown(what: str, key: str, known: tuple[str, ...]) -> str:
    near = nearest(key, known)
    return f"there is no {what} {key}: {f'did you mean {near}?' if near else ', '.join(known)}"


def _is_requirement(text: object) -> bool:
    """Whether a text can be quoted behind `pip install`."""
    return isinstance(text, str) and bool(text) and text.isprintable() and "'" not in text


def _names(kind: str, names: object) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ValueError(f"provides.{kind} is a list of names")
    for name in names:
        if not is_name(name, dotted=kind == "files"):
            raise ValueError(f"provides.{kind} has {name[:60]!a}, which is no name in the language")
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"provides.{kind} has {twice[0]} twice")
    return tuple(names)
