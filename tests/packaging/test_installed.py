"""The wheel works in an environment of its own: imports, the command, the plugins' door, and a part of the suite."""

from __future__ import annotations

import json
import runpy

import pytest

from tests.packaging.installed import copy_suite

pytestmark = [pytest.mark.packaging, pytest.mark.xdist_group("packaging"), pytest.mark.slow]

QUICK = ("tests/architecture", "tests/engine/elaborate", "tests/engine/graph")
"""Folders that show in seconds whether the wheel is whole; `make wheel-test` runs them all."""


def reported(installed, cwd, code: str):
    """Run Python code in the new environment and return the JSON that it prints."""
    done = installed.run(installed.python, "-c", code, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_packages_are_the_wheels(installed, tmp_path):
    code = """
import json, striate, striate_dsl, striate_plugins
print(json.dumps([module.__file__ for module in (striate, striate_dsl, striate_plugins)]))
"""
    for path in reported(installed, tmp_path, code):
        assert path.startswith(str(installed.folder))


def test_the_plugins_come_in_once(installed, tmp_path):
    code = """
import json
from importlib.metadata import entry_points
print(json.dumps([entry.value for entry in entry_points(group="striate.plugins", name="striate-plugins")]))
"""
    assert reported(installed, tmp_path, code) == ["striate_plugins"]


def test_versions_agree(installed, repository, tmp_path):
    version = runpy.run_path(str(repository / "engine/striate/version.py"))["__version__"]
    code = """
import json, striate
from importlib.metadata import version
print(json.dumps([striate.__version__, version("striate")]))
"""
    assert reported(installed, tmp_path, code) == [version, version]
    done = installed.run(installed.command, "--version", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert version in done.stdout


def test_the_networks_and_blocks_pass_the_check(installed, tmp_path):
    code = """
import json, pathlib, striate_plugins
print(json.dumps([str(path) for path in sorted(pathlib.Path(striate_plugins.__file__).parent.rglob("*.cnn"))]))
"""
    files = reported(installed, tmp_path, code)
    assert files
    done = installed.run(installed.command, "check", *files, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_mistake_is_a_finding(installed, tmp_path):
    (tmp_path / "wrong.cnn").write_text("model M {\n  input image: 3 x 8 x 8\n  conv(8, 9)\n  output y\n}\n")
    done = installed.run(installed.command, "check", "wrong.cnn", cwd=tmp_path)
    assert done.returncode == 1
    assert "wrong.cnn:3:" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_part_of_the_suite_passes(installed, tmp_path):
    suite = copy_suite(tmp_path / "suite")
    pytest_call = (installed.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow")
    done = installed.run(*pytest_call, *QUICK, cwd=suite, timeout=170)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout.splitlines()[-1]
