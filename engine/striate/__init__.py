"""striate compiles convolutional networks written in `.cnn` files.

::

    import striate

    model = striate.load("resnet.cnn", model="ResNet50", classes=10)
    print(model.summary())
    network = model.to_torch()
    model.export_onnx("resnet50.onnx")

Importing striate imports neither torch nor onnx, and the names below are imported when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from striate.version import __version__

if TYPE_CHECKING:
    from striate.importer import import_torch
    from striate.losses import loss
    from striate.model import Model, load
    from striate_dsl.diagnostics import Diagnostic, DiagnosticError

__all__ = ["Diagnostic", "DiagnosticError", "Model", "__version__", "import_torch", "load", "loss"]

_HOMES = {
    "Diagnostic": "striate_dsl.diagnostics",
    "DiagnosticError": "striate_dsl.diagnostics",
    "Model": "striate.model",
    "import_torch": "striate.importer",
    "load": "striate.model",
    "loss": "striate.losses",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'striate' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
