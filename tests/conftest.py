"""What holds for every test: one thread, no colours, fixed seeds, and no test that the machine cannot run."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
IS_CHECKOUT = (ROOT / "engine" / "striate").is_dir()

# Set before torch, matplotlib and rich are imported, and inherited by the processes that tests start. One thread per
# test process: the suite is spread over the processors already, and sums come out the same on every machine.
os.environ.update(OMP_NUM_THREADS="1", MPLBACKEND="Agg", COLUMNS="120")
for variable in ("FORCE_COLOR", "CLICOLOR_FORCE", "PY_COLORS"):
    os.environ.pop(variable, None)

settings.register_profile(
    "striate",
    deadline=None,  # the first example pays for imports, and CI machines pause
    max_examples=50,
    derandomize="CI" in os.environ,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("striate")


def has_gpu() -> bool:
    """Whether torch sees a CUDA device."""
    import torch

    return torch.cuda.is_available()


def has_browser() -> bool:
    """Whether a browser is installed."""
    return any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "firefox")))


def has_node() -> bool:
    """Whether Node.js is installed; CI has to have it, so there the tests run and say what is missing."""
    return "CI" in os.environ or all(map(shutil.which, ("node", "npm")))


def has_vim() -> bool:
    """Whether a Vim that can run scripts is installed."""
    return (
        shutil.which("vim") is not None
        and b"+eval" in subprocess.run(["vim", "--version"], capture_output=True, check=False).stdout
    )


NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "gpu": (has_gpu, "needs a CUDA device"),
    "browser": (has_browser, "needs a browser"),
    "node": (has_node, "needs Node.js: node and npm on the PATH"),
    "vim": (has_vim, "needs Vim with +eval on the PATH"),
    "packaging": (lambda: IS_CHECKOUT, "needs the source tree, and this is the suite beside an installed package"),
}
"""What a marked test needs, by marker: the question to the machine, and what to say where the answer is no."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what the machine cannot run; it is asked only about markers that occur."""
    for marker, (is_available, reason) in NEEDS.items():
        marked = [item for item in items if item.get_closest_marker(marker)]
        if marked and not is_available():
            for item in marked:
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_runtest_setup() -> None:
    """Start every test from the same seed; libraries that nobody has imported are left alone."""
    random.seed(0)
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed(0)
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(0)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout, for tests of the files around the code."""
    if not IS_CHECKOUT:
        pytest.skip("needs the source tree")
    return ROOT
