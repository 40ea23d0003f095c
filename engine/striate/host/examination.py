"""Loading one plugin in a process of its own: whatever it does there, crashing included, happens to nobody else.

`examine` starts the process (`python -m striate.host.examination NAME`), which prints what came of it as one line of
JSON behind a mark, since the plugin may print as well.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from striate.host.installed import Plugin, find_plugins
from striate.host.loading import Contribution, load

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
    """

    reason: str | None = None
    advice: str = ""
    report: str = ""
    said: str = ""
    seconds: float | None = None
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    modules: tuple[str, ...] = ()


def examine(plugin: Plugin, seconds: float) -> Examination:
    """Load a plugin in a new process and return what came of it."""
    command = [sys.executable, "-m", "striate.host.examination", plugin.name, plugin.entry.value, str(seconds)]
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
    )


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


HEAVY = ("torch", "onnx", "onnxruntime", "lightning", "sklearn", "scipy", "pandas", "matplotlib", "tensorflow", "jax")
"""Packages that take long to import, and that a plugin should leave to the functions that need them."""


def main(name: str, value: str, seconds: float) -> None:
    """Load a plugin here and print what came of it."""
    before = {package for package in HEAVY if package in sys.modules}
    plugin = next(item for item in find_plugins() if (item.name, item.entry.value) == (name, value))
    outcome = load(plugin, seconds)
    content: dict[str, Any] = {"reason": None, "advice": "", "report": "", "seconds": None, "names": {}}
    if isinstance(outcome, Contribution):
        names = {kind: list(shelf) for kind, shelf in outcome.records.items()}
        content |= {"seconds": outcome.seconds, "names": names}
    else:
        content |= {"reason": outcome.reason, "advice": outcome.advice, "report": outcome.report}
    content["modules"] = [package for package in HEAVY if package in sys.modules and package not in before]
    sys.stdout.write(f"{MARK}{json.dumps(content)}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
