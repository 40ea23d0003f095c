"""Why a file of weights is not read: what it is instead, what is broken in it, and whose code it would need."""

from __future__ import annotations

from pathlib import Path

from striate_dsl.diagnostics import Diagnostic

_FORMS = "weights are read from safetensors files and from files of torch.save (.pth, .pt, .bin)"


def unreadable(path: Path, error: OSError) -> Diagnostic:
    """Return the finding for a file that the system does not give."""
    if isinstance(error, FileNotFoundError):
        return Diagnostic("E0661", f"there is no file {path}")
    return Diagnostic("E0661", f"cannot read {path}: {(error.strerror or str(error)).lower()}")


def other_kind(path: Path, kind: str) -> Diagnostic:
    """Return the finding for a file of another kind."""
    advice = {
        "an ONNX network": "an ONNX file brings its own network: leave --onto out",
        "an HDF5 file, as Keras writes them": "write its weights as safetensors where Keras is installed",
    }
    return Diagnostic("E0661", f"{path} is {kind}", notes=(_FORMS,), help=advice.get(kind))


def damaged(path: Path, reason: str) -> Diagnostic:
    """Return the finding for a file that is broken, cut short or contradicts itself."""
    return Diagnostic(
        "E0661",
        f"{path} is damaged or not complete",
        notes=(reason,),
        help="copy or download it again",
    )


def needs_code(path: Path, what: str) -> Diagnostic:
    """Return the finding for a pickle that more than torch's restricted reader would be needed for."""
    return Diagnostic(
        "E0662",
        f"{path} cannot be read without running code that it names",
        notes=(what, "a file from a stranger could run anything in this way, so it is not read"),
        help="if you trust it, write its tensors to a file of their own, where it was made: "
        "torch.save(network.state_dict(), 'weights.pth')",
    )


def shard_problem(path: Path, what: str, why: str) -> Diagnostic:
    """Return the finding for shards that are not all there."""
    return Diagnostic(
        "E0667",
        what,
        notes=(why,),
        help=f"put all shards and their list into one folder, {path.parent}, and name the list (….index.json)",
    )
