"""The files around the code agree with each other: version ranges with pins, news fragments with the changelog tool."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.packaging

FRAGMENT = re.compile(r"(\d+|\+[a-z0-9-]+)\.(added|changed|fixed|removed)(\.\d+)?\.md")


@pytest.fixture(scope="module")
def direct(repository) -> list[Requirement]:
    """Every requirement of pyproject.toml, those of the extras included."""
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    return [Requirement(line) for line in lines if not line.startswith("striate[")]


@pytest.fixture(scope="module")
def pins(repository) -> dict[str, Requirement]:
    """The lines of constraints.txt by package."""
    lines = (repository / "constraints.txt").read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def test_every_requirement_is_pinned_within_its_range(direct, pins):
    for requirement in direct:
        pin = pins.get(canonicalize_name(requirement.name))
        assert pin is not None, f"constraints.txt does not name {requirement.name}"
        (specifier,) = pin.specifier
        assert specifier.version in requirement.specifier, f"{pin} lies outside {requirement}"


def test_pins_are_exact(pins):
    loose = {name for name, pin in pins.items() if [each.operator for each in pin.specifier] != ["=="]}
    assert loose == {"triton"}, "only Triton has a range, for the reason that constraints.txt gives"


def test_every_requirement_has_a_lower_bound(direct):
    assert not [str(each) for each in direct if not any(part.operator == ">=" for part in each.specifier)]


def test_fragments_have_legal_names(repository):
    names = [path.name for path in (repository / "changes").iterdir() if path.name != "README.md"]
    assert not [name for name in names if not FRAGMENT.fullmatch(name)]


def test_fragments_render(repository):
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "9.9.9", "--date", "2030-01-01"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "## striate 9.9.9 (2030-01-01)" in done.stdout
    for path in (repository / "changes").glob("*.*.md"):
        assert path.read_text(encoding="utf-8").split()[0] in done.stdout


def test_paths_in_the_guide_exist(repository):
    """A table of places is worth something only as long as the places are there."""
    text = (repository / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:engine|dsl|plugins|tests|docs|examples|benchmarks|changes|\.ci)/[\w./*-]*)`", text)
    assert len(named) > 20
    assert not [path for path in named if not list(repository.glob(path.rstrip("/")))]


@pytest.mark.parametrize("guide", ["CONTRIBUTING.md", "README.md"])
def test_verbs_in_the_guides_exist(guide, repository):
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    text = (repository / guide).read_text(encoding="utf-8")
    verbs = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, flags=re.MULTILINE))
    assert {"test", "demo"} <= verbs
    assert verbs <= set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))


def test_ci_runs_the_whole_of_make_test(repository):
    script = (repository / ".ci" / "run").read_text(encoding="utf-8")
    assert "set -euo pipefail" in script
    (call,) = re.findall(r"^exec make .*", script, flags=re.MULTILINE)
    assert "PYTEST_ARGS" not in call, "CI runs the suite without leaving anything out"
    assert (repository / ".ci" / "run").stat().st_mode & 0o111
