"""Runs a page that is a walk: the files it shows are written, its commands are run, what they print is compared.

A block is one of
    ```console                 commands behind `$ `, each with what it prints; `...` stands for anything
    ```LANGUAGE PATH           a file with this text
    ```LANGUAGE PATH as written  a file that is there already and has this text
    ```LANGUAGE PATH edit      a passage of a file that is there, which
    ```LANGUAGE PATH edited    is replaced by this one
    ```sh                      what the reader does once, and the test in another way (environments, downloads)
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = re.compile(r"^```(\w+)(?: (\S+))?(?: (as written|edit|edited))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


@dataclass
class Walk:
    """Goes through a page in a folder.

    Attributes:
        folder: where the walk is.
        environ: the environment variables of the commands.
        instead: what is run in the place of a command that begins so.
        seconds: how long one command may take.
    """

    folder: Path
    environ: dict[str, str]
    instead: dict[str, str] = field(default_factory=dict)
    seconds: float = 170

    def follow(self, text: str) -> int:
        """Go through a page and return how many commands were run.

        Raises:
            AssertionError: a command fails or prints something else, or a file is not as shown.
        """
        count, passage = 0, ""
        for language, name, how, content in BLOCK.findall(text):
            if language == "console":
                for command, shown in COMMAND.findall(content):
                    self.run(command, shown)
                    count += 1
            elif name:
                passage = self.write(name, how, content, passage)
        return count

    def write(self, name: str, how: str, content: str, passage: str) -> str:
        """Write or compare a file; return the passage that the next block replaces."""
        path = self.folder / name
        if how == "as written":
            assert path.read_text(encoding="utf-8") == content, f"{name} is not what the page shows"
        elif how == "edit":
            assert path.read_text(encoding="utf-8").count(content) == 1, f"{name} has no such passage: {content}"
            return content
        elif how == "edited":
            path.write_text(path.read_text(encoding="utf-8").replace(passage, content), encoding="utf-8")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return ""

    def run(self, command: str, shown: str) -> None:
        """Run a command; only one that is shown to fail may fail."""
        if command.startswith("cd "):
            self.folder = self.folder / command.removeprefix("cd ")
            return
        done = self.done(command)
        assert done.returncode == 0 or " failed\n" in shown, f"$ {command}\n{done.stdout}"
        assert matches(shown, done.stdout), f"$ {command}\nprinted:\n{done.stdout}\nshown:\n{shown}"

    def done(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command where the walk is, and return how it ended and all that it printed."""
        actual = next((to for begin, to in self.instead.items() if command.startswith(begin)), command)
        return subprocess.run(
            ["bash", "-c", actual],
            cwd=self.folder,
            env=self.environ,
            timeout=self.seconds,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            check=False,
        )


def matches(shown: str, printed: str) -> bool:
    """Whether a command printed what is shown; `...` stands for anything, blanks at line ends for nothing."""
    lines = "\n".join(line.rstrip() for line in printed.strip().splitlines())
    pattern = (
        re.escape(shown.strip()).replace(re.escape("..."), ".*").replace(r".*\ ", r".*\s?").replace(r"\ .*", r"\s?.*")
    )
    return (
        re.fullmatch(pattern.replace(".*\\\n", "(?:.*\n)?").replace("\\\n.*", "(?:\n.*)?"), lines, re.DOTALL)
        is not None
    )


def commands(text: str) -> Iterator[str]:
    """Yield the commands of a page."""
    for language, _, _, content in BLOCK.findall(text):
        if language == "console":
            yield from (command for command, _ in COMMAND.findall(content))


def environ_of(binaries: Path, home: Path) -> dict[str, str]:
    """Return the variables for commands that find one environment's programs first and download nothing."""
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME", "PIP_TARGET"}}
    return kept | {
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "STRIATE_CONFIG": str(home / "config"),
        "COLUMNS": "120",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads a "no" in the name and a 0 as: without isolation
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
