"""The tutorial for plugin authors, walked through as by a stranger, in an environment with the wheel alone."""

from __future__ import annotations

import zipfile

import pytest
from packaging.metadata import Metadata

from tests.packaging.installed import create_environment
from tests.packaging.walkthrough import Walk, commands, environ_of, matches

pytestmark = [pytest.mark.packaging, pytest.mark.xdist_group("packaging"), pytest.mark.slow]

WITHOUT_TWINE = """python - <<'END'
import sys, tarfile, zipfile
from pathlib import Path
from packaging.metadata import Metadata

for path in sorted(Path("dist").iterdir()):
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
            content = archive.read(name)
    else:
        with tarfile.open(path) as archive:
            (member,) = (each for each in archive.getmembers() if each.name.split("/")[1:] == ["PKG-INFO"])
            content = archive.extractfile(member).read()
    metadata = Metadata.from_email(content, validate=True)
    assert metadata.description and metadata.description_content_type == "text/markdown", path
    print(f"Checking {path}: PASSED")
END
"""
"""What twine looks at, where it is not installed: metadata by the standard, and a README that PyPI can show."""


@pytest.fixture(scope="module")
def walk(distribution, repository, tmp_path_factory) -> Walk:
    """The page, walked through in an environment of its own, since a plugin is installed into it."""
    folder = tmp_path_factory.mktemp("walk")
    environment = create_environment(tmp_path_factory.mktemp("walked") / "environment", distribution.wheel)
    found = Walk(folder, environ_of(environment.folder / "bin", folder), {"python -m twine check": WITHOUT_TWINE})
    text = (repository / "docs" / "plugin-tutorial.md").read_text(encoding="utf-8")
    assert found.follow(text) == len(list(commands(text)))
    return found


def test_the_page_holds(walk):
    assert (walk.folder / "pooled.onnx").stat().st_size > 1000
    assert list((walk.folder / "run").glob("*.safetensors"))


def test_what_is_published_holds_everything(walk):
    (wheel,) = (walk.folder / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (entry,) = (each for each in names if each.endswith("entry_points.txt"))
        assert b"[striate.plugins]\nacme-vision = acme_vision" in archive.read(entry)
        (metadata,) = (each for each in names if each.endswith("METADATA"))
        assert Metadata.from_email(archive.read(metadata)).name == "striate-acme-vision"
    assert {"acme_vision/striate-plugin.toml", "acme_vision/zoo/small_net.cnn", "acme_vision/py.typed"} <= set(names)
    assert not [name for name in names if name.startswith(("tests", "src"))]


def test_nothing_of_the_source_tree_took_part(walk, repository):
    assert str(repository) not in walk.done("python -c 'import striate; print(striate.__file__)'").stdout
    assert walk.done("striate plugins which soft_pool").stdout == "layer: acme-vision (striate-acme-vision 0.1.0)\n"


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\n", "a\nb\n", False),
        ("...\nb\n", "a\na\nb\n", True),
        ("a\n...\n", "a\nb\nc", True),
        ("1: ... passed, 0 failed\n", "1: 24 passed, 0 failed\n", True),
        ("1: ... passed, 0 failed\n", "1: 24 passed, 10 failed\n", False),
        ("...passed...\n", "..... 24 passed in 3 s\n", True),
    ],
)
def test_what_is_shown_is_compared_with_what_is_printed(shown, printed, same):
    assert matches(shown, printed) is same
