"""Loading one plugin in a process of its own: whatever it does there, crashing included, happens to nobody else.

`examine` starts the process (`python -m striate.host.examination NAME`), which prints what came of it as one line of
JSON behind a mark, since the plugin may print as well.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from striate.host.installed import Plugin, find_plugins
from striate.host.loading import Contribution, PluginFailure, load
from striate.host.project_files import project_plugin

MARK = "striate-examination:"
GRACE = 15.0
"""Seconds beyond the plugin's own for Python to start and to stop."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What came of loading a plugin.

    Attributes:
        reason: why it cannot be used, None where it can.
        advice: what to do then.
        report: the whole story: the traceback where code was to blame.
        said: what the plugin printed while it was loaded.
        seconds: how long loading took, None where it did not end.
        names: what it provides, by kind.
        modules: the heavy packages that loading it has imported.
        changed: what it changed of the process, in words.
    """

    reason: str | None = None
    advice: str = ""
    report: str = ""
    said: str = ""
    seconds: float | None = None
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


def examine(plugin: Plugin, seconds: float) -> Examination:
    """Load a plugin in a new process and return what came of it."""
    command = [sys.executable, "-m", "striate.host.examination", plugin.name, plugin.entry.value, str(seconds)]
    command += file_words(plugin)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=seconds + GRACE, check=False
        )
    except subprocess.TimeoutExpired:
        reason = f"its loading did not end within {seconds:g} seconds, and could not be interrupted"
        return Examination(reason, "tell its author: a plugin must be quick to import", reason)
    head, _, found = done.stdout.rpartition(MARK)
    said = (head + done.stderr).strip()
    if not found:
        reason = f"its loading ended the whole process ({_ending(done.returncode)})"
        return Examination(reason, "tell its author: importing a plugin must not end the program", reason, said)
    content: dict[str, Any] = json.loads(found)
    names = {kind: tuple(shelf) for kind, shelf in content["names"].items()}
    return Examination(
        content["reason"],
        content["advice"],
        content["report"],
        said,
        content["seconds"],
        names,
        tuple(content["modules"]),
        tuple(content["changed"]),
    )


def file_words(plugin: Plugin) -> list[str]:
    """Return what a new process must be told of a plugin that is a file of a project; nothing of others."""
    return [] if plugin.file is None else [str(plugin.file.root), plugin.file.written]


def found_again(name: str, value: str, *file: str) -> Plugin | None:
    """Return a plugin in a new process, None where it has changed or gone.

    Args:
        name: the plugin's name.
        value: what its entry point names.
        file: what `file_words` gives.
    """
    listed = [project_plugin(file[1], Path(file[0]))] if file else find_plugins()
    return next((item for item in listed if (item.name, item.entry.value) == (name, value)), None)


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


HEAVY = ("torch", "onnx", "onnxruntime", "lightning", "sklearn", "scipy", "pandas", "matplotlib", "tensorflow", "jax")
"""Packages that take long to import, and that a plugin should leave to the functions that need them."""


def main(name: str, value: str, seconds: float, *file: str) -> None:
    """Load a plugin here and print what came of it; `file` are a project's folder and the path of a file in it."""
    before = {package for package in HEAVY if package in sys.modules}
    plugin = found_again(name, value, *file)
    outcome = load(plugin, seconds) if plugin is not None else _vanished(name)
    content: dict[str, Any] = {"reason": None, "advice": "", "report": "", "seconds": None, "names": {}, "changed": []}
    if isinstance(outcome, Contribution):
        names = {kind: list(shelf) for kind, shelf in outcome.records.items()}
        content |= {"seconds": outcome.seconds, "names": names, "changed": outcome.changed}
    else:
        content |= {"reason": outcome.reason, "advice": outcome.advice, "report": outcome.report}
    content["modules"] = [package for package in HEAVY if package in sys.modules and package not in before]
    sys.stdout.write(f"{MARK}{json.dumps(content)}\n")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a thread that the plugin has left behind may never end


def _vanished(name: str) -> PluginFailure:
    reason = "it has changed or gone since the command began"
    return PluginFailure(name, reason, advice="run the command again", report=reason)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), *sys.argv[4:])
