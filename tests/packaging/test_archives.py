"""The sdist and the wheel hold what they should, and nothing that merely lay about."""

from __future__ import annotations

import email
import runpy
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

# One worker builds once for all of them.
pytestmark = [pytest.mark.packaging, pytest.mark.xdist_group("packaging")]

PACKAGES = {"striate": "engine", "striate_dsl": "dsl", "striate_plugins": "plugins"}


@pytest.fixture(scope="module")
def project(repository) -> dict:
    """The `[project]` table of pyproject.toml, with the version filled in from its one place."""
    table = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table | {"version": runpy.run_path(str(repository / "engine/striate/version.py"))["__version__"]}


@pytest.fixture(scope="module")
def wheel_names(distribution) -> set[str]:
    """The files of the wheel."""
    with zipfile.ZipFile(distribution.wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def sdist_names(distribution) -> set[str]:
    """The files of the sdist, without the leading `striate-<version>/`."""
    with tarfile.open(distribution.sdist) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def files_below(folder: Path) -> set[str]:
    """Return the files below a folder as they would be named in an archive."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def wheel_text(distribution, ending: str) -> str:
    """Return the text of the wheel's file with this ending."""
    with zipfile.ZipFile(distribution.wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(ending))
        return archive.read(name).decode()


@pytest.mark.parametrize("package", PACKAGES)
def test_the_wheel_holds_every_file_of_the_package(package, repository, wheel_names):
    expected = {f"{package}/{name}" for name in files_below(repository / PACKAGES[package] / package)}
    assert {name for name in wheel_names if name.startswith(f"{package}/")} == expected


def test_the_wheel_holds_the_data_files(wheel_names):
    assert {"striate_dsl/grammar.lark", *(f"{package}/py.typed" for package in PACKAGES)} <= wheel_names
    assert any(name.startswith("striate_plugins/zoo/") and name.endswith(".cnn") for name in wheel_names)
    assert any(name.startswith("striate_plugins/heads/") and name.endswith(".cnn") for name in wheel_names)


def test_the_wheel_holds_nothing_else(wheel_names, project):
    tops = {name.partition("/")[0] for name in wheel_names}
    assert tops == {*PACKAGES, f"striate-{project['version']}.dist-info"}


def test_the_wheel_carries_its_licence(distribution, repository):
    assert wheel_text(distribution, "/licenses/LICENSE") == (repository / "LICENSE").read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", ["tests", "docs", "examples", "benchmarks", "engine", "dsl", "plugins", "changes"])
def test_the_sdist_holds_the_folder(folder, repository, sdist_names):
    inside = {name.removeprefix(f"{folder}/") for name in sdist_names if name.startswith(f"{folder}/")}
    assert inside
    assert inside <= files_below(repository / folder)


def test_the_sdist_can_be_worked_on(sdist_names):
    tools = {"Makefile", "constraints.txt", "pyproject.toml", ".ci/run", ".pre-commit-config.yaml", "tests/conftest.py"}
    assert tools | {"LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md"} <= sdist_names
    left_behind = (".venv", "__pycache__", "node_modules", ".vsix")
    assert not [name for name in sdist_names if any(part in name for part in left_behind)]


def test_the_sdist_holds_the_editors_files_and_the_wheel_does_not(sdist_names, wheel_names):
    made_by_hand = {"vscode/package.json", "vscode/package-lock.json", "vscode/src/extension.ts", "vim/syntax/cnn.vim"}
    assert {f"dsl/editors/{name}" for name in made_by_hand} <= sdist_names
    assert not [name for name in wheel_names if "editors/" in name]


def test_metadata(distribution, project):
    metadata = email.message_from_string(wheel_text(distribution, ".dist-info/METADATA"))
    assert metadata["Name"] == "striate"
    assert metadata["Version"] == project["version"]
    assert metadata["License-Expression"] == "Apache-2.0"
    assert set(metadata["Requires-Python"].split(",")) == set(project["requires-python"].split(","))
    assert set(metadata.get_all("Provides-Extra") or []) == set(project["optional-dependencies"])


def test_entry_points(distribution):
    text = wheel_text(distribution, ".dist-info/entry_points.txt")
    assert "striate = striate.cli:main" in text
    assert "[striate.plugins]\nstriate-plugins = striate_plugins" in text
