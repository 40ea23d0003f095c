"""`striate plugins check`: score card, JSON, exit codes; what plugins do to the process does not end the check."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from striate.conformance import Outcome, ScoreCard, Status
from tests.engine.host.distributions import install

LAYERS = Path(__file__).with_name("sound_layers.py").read_text(encoding="utf-8")
HOOK = """

from dataclasses import replace
from striate.plugin import hookimpl

@hookimpl
def striate_layers(context):
    return [{records}]
"""
MANIFEST = 'summary = "Layers of Acme"\napi = ">=1.0, <2"\n[provides]\nlayers = [{names}]\n'

CRASHING = """

def ending(call):
    import os
    os._exit(9) if call.inputs[0].shape[0] == 3 else None
    return torch_rule(call)
"""


def brought(*records: str, names: str = '"each_conv"', extra: str = "") -> tuple[str, str]:
    """The code and the manifest of a plugin with these layers."""
    return LAYERS + extra + HOOK.format(records=", ".join(records)), MANIFEST.format(names=names)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    install(folder, "sound", *brought("CONVOLUTION"))
    wrong = "replace(CONVOLUTION, name='bent_conv', macs=lambda a, i, o: 0)"
    install(folder, "bent", *brought(wrong, names='"bent_conv"'))
    ends = "replace(CONVOLUTION, name='ending_conv', torch=ending)"
    install(folder, "ending", *brought(ends, names='"ending_conv"', extra=CRASHING))
    install(folder, "broken", "raise RuntimeError('no luck')")
    install(folder, "slow", *brought("CONVOLUTION", extra="\nimport torch\n"))
    install(folder, "bare", brought("replace(CONVOLUTION, name='bare_conv')")[0])
    return folder


@pytest.fixture
def run(site, tmp_path):
    """Run `striate plugins check` with these plugins installed."""

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
        own = {"PYTHONPATH": path, "STRIATE_CONFIG": str(tmp_path / "config"), "COLUMNS": "100"}
        done = subprocess.run(
            [sys.executable, "-m", "striate", "plugins", "check", *arguments],
            cwd=tmp_path,
            env=os.environ | own,
            capture_output=True,
            text=True,
            check=False,
            timeout=170,
        )
        assert "Traceback" not in done.stdout + done.stderr
        return done

    return call


def test_a_sound_plugin_passes(run):
    done = run("sound", "--draws", "5")
    assert done.returncode == 0, done.stdout
    assert "0 failed" in done.stdout.splitlines()[-1]
    assert "layer each_conv" in done.stdout
    assert "shape-rule" in done.stdout


def test_what_fails_is_shown_with_its_example_and_its_repair(run):
    done = run("bent", "--draws", "5")
    assert done.returncode == 1
    assert "layer bent_conv: macs failed" in done.stdout
    assert "smallest example: bent_conv(1) on 1 x 1 x 1" in done.stdout
    assert "to repair: give `macs` the multiply-adds" in done.stdout
    assert ", 2 failed" in done.stdout.splitlines()[-1]


def test_json_for_programs(run):
    done = run("bent", "--format", "json", "--draws", "2")
    (card,) = json.loads(done.stdout)
    assert done.returncode == 1
    assert card["plugin"] == "bent" and card["counts"]["failed"] == 2
    failed = [item for item in card["outcomes"] if item["status"] == "failed"]
    assert [(item["kind"], item["record"], item["check"]) for item in failed] == [
        ("layer", "bent_conv", "samples"),
        ("layer", "bent_conv", "macs"),
    ]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_card_fits_the_terminal(columns, monkeypatch, capsys):
    from striate.cli.plugins_check import show_card

    monkeypatch.setenv("COLUMNS", str(columns))
    outcomes = [
        Outcome("layer", f"layer_number_{number}", f"check-{place}", status, "why " * 20, "call " * 30, "do this " * 20)
        for number in range(2)
        for place, status in enumerate([*[Status.PASSED] * 12, Status.FAILED, Status.NOT_APPLICABLE])
    ]
    show_card(ScoreCard("acme-vision", "1.0", tuple(outcomes)))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    assert "acme-vision 1.0: 24 passed, 2 failed, 2 not applicable" in " ".join(map(str.strip, lines))


def test_a_layer_that_ends_the_process_is_named_and_the_rest_goes_on(run):
    done = run("ending", "--draws", "0", "--format", "json")
    (card,) = json.loads(done.stdout)
    failed = {item["check"]: item["message"] for item in card["outcomes"] if item["status"] == "failed"}
    assert "ended the whole process" in failed["shape-rule"]
    checks = [item["check"] for item in card["outcomes"]]
    assert checks.index("composition") > checks.index("onnx") > checks.index("shape-rule")
    assert len(set(checks)) == len(checks)


def test_a_plugin_that_cannot_be_loaded(run):
    done = run("broken")
    assert done.returncode == 1
    assert "plugin broken: loading failed" in done.stdout
    assert "RuntimeError: no luck" in done.stdout


def test_a_plugin_that_imports_torch_is_slow(run):
    done = run("slow", "--draws", "0")
    assert done.returncode == 1
    assert "plugin slow: speed failed" in done.stdout
    assert "loading it imports torch" in done.stdout


def test_a_plugin_without_a_manifest(run):
    done = run("bare", "--draws", "0")
    assert "plugin bare: manifest failed" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name the plugins to check, or say --all"),
        (["sound", "--all"], "name the plugins to check, or say --all"),
        (["sund"], "did you mean sound?"),
    ],
)
def test_wrong_usage(run, arguments, said):
    done = run(*arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_the_kit_is_imported_without_torch():
    code = "import sys, striate.conformance, striate.conformance.plugin_checks; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
