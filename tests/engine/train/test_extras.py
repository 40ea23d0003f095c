"""What is missing is named, with the command that brings it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from striate.train.extras import needs_training_packages
from striate_dsl.diagnostics import DiagnosticError


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("lightning", "lightning"),
        ("sklearn.datasets", "scikit-learn"),
        ("PIL", "pillow"),
        ("matplotlib.figure", "matplotlib"),
    ],
)
def test_a_missing_package_is_named(module, package):
    with pytest.raises(DiagnosticError) as caught, needs_training_packages():
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)
    (finding,) = caught.value.diagnostics
    assert (finding.code, finding.help) == ("E0508", "pip install 'striate[train]'")
    assert package in finding.message


def test_a_mistake_of_ours_is_not_hidden():
    with pytest.raises(ModuleNotFoundError), needs_training_packages():
        raise ModuleNotFoundError("No module named 'striate.nowhere'", name="striate.nowhere")


@pytest.mark.parametrize("missing", ["lightning", "sklearn"])
def test_training_without_an_extra(tmp_path, missing):
    from tests.engine.train.networks import TINY

    (tmp_path / "net.cnn").write_text(TINY)
    program = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from striate.cli import group\nfrom striate.cli.boundary import run_guarded\n"
        "sys.exit(run_guarded(group, ['train', 'net.cnn']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "error[E0508]" in done.stderr, done.stderr
    assert "pip install 'striate[train]'" in done.stderr
