"""`requires NAME >= VERSION`: whether the plugins that a file needs are installed, and what to install if not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from striate.host.versions import fulfils, version_order
from striate_dsl.diagnostics import Diagnostic
from striate_dsl.names import nearest
from striate_dsl.syntax import File, Requires

if TYPE_CHECKING:
    from striate.host.installed import InstalledPlugin


def unmet(file: File, installed: Sequence[InstalledPlugin] | None = None) -> Iterator[Diagnostic]:
    """Yield a finding per `requires` statement of a file that is not met.

    A plugin goes by the name of its entry point or of its distribution; `-`, `_` and `.` are alike.
    """
    statements = [item for item in file.definitions if isinstance(item, Requires)]
    if statements and installed is None:
        from striate.host.installed import installed_plugins  # noqa: PLC0415  # package metadata costs start-up time

        installed = installed_plugins()
    for statement in statements:
        found = _unmet(statement, installed or ())
        if found is not None:
            yield found


def _unmet(statement: Requires, installed: Sequence[InstalledPlugin]) -> Diagnostic | None:
    name = ".".join(part.text for part in statement.plugin)
    wanted = _normal(name)
    matching = [item for item in installed if wanted in (_normal(item.name), _normal(item.distribution))]
    if not matching:
        return _missing(statement, name, installed)
    operator, version = statement.operator, statement.version
    if version is not None and version_order(version) is None:
        return Diagnostic("E0705", f"{version} is no version number", statement.span, help="write e.g. 1.0 or 2.1rc1")
    if operator is None or version is None or fulfils(matching[0].version, operator, version):
        return None
    return _other_version(statement, matching[0], operator, version)


def _normal(name: str) -> str:
    """Return a name as distributions compare it (PEP 503): `Striate_Detection` is `striate-detection`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _missing(statement: Requires, name: str, installed: Sequence[InstalledPlugin]) -> Diagnostic:
    near = nearest(name, {known for item in installed for known in (item.name, item.distribution)})
    have = ", ".join(dict.fromkeys(f"{item.name} ({item.distribution} {item.version})" for item in installed))
    needed = _normal(name) + (f"{statement.operator}{statement.version}" if statement.version else "")
    return Diagnostic(
        "E0704",
        f"the plugin {name} is not installed",
        statement.span,
        notes=(f"installed: {have or 'no plugins'}",),
        help=f"did you mean {near.replace('-', '_')}?" if near else f"install it, e.g. pip install '{needed}'",
    )


def _other_version(statement: Requires, item: InstalledPlugin, operator: str, version: str) -> Diagnostic:
    return Diagnostic(
        "E0705",
        f"{item.name} {operator} {version} is needed",
        statement.span,
        notes=(f"installed: {item.distribution} {item.version}",),
        help=f"pip install '{item.distribution}{operator}{version}'",
    )
