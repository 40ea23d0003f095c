"""Builds the distribution and installs it where the source tree cannot be seen: sdist -> wheel -> a new environment.

`python -m tests.packaging.installed [pytest arguments]` runs the whole suite that way (`make wheel-test`). The new
environment borrows the dependencies of the one that runs this, so nothing is downloaded; striate itself is the wheel's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BESIDE_THE_PACKAGE = ("tests", "examples", "docs", "benchmarks", "pyproject.toml", "README.md")
"""What the suite needs when it runs outside the source tree; the three package folders stay behind."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """The two archives that would be published."""

    sdist: Path
    wheel: Path


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment in which striate is installed from its wheel."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def command(self) -> Path:
        """The console script that the wheel brings."""
        return self.folder / "bin" / "striate"

    def run(self, *command: str | Path, cwd: Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command outside the source tree and return what it said."""
        return subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env=clean_environ(),
            timeout=timeout,
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )


def clean_environ() -> dict[str, str]:
    """Return the environment variables without those that lead Python or pip elsewhere."""
    return {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME", "PIP_TARGET"}}


def checked(*command: str | Path) -> None:
    """Run a command; where it fails, raise with all it said."""
    done = subprocess.run(
        [str(part) for part in command], env=clean_environ(), text=True, capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")


def build(target: Path) -> Distribution:
    """Build the sdist, and the wheel from the sdist, into a folder; uses the installed hatchling, not the network."""
    checked(sys.executable, "-m", "build", "--no-isolation", "--outdir", target, ROOT)
    (sdist,) = target.glob("*.tar.gz")
    (wheel,) = target.glob("*.whl")
    return Distribution(sdist, wheel)


def create_environment(folder: Path, wheel: Path) -> Environment:
    """Create an environment with the wheel in it.

    The folders of the dependencies are named in a `.pth` file. Python does not read `.pth` files inside a folder that
    was named that way, so an editable striate over there stays invisible.
    """
    venv.EnvBuilder(with_pip=False, symlinks=True).create(folder)
    environment = Environment(folder)
    paths = sysconfig.get_paths(vars={"base": str(folder), "platbase": str(folder)})
    borrowed = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    Path(paths["purelib"], "borrowed.pth").write_text("\n".join(borrowed) + "\n", encoding="utf-8")
    pip = (sys.executable, "-m", "pip", "--python", environment.python)
    checked(*pip, "install", "-qq", "--no-index", "--no-deps", "--ignore-installed", wheel)
    return environment


def copy_suite(target: Path) -> Path:
    """Copy the tests and what they read to a folder without the sources of the packages."""
    target.mkdir(parents=True)
    for name in BESIDE_THE_PACKAGE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, target / name)
    return target


def main(arguments: list[str]) -> int:
    """Run the suite against the installed wheel and return pytest's exit code."""
    with tempfile.TemporaryDirectory(prefix="striate-wheel-") as name:
        folder = Path(name)
        wheel = build(folder / "dist").wheel
        environment = create_environment(folder / "environment", wheel)
        suite = copy_suite(folder / "suite")
        print(f"pytest against {wheel.name}, installed in an environment of its own", flush=True)  # noqa: T201 - a command's own report
        command = [str(environment.python), "-m", "pytest", *arguments]
        return subprocess.run(command, cwd=suite, env=clean_environ(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
