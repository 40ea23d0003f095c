"""Loading one plugin: its code is imported and its hooks are asked, within a time limit; whatever goes wrong is told.

A plugin is taken in whole or not at all. Imports pluggy, so it is only imported once a plugin is needed.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import pluggy

from striate.host.attempts import noted
from striate.host.installed import Plugin
from striate.host.kinds import KINDS, reserved_name
from striate.host.limits import TooSlowError, within
from striate.host.manifest import Manifest
from striate.host.single_file import lying_files, relocated, run_file
from striate.host.spec import API_VERSION, PROJECT, Hooks, PluginContext
from striate.host.surroundings import DisturbanceError, kept_in_order
from striate.host.validation import checked, unlike_manifest

Records = Mapping[str, Mapping[str, Any]]
"""Records by kind (`layers`, `losses`, …) and name."""


@dataclass(frozen=True, slots=True)
class PluginFailure:
    """A plugin that could not be used.

    Attributes:
        plugin: its name.
        reason: why, in one line.
        manifest: what it says that it would provide; None where it says nothing.
        distribution: the distribution that brings it, None where it is not known.
        advice: what to do.
        report: the whole story, for `striate plugins doctor`: the traceback where code was to blame.
    """

    plugin: str
    reason: str
    manifest: Manifest | None = None
    distribution: str | None = None
    advice: str = ""
    report: str = ""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a plugin gave: its records, how many seconds that took, and what it changed that had to be put back."""

    records: Records = field(default_factory=dict)
    seconds: float = 0.0
    changed: tuple[str, ...] = ()


def load(plugin: Plugin, seconds: float) -> Contribution | PluginFailure:
    """Import a plugin and return its records, or why that is not possible.

    Args:
        plugin: the plugin.
        seconds: how long it may take.
    """
    refused = unfit(plugin)
    if refused is not None:
        return refused
    known = set(sys.modules)
    begin = perf_counter()
    try:
        with noted(plugin), kept_in_order() as changes:
            records = within(seconds, lambda: _records(plugin))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a stranger's code may raise anything, SystemExit too
        _forget(plugin, known)
        return _failure(plugin, error)
    return Contribution(records, perf_counter() - begin, tuple(changes.words))


def unfit(plugin: Plugin) -> PluginFailure | None:
    """Return why a plugin cannot be used, as far as its manifest says so; nothing is imported."""
    package = plugin.distribution or plugin.name
    if plugin.ailment is not None:
        advice = f"install it again (pip install --force-reinstall {package}), or tell its author"
        if plugin.written:
            advice = "repair it, or take it out of plugins in striate.toml"
        return PluginFailure(plugin.name, plugin.ailment, None, plugin.distribution, advice, plugin.ailment)
    manifest = plugin.manifest
    taken = reserved_name(manifest.provides) if manifest is not None else None
    if taken is not None:
        advice = f"tell its author, or get a version that names it otherwise: pip install --upgrade {package}"
        return PluginFailure(plugin.name, taken, manifest, plugin.distribution, advice, taken)
    if manifest is None or manifest.works_with(API_VERSION):
        return None
    reason = f"it works with plugin interface {manifest.window}, and this is {API_VERSION}"
    advice = f"get a version that does: pip install --upgrade {package} (or another striate)"
    if plugin.written:
        advice = f"change api in {plugin.written}, if it does work with this one"
    return PluginFailure(plugin.name, reason, manifest, plugin.distribution, advice, reason)


def _records(plugin: Plugin) -> Records:
    """Load one plugin and return its checked records; all of them or, with an exception, none."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    manager.register(plugin.entry.load() if plugin.file is None else run_file(plugin.file), name=plugin.name)
    manager.check_pending()
    context = PluginContext()
    records: dict[str, dict[str, Any]] = {}
    for kind in KINDS:
        for answer in getattr(manager.hook, kind.hook)(context=context):
            for record in _listed(answer, kind.hook):
                shelf = records.setdefault(kind.plural, {})
                name = checked(record, kind.record, kind.hook).name
                if name in shelf:
                    raise ValueError(f"{kind.hook} returned two records named {name}")
                shelf[name] = record if plugin.file is None else relocated(record, plugin.file)
    names = {kind: tuple(shelf) for kind, shelf in records.items()}
    unlike = unlike_manifest(plugin.manifest.provides, names) if plugin.manifest is not None else None
    wrong = unlike or reserved_name(names) or (None if plugin.file is None else lying_files(records.get("files", {})))
    if wrong is not None:
        raise ValueError(wrong)
    return records


def _listed(answer: Any, hook: str) -> list[Any]:
    if not isinstance(answer, (list, tuple)):
        raise TypeError(f"{hook} returned {answer!r:.60} where a list of records is due")
    return list(answer)


def _failure(plugin: Plugin, error: BaseException) -> PluginFailure:
    package = plugin.distribution or plugin.name
    reason = f"{type(error).__name__}: {_one_line(error)}"
    advice = f"repair that, or get another version: pip install --upgrade {package}"
    if plugin.written:
        advice = f"repair {plugin.written}, and trust it again"
    if isinstance(error, TooSlowError):
        reason = f"its loading {error}"
        advice = "allow it more with STRIATE_PLUGIN_SECONDS, or tell its author: a plugin must be quick to import"
    elif isinstance(error, DisturbanceError):
        reason = f"its import disturbs the program: {error}"
        advice = "tell its author: importing a plugin must do nothing but define what it provides"
    elif isinstance(error, ModuleNotFoundError) and error.name:
        missing = error.name.partition(".")[0]
        extra = plugin.manifest.extras.get(missing) if plugin.manifest else None
        if extra is not None:
            advice = f"it needs {missing}: pip install '{extra}'"
    report = "".join(traceback.format_exception(error)) if not isinstance(error, TooSlowError) else reason
    return PluginFailure(plugin.name, reason, plugin.manifest, plugin.distribution, advice, report)


def _one_line(error: BaseException) -> str:
    try:
        text = " ".join(str(error).split())
    except Exception:  # an exception's own words are a stranger's code as well
        text = "(its message cannot be read)"
    return text if len(text) <= 300 else f"{text[:300]}…"


def _forget(plugin: Plugin, known: set[str]) -> None:
    """Take the plugin's own modules back that its loading has left behind, so that it is not half there."""
    package = plugin.entry.value.partition(":")[0].strip().partition(".")[0]
    for name in set(sys.modules) - known:
        if name == package or name.startswith(f"{package}."):
            sys.modules.pop(name, None)
