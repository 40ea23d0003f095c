"""What has to be so before the heavy packages are imported: that they are installed, and how their threads wait."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from striate_dsl.diagnostics import Diagnostic, DiagnosticError

_PACKAGES = {
    "captum": ("captum", "explain"),
    "faster_coco_eval": ("faster-coco-eval", "detection"),
    "kornia": ("kornia", "augment"),
    "lightning": ("lightning", "train"),
    "matplotlib": ("matplotlib", "train"),
    "PIL": ("pillow", "train"),
    "sklearn": ("scikit-learn", "train"),
    "torchmetrics": ("torchmetrics", "train"),
}
"""Import name to the package's name and the extra that brings it."""


@contextmanager
def needs_training_packages() -> Iterator[None]:
    """Say how to install what is missing, instead of failing at an import.

    Raises:
        DiagnosticError: E0508, a package of an extra is not installed; the help says which extra brings it.
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
        package, extra = _PACKAGES[top]
        raise DiagnosticError(
            Diagnostic(
                "E0508",
                f"this needs the package {package}, which is not installed",
                help=f"pip install 'striate[{extra}]'",
            )
        ) from None
