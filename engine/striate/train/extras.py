"""What has to be so before the heavy packages are imported: that they are installed, and how their threads wait."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from striate_dsl.diagnostics import Diagnostic, DiagnosticError

_PACKAGES = {
    "lightning": "lightning",
    "matplotlib": "matplotlib",
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "torchmetrics": "torchmetrics",
}
"""Import name to the package's name, for what the extra `train` brings."""


@contextmanager
def needs_training_packages() -> Iterator[None]:
    """Say how to install what is missing, instead of failing at an import.

    Raises:
        DiagnosticError: E0508, a package of the extra `train` is not installed.
    """
    # torch's threads wait for each other by spinning, which makes small networks ten times slower as soon as another
    # process wants a processor. Sleeping costs little. This has to be said before torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        yield
    except ModuleNotFoundError as error:
        top = (error.name or "").partition(".")[0]
        if top not in _PACKAGES:
            raise
        raise DiagnosticError(
            Diagnostic(
                "E0508",
                f"this needs the package {_PACKAGES[top]}, which is not installed",
                help="pip install 'striate[train]'",
            )
        ) from None
