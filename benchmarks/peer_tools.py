"""The peers' own environment: what they need beyond striate's, in `build/peers`, sharing one torch with striate.

Everything is measured with the same torch build, so that a ratio says something about the tools.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
PEERS = HERE / "peers"
ENVIRONMENT = HERE.parent / "build" / "peers"
PYTHON = ENVIRONMENT / "bin" / "python"
REQUIREMENTS = HERE / "requirements.txt"

NAMES = ("nnef", "onnx", "onnxscript", "torch", "torchinfo", "keras")


def available() -> dict[str, str]:
    """Return the versions of the peers that are installed, by name; those that are not are missing."""
    if not PYTHON.is_file():
        return {}
    program = (
        "import json, importlib.metadata as m\n"
        "names = {d.metadata['Name'].lower(): d.version for d in m.distributions() if d.metadata['Name']}\n"
        f"print(json.dumps({{n: names[n] for n in {NAMES!r} if n in names}}))"
    )
    done = subprocess.run([PYTHON, "-c", program], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def missing_note(found: dict[str, str], *names: str) -> list[str]:
    """Return a sentence about the peers that could not be measured."""
    missing = [name for name in names if name not in found]
    if not missing:
        return []
    return [f"Not measured, because not installed here: {', '.join(missing)} (`python benchmarks/peer_tools.py`)."]


def create() -> None:
    """Make the environment and install the peers into it.

    The packages of this interpreter are visible in it through a `.pth` file, so torch is not downloaded again.
    """
    ENVIRONMENT.parent.mkdir(exist_ok=True)
    venv.create(ENVIRONMENT, with_pip=True, clear=True)
    inside = subprocess.run(
        [PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    shared = Path(inside.stdout.strip()) / "shared_with_striate.pth"
    shared.write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "-r", REQUIREMENTS], check=True)


def main() -> None:
    """Create the environment if asked to, and say what is in it."""
    parser = argparse.ArgumentParser(description="Install the tools that striate is compared with into build/peers.")
    parser.add_argument("--list", action="store_true", help="only say what is installed")
    if not parser.parse_args().list:
        create()
    found = available()
    print("\n".join(f"{name} {found.get(name, 'is not installed')}" for name in NAMES))
    if "torch" not in found:
        sys.exit("torch is missing: run this with the interpreter that striate is installed for")


if __name__ == "__main__":
    main()
