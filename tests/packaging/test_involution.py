"""The example distribution, installed and tested as a stranger's would be: beside the wheel, not our sources."""

from __future__ import annotations

import ast
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.packaging.installed import Distribution, create_environment
from tests.packaging.walkthrough import environ_of

pytestmark = [pytest.mark.packaging, pytest.mark.xdist_group("packaging"), pytest.mark.slow]

PUBLIC = {"striate.plugin", "striate.data"}


@pytest.fixture(scope="module")
def project(repository, tmp_path_factory) -> Path:
    """A copy of the example, so that nothing is left in ours."""
    target = tmp_path_factory.mktemp("example") / "striate-involution"
    return Path(shutil.copytree(repository / "examples" / "striate-involution", target))


@pytest.fixture(scope="module")
def run(distribution: Distribution, project: Path, tmp_path_factory):
    """Run a command of an environment of its own, in which the wheel and the example are installed."""
    environment = create_environment(tmp_path_factory.mktemp("stranger") / "environment", distribution.wheel)

    def call(*command: str) -> str:
        done = subprocess.run(
            command,
            cwd=project,
            env=environ_of(environment.folder / "bin", project.parent),
            capture_output=True,
            text=True,
            check=False,
            timeout=175,
        )
        assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-4000:]
        return done.stdout

    call("python", "-m", "pip", "install", "-q", "--no-deps", ".")
    return call


def test_its_own_tests_pass(run):
    assert " passed" in run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider").splitlines()[-1]


def test_it_passes_the_conformance_kit(run):
    said = run("striate", "plugins", "check", "involution", "--draws", "4")
    assert "involution 0.1.0:" in said.splitlines()[-1]
    assert " 0 failed" in said.splitlines()[-1]


def test_its_network_checks_and_is_counted(run, project):
    (project / "net.cnn").write_text("use involution.rednet\nmodel Net = RedNet26(classes = 10)\n")
    assert "model Net is fine" in run("striate", "check", "net.cnn", "--strict-plugins")


def test_it_imports_public_names_only(repository):
    sources = (repository / "examples" / "striate-involution" / "src").rglob("*.py")
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [node.module] if isinstance(node, ast.ImportFrom) else []
            modules += [item.name for item in node.names] if isinstance(node, ast.Import) else []
            own = [
                name
                for name in modules
                if name and name.partition(".")[0] in ("striate", "striate_plugins", "striate_dsl")
            ]
            assert set(own) <= PUBLIC, path


def test_its_manifest_lists_what_its_readme_shows(repository):
    folder = repository / "examples" / "striate-involution"
    manifest = tomllib.loads((folder / "src/striate_involution/striate-plugin.toml").read_text(encoding="utf-8"))
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert all(name in readme for names in manifest["provides"].values() for name in names)
