"""Which plugins, in which versions, a network and its recipe really used; and whether those here are the same.

Checkpoints, the state of runs and exported files carry it as plain data, by the plugin's name:

    {"acme": {"distribution": "striate-acme", "version": "1.2", "used_by": "network and recipe"}}

A plugin that is a file of the project has the hash of the file as its version, and no distribution.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from striate.elaborate.definitions import base_model
from striate.elaborate.linked import LinkedFile, reachable, renamed_in
from striate.elaborate.sites import calls_in
from striate.host.identity import FIRST_PARTY
from striate.host.records import FileRecord, HeadRecord, TaskRecord
from striate.host.versions import version_order
from striate.ops.record import OpRecord
from striate.ops.registry import BUILTIN
from striate_dsl.diagnostics import Diagnostic, Severity
from striate_dsl.syntax import File, Head

if TYPE_CHECKING:
    from striate.graph import Graph
    from striate.host.catalogue import HostCatalogue

Provenance = Mapping[str, Mapping[str, str]]
"""Distribution, version and use by the name of the plugin."""

NETWORK, RECIPE = "network", "recipe"

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_HASH = re.compile(r"sha256:[0-9a-f]{12}")
_MOST = 1_000
"""Plugins that are believed of a file."""


def provenance(
    file: File,
    model: str,
    graph: Graph,
    catalogue: HostCatalogue,
    recipe: Iterable[str] = (),
    network: Iterable[str] = (),
) -> dict[str, dict[str, str]]:
    """Return which plugins a network used, and a recipe.

    Args:
        file: the file that the network was made of.
        model: the model's name in it.
        graph: the network.
        catalogue: what it was made with.
        recipe: the plugins that the parts of the recipe are from.
        network: further plugins that had to do with the network, such as those whose passes have rewritten it.
    """
    if catalogue.plugins_if_needed is None:
        return {}
    used = {owner: [NETWORK] for owner in (*_network_owners(file, model, graph, catalogue), *network)}
    for owner in recipe:
        if owner and RECIPE not in used.setdefault(owner, []):
            used[owner].append(RECIPE)
    found = {}
    for owner in sorted(used):
        plugin = catalogue.plugins.plugin(owner)
        if plugin is not None:
            words = " and ".join(used[owner])
            entry = {"distribution": plugin.distribution or "", "version": plugin.version, "used_by": words}
            found[owner] = entry
    return found


def _network_owners(file: File, model: str, graph: Graph, catalogue: HostCatalogue) -> set[str]:
    owners = {catalogue.owner(OpRecord, node.op) for node in graph.nodes if node.op not in BUILTIN}
    owners |= {catalogue.identified_owner(TaskRecord, task.name) for task in graph.tasks}
    base = base_model(file, model)
    if base is not None:
        home = next((item for item in reachable(file) if item.span.source is base.span.source), file)
        renamed = renamed_in(home)
        heads = (item for item in calls_in(base.body.statements) if isinstance(item, Head))
        written = ("".join(head.callee.span.text.split()) for head in heads)
        owners |= {catalogue.owner(HeadRecord, renamed.get(name, name)) for name in written}
    return {owner for owner in (*owners, *_file_owners(file, graph, catalogue)) if owner}


def _file_owners(file: File, graph: Graph, catalogue: HostCatalogue) -> Iterator[str | None]:
    """Yield the plugins in whose files some layer of the network is written."""
    texts = {node.origin.span.source for node in graph.nodes}
    for each in reachable(file):
        for used in each.uses if isinstance(each, LinkedFile) else ():
            target = used.statement.target
            if isinstance(target, tuple) and any(item.span.source in texts for item in reachable(used.file)):
                yield catalogue.owner(FileRecord, ".".join(part.text for part in target))


# ---------------------------------------------------------------------------------------------- what files say


def is_provenance(value: Any) -> bool:
    """Whether a value that comes from a file is of this form. Names and versions are quoted in commands to be typed."""
    return isinstance(value, dict) and len(value) <= _MOST and all(map(_is_entry, value, value.values()))


def _is_entry(name: object, said: object) -> bool:
    if not (isinstance(name, str) and _NAME.fullmatch(name)) or not isinstance(said, dict):
        return False
    distribution, version = said.get("distribution"), said.get("version")
    if not isinstance(version, str) or not isinstance(distribution, str) or not isinstance(said.get("used_by"), str):
        return False
    if not distribution:
        return not version or _HASH.fullmatch(version) is not None
    is_version = version == version.strip() and version_order(version) is not None
    return is_version and _NAME.fullmatch(distribution) is not None


def read_provenance(text: str) -> Provenance:
    """Return what a file of ours says in JSON; nothing where it says nothing of this form."""
    try:
        said = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return said if is_provenance(said) else {}


# ---------------------------------------------------------------------------------------------- what is here


def unlike(recorded: Provenance, catalogue: HostCatalogue, what: str, *, network_only: bool) -> tuple[Diagnostic, ...]:
    """Return a warning (W0702) for each plugin that was used and is not here, or not in that version.

    Args:
        recorded: what was used.
        catalogue: what is here.
        what: what it was used for, e.g. `the weights`.
        network_only: leave out what only the recipe used.
    """
    asked = {name: said for name, said in recorded.items() if name != FIRST_PARTY}
    if network_only:
        asked = {name: said for name, said in asked.items() if said["used_by"] != RECIPE}
    found = (_unlike(name, said, catalogue, what) for name, said in asked.items())
    return tuple(item for item in found if item is not None)


def _unlike(name: str, said: Mapping[str, str], catalogue: HostCatalogue, what: str) -> Diagnostic | None:
    version, distribution = said["version"], said["distribution"]
    label = f"{name} ({distribution} {version})" if distribution else f"{name} ({version}, a file of the project)"
    wanted = f"pip install '{distribution}=={version}'" if distribution else f"take back the {name}.py of that time"
    plugin = catalogue.plugins.plugin(name)
    refusal = catalogue.plugins.refused.get(name)
    if plugin is None:
        return _warning(f"{what} were made with plugin {label}, which is not installed", f"{wanted}, if you trust it")
    if refusal is not None:
        return _warning(f"{what} were made with plugin {label}, which {refusal.reason}", refusal.advice)
    if plugin.version == version:
        return None
    here = f"{plugin.distribution} {plugin.version}" if plugin.distribution else f"{plugin.version}, {plugin.written}"
    return _warning(
        f"{what} were made with plugin {label}, and here it is {here}",
        f"results may differ: measure again (striate eval), or {wanted}",
    )


def _warning(message: str, help: str) -> Diagnostic:
    return Diagnostic("W0702", message, severity=Severity.WARNING, help=help)
