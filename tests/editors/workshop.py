"""The Node.js side of the tests: the extension's packages, installed once below `build/`, and what runs with them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

MANIFESTS = ("package.json", "package-lock.json")
TRIES = 3


@dataclass(frozen=True, slots=True)
class Workshop:
    """The extension's sources, and the folder in which its packages are installed."""

    extension: Path
    folder: Path

    def run(self, *command: str | Path, cwd: Path | None = None, given: str | None = None, **variables: str) -> str:
        """Run a command and return its standard output; where it fails, raise with all that it said."""
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd or self.folder,
            input=given,
            env=os.environ | {"npm_config_update_notifier": "false", "NO_COLOR": "1"} | variables,
            timeout=300,
            text=True,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def tokens(self, texts: list[str], scope: str = "source.cnn") -> list[list[tuple[int, int, list[str]]]]:
        """Return the tokens of each text as (start, end, scopes), as VS Code's tokenizer cuts them."""
        order = {"grammar": str(self.extension / "syntaxes"), "texts": texts, "scope": scope}
        script = self.extension / "test" / "tokenize.mjs"
        return json.loads(self.run("node", script, given=json.dumps(order)))

    def expressions(self, patterns: list[str], lines: list[str]) -> list[list[bool]]:
        """Return, for each regular expression of JavaScript, which of the lines it is found in."""
        code = """
            const { patterns, lines } = JSON.parse(require("fs").readFileSync(0, "utf8"));
            console.log(JSON.stringify(patterns.map((each) => lines.map((line) => new RegExp(each, "u").test(line)))));
        """
        found: Any = json.loads(self.run("node", "-e", code, given=json.dumps({"patterns": patterns, "lines": lines})))
        return found

    def staged(self, target: Path) -> Path:
        """Copy the extension to a folder where its packages are at hand; the sources stay as they are."""
        shutil.copytree(self.extension, target, ignore=shutil.ignore_patterns("node_modules", "dist", "*.vsix"))
        (target / "node_modules").symlink_to(self.folder / "node_modules")
        return target


def prepared(root: Path) -> Workshop:
    """Install the packages of the lock file, unless the last installation was made from the same one."""
    extension = root / "dsl" / "editors" / "vscode"
    workshop = Workshop(extension, root / "build" / "editors" / "vscode")
    stamp = workshop.folder / "installed.txt"
    wanted = "".join((extension / name).read_text(encoding="utf-8") for name in MANIFESTS)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return workshop
    workshop.folder.mkdir(parents=True, exist_ok=True)
    with FileLock(workshop.folder.with_suffix(".lock")):
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
            return workshop  # installed by another process while this one waited
        stamp.unlink(missing_ok=True)
        for name in MANIFESTS:
            shutil.copy2(extension / name, workshop.folder / name)
        _install(workshop)
        stamp.write_text(wanted, encoding="utf-8")
    return workshop


def _install(workshop: Workshop) -> None:
    """Install the packages; npm now and then loses a folder that it has just made, and finds it the next time."""
    for attempt in range(TRIES):
        try:
            workshop.run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        except AssertionError:
            if attempt == TRIES - 1:
                raise
            shutil.rmtree(workshop.folder / "node_modules", ignore_errors=True)
        else:
            return
