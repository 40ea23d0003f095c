"""Checking a plugin: its loading as a whole, then every record, in a process that may end without ending this one.

The process (`checking_process.py`) says before each check which one it is, and then what came of it, a line of JSON
each. Where it ends or hangs, the check that it was at has failed, and a new process goes on behind that one.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import IO, Any

from striate.conformance.results import USUAL, Effort, Outcome, ScoreCard, Status, Tell
from striate.host.examination import examine, file_words
from striate.host.installed import Plugin

MARK = "striate-check:"
GRACE = 20.0
"""Seconds beyond a check's own, for the start of a process and for what cannot be interrupted: code in C."""

SLOWEST = 1.0
"""Seconds that the loading of a plugin may take: it is part of the start of every command that needs it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a process says: the check that it begins with (without an outcome), or what came of it."""

    place: int
    kind: str
    record: str
    check: str
    outcome: Outcome | None = None


def check_plugin(plugin: Plugin, effort: Effort = USUAL, *, tell: Tell | None = None) -> ScoreCard:
    """Hold everything that a plugin provides to the checks of its kind.

    Args:
        plugin: the installed plugin.
        effort: how much is tried.
        tell: is given every outcome as soon as it is there.
    """
    found: list[Outcome] = []
    for item in _all_outcomes(plugin, effort):
        found.append(item)
        if tell is not None:
            tell(item)
    return ScoreCard(plugin.name, plugin.version or "", tuple(found))


def _all_outcomes(plugin: Plugin, effort: Effort) -> Iterator[Outcome]:
    for item in plugin_outcomes(plugin, effort):
        yield item
        if item.check == "loading" and item.status is Status.FAILED:
            return
    place, ended = 0, False
    while not ended:
        begun: Progress | None = None
        ended = True
        for said in _said(plugin, effort, place):
            begun = None if said.outcome is not None else said
            place = said.place + 1
            if said.outcome is not None:
                yield said.outcome
        if begun is not None:
            ended = False
            yield _crashed(begun, effort)


def _crashed(begun: Progress, effort: Effort) -> Outcome:
    message = f"it ended the whole process, or could not be interrupted after {effort.seconds:g} seconds"
    repair = "run the smallest network with it under python -X faulthandler"
    return Outcome(begun.kind, begun.record, begun.check, Status.FAILED, message, repair=repair)


# ----------------------------------------------------------------------------------------------- the whole plugin


def plugin_outcomes(plugin: Plugin, effort: Effort = USUAL) -> Iterator[Outcome]:
    """Yield what comes of the checks of a plugin as a whole: loading, speed of import, manifest."""
    begin = perf_counter()
    found = examine(plugin, effort.seconds)
    spent = perf_counter() - begin
    if found.reason is not None:
        repair = f"{found.advice}; striate plugins doctor {plugin.name} tells the whole story"
        yield Outcome("plugin", plugin.name, "loading", Status.FAILED, found.reason, repair=repair, seconds=spent)
        return
    seconds = found.seconds or 0.0
    yield Outcome("plugin", plugin.name, "loading", Status.PASSED, f"{seconds:.2f} s", seconds=spent)
    yield _speed(plugin, found.modules, seconds)
    yield _manifest(plugin)


def _speed(plugin: Plugin, modules: tuple[str, ...], seconds: float) -> Outcome:
    repair = "import heavy packages inside the functions that need them; name factories as package.module:function"
    if modules:
        message = f"loading it imports {', '.join(modules)}"
    elif seconds > SLOWEST:
        message = f"loading it takes {seconds:.2f} s, more than {SLOWEST:g} s"
    else:
        return Outcome("plugin", plugin.name, "speed", Status.PASSED, f"{seconds:.2f} s, and nothing heavy is imported")
    return Outcome("plugin", plugin.name, "speed", Status.FAILED, message, repair=repair)


def _manifest(plugin: Plugin) -> Outcome:
    """Whether there is a manifest that says something; that it lists what the hooks return is a part of loading."""
    manifest = plugin.manifest
    if manifest is None:
        message = "it has no manifest, so it is imported whenever some name is looked for"
        repair = "put striate-plugin.toml beside the package's __init__.py, and into the wheel"
        return Outcome("plugin", plugin.name, "manifest", Status.FAILED, message, repair=repair)
    missing = [what for what, given in (("summary", manifest.summary), ("api", manifest.api)) if not given]
    if missing:
        message = f"the manifest says nothing under {' and '.join(missing)}"
        repair = 'add summary = "…" and api = ">=1.0, <2" to striate-plugin.toml'
        return Outcome("plugin", plugin.name, "manifest", Status.FAILED, message, repair=repair)
    return Outcome("plugin", plugin.name, "manifest", Status.PASSED, f"interface {manifest.window}")


# ----------------------------------------------------------------------------------------------- the process


def _said(plugin: Plugin, effort: Effort, place: int) -> Iterator[Progress]:
    """Start a process at a check and yield what it says, until it ends or says nothing for too long."""
    command = [sys.executable, "-m", "striate.conformance.checking_process", plugin.name, plugin.entry.value]
    numbers = [str(number) for number in (effort.seed, effort.draws, effort.seconds, place)]
    with subprocess.Popen(
        [*command, *numbers, *file_words(plugin)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        errors="replace",
    ) as process:
        lines: queue.Queue[str | None] = queue.Queue()
        assert process.stdout is not None  # it is a pipe
        threading.Thread(target=_read, args=(process.stdout, lines), daemon=True).start()
        try:
            while True:
                line = lines.get(timeout=effort.seconds + GRACE)
                if line is None:
                    return
                head, _, content = line.partition(MARK)
                if content and not head.strip():
                    yield _progress(json.loads(content))
        except queue.Empty:
            return
        finally:
            process.kill()


def _read(stream: IO[str], lines: queue.Queue[str | None]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def _progress(content: dict[str, Any]) -> Progress:
    outcome = content.pop("outcome")
    made = None if outcome is None else Outcome(**{**outcome, "status": Status(outcome["status"])})
    return Progress(**content, outcome=made)
