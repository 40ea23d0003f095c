"""The kit as a plugin of pytest: items without a test file."""

from __future__ import annotations

import subprocess
import sys

import pytest


def pytest_run(folder, *arguments):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "striate.conformance.pytest_plugin"]
    return subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_every_check_of_a_record_is_an_item(tmp_path):
    done = pytest_run(tmp_path, "--striate-check", "striate-plugins", "-k", "hinge", "--collect-only", "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "striate-plugins::hinge:documentation" in done.stdout
    done = pytest_run(tmp_path, "--striate-check", "striate-plugins", "-k", "constant and documentation", "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout


def test_a_plugin_that_is_not_installed_is_wrong_usage(tmp_path):
    done = pytest_run(tmp_path, "--striate-check", "acme-nothing")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "no plugin acme-nothing is installed here" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_the_option_nothing_is_added(tmp_path):
    (tmp_path / "test_own.py").write_text("def test_own():\n    assert True\n")
    done = pytest_run(tmp_path, "-q")
    assert done.returncode == 0 and "1 passed" in done.stdout
