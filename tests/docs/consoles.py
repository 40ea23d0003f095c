"""The sessions of a page: its files (```cnn name.cnn, ```ini, ```yaml) and its commands (```console)."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from striate.cli import group
from striate.cli.boundary import run_guarded

_BLOCK = re.compile(r"^```(cnn|ini|yaml|console)(?: (\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Session:
    """A command, without `striate`, and what the page says it prints."""

    arguments: list[str]
    shown: str

    def printed(self) -> str:
        """Run the command in the working folder and return what it prints, blank lines at the ends left out."""
        with contextlib.redirect_stdout(io.StringIO()) as shown, contextlib.redirect_stderr(shown):
            run_guarded(group, self.arguments)
        return shown.getvalue().strip("\n")


def sessions(page: Path, folder: Path) -> list[Session]:
    """Write the files of a page into a folder and return its commands."""
    found = []
    for kind, name, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind != "console" and name:
            (folder / name).write_text(text, encoding="utf-8")
        elif kind == "console":
            command, _, shown = text.partition("\n")
            arguments = shlex.split(command.removeprefix("$ striate "))
            found.append(Session(arguments, shown.strip("\n")))
    return found
