"""What is missing is named, with the command that brings it."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import requires

import pytest

from striate.train.extras import _PACKAGES, needs_training_packages
from striate_dsl.diagnostics import DiagnosticError


@pytest.mark.parametrize(
    ("module", "package", "extra"),
    [
        ("lightning", "lightning", "train"),
        ("sklearn.datasets", "scikit-learn", "train"),
        ("PIL", "pillow", "train"),
        ("matplotlib.figure", "matplotlib", "train"),
        ("kornia.augmentation", "kornia", "augment"),
        ("faster_coco_eval", "faster-coco-eval", "detection"),
        ("captum.attr", "captum", "explain"),
    ],
)
def test_a_missing_package_is_named(module, package, extra):
    with pytest.raises(DiagnosticError) as caught, needs_training_packages():
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)
    (finding,) = caught.value.diagnostics
    assert (finding.code, finding.help) == ("E0508", f"pip install 'striate[{extra}]'")
    assert package in finding.message


@pytest.mark.parametrize(("package", "extra"), _PACKAGES.values())
def test_the_extra_brings_the_package(package, extra):
    wanted = [line for line in requires("striate") or () if f'extra == "{extra}"' in line.replace("'", '"')]
    assert any(re.match(rf"{re.escape(package)}\b", line) for line in wanted), wanted


def test_a_mistake_of_ours_is_not_hidden():
    with pytest.raises(ModuleNotFoundError), needs_training_packages():
        raise ModuleNotFoundError("No module named 'striate.nowhere'", name="striate.nowhere")


@pytest.mark.parametrize(
    ("missing", "extra", "line"),
    [("lightning", "train", ""), ("sklearn", "train", ""), ("kornia", "augment", "augment = color_jitter")],
)
def test_training_without_an_extra(tmp_path, missing, extra, line):
    from tests.engine.train.networks import TINY

    (tmp_path / "net.cnn").write_text(TINY.replace("seed = 5", line))
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
    assert f"pip install 'striate[{extra}]'" in done.stderr
