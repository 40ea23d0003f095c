"""`striate plugins new` writes a distribution that installs and passes its own tests at once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from striate.host.scaffold import ScaffoldError, write_plugin

pytestmark = pytest.mark.packaging


def ran(*command: str | Path, cwd: Path, site: Path | None = None) -> str:
    path = os.pathsep.join(filter(None, [str(site) if site else "", os.environ.get("PYTHONPATH", "")]))
    variables = os.environ | {"PYTHONPATH": path, "STRIATE_CONFIG": str(cwd / "config"), "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=cwd,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> tuple[Path, Path]:
    """The new plugin's folder, and a folder into which it is installed as a stranger's would be."""
    folder = tmp_path_factory.mktemp("new")
    ran("striate", "plugins", "new", "acme-vision", "--summary", "Gains of channels", cwd=folder)
    made, site = folder / "striate-acme-vision", folder / "site"
    ran("pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target", site, made, cwd=folder)
    return made, site


def test_it_is_found_and_sound(site, tmp_path):
    said = ran("striate", "plugins", "doctor", "acme-vision", cwd=tmp_path, site=site[1])
    assert "acme-vision (striate-acme-vision 0.1.0): fine, provides 1 layer, 1 file, 1 loss" in said
    assert "slow to load" not in said
    listed = ran("striate", "plugins", "list", cwd=tmp_path, site=site[1])
    assert "Gains of channels" in listed


def test_its_own_tests_pass(site, tmp_path):
    said = ran("pytest", "-q", "-p", "no:cacheprovider", site[0] / "tests", cwd=tmp_path, site=site[1])
    last = said.splitlines()[-1]
    passed = re.search(r"(\d+) passed", last)
    assert passed is not None and int(passed[1]) >= 25, "its own tests, and a case per record and check"
    assert "failed" not in last


def test_it_passes_the_conformance_kit(site, tmp_path):
    said = ran("striate", "plugins", "check", "acme-vision", "--draws", "5", cwd=tmp_path, site=site[1])
    assert re.fullmatch(r"acme-vision 0\.1\.0: \d\d passed, 0 failed, \d not applicable.*", said.splitlines()[-1])


def test_the_network_of_its_readme_checks(site, tmp_path):
    readme = (site[0] / "README.md").read_text()
    text = readme.partition("```text\n")[2].partition("```")[0]
    (tmp_path / "net.cnn").write_text(text)
    assert "model Net is fine" in ran("striate", "check", "net.cnn", "--strict-plugins", cwd=tmp_path, site=site[1])


def test_it_trains_with_its_loss(site, tmp_path):
    (tmp_path / "net.cnn").write_text(
        "use acme_vision.small_net\nmodel Net(classes = 10) {\n  input image: 1 x 8 x 8\n"
        "  SmallNet(8) -> channel_gain\n"
        "  global_avgpool -> flatten -> dense(classes)\n  output logits\n}\n"
        "train Net { data = digits(); loss = poly1(epsilon = 2); optimizer = sgd(lr = 0.1); epochs = 1; batch = 128 }\n"
    )
    ran("striate", "train", "net.cnn", cwd=tmp_path, site=site[1])
    assert list(tmp_path.rglob("*.safetensors"))


def test_its_code_is_clean(site):
    for tool in (
        ("ruff", "check", "--isolated", "--select", "E,F,I,UP,B", "--line-length", "120"),
        ("mypy", "--strict"),
    ):
        folder = site[0] / "src" / "acme_vision"
        ran(*tool, folder, cwd=Path(__file__).parents[3])


def test_its_project_file_asks_for_this_version(site):
    from striate.version import __version__

    project = tomllib.loads((site[0] / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == [f"striate>={__version__}"]
    assert not [path for path in site[0].rglob("*") if path.is_file() and "§" in path.read_text()]


@pytest.mark.parametrize(
    ("name", "summary", "said"),
    [
        ("Acme", "x", "small letters, digits and -"),
        ("../acme", "x", "small letters, digits and -"),
        ("acme-", "x", "small letters, digits and -"),
        ("striate", "x", "striate's own"),
        ("acme", "two\nlines", "one line of text"),
        ("acme", 'with "quotes"', "one line of text"),
    ],
)
def test_what_cannot_be_a_plugin(tmp_path, name, summary, said):
    with pytest.raises(ScaffoldError, match=said):
        write_plugin(name, tmp_path / "new", summary)
    assert not (tmp_path / "new").exists()


def test_a_folder_with_something_in_it_stays_as_it_is(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ScaffoldError, match="not empty"):
        write_plugin("acme", tmp_path, "x")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ScaffoldError, match="cannot be written"):
        write_plugin("acme", tmp_path / "file" / "new", "x")
