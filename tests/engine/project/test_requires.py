"""`requires`: met by the plugin's name or its distribution's, and what is said if it is not."""

from __future__ import annotations

import pytest

from striate.host.installed import InstalledPlugin, installed_plugins
from striate.project.requirements import unmet
from striate.version import __version__
from striate_dsl.parser import parse
from striate_dsl.source import Source
from tests.engine.project.conftest import net

INSTALLED = (InstalledPlugin("boxes", "Striate-Detection", "1.4.0"), InstalledPlugin("faces", "acme.faces", "0.9rc1"))


def missing(text):
    parsed = parse(Source("net.cnn", f"{text}\n{net('relu')}"))
    assert parsed.file is not None, list(parsed.diagnostics)
    return list(unmet(parsed.file, INSTALLED))


@pytest.mark.parametrize(
    "text",
    [
        "requires boxes",
        "requires Boxes >= 1.4",
        "requires striate_detection == 1.4",
        "requires striate.detection > 1.3.9",
        "requires acme_faces < 0.9",
        "requires faces != 0.9",
        "requires boxes <= 1.4; requires faces >= 0.9b7",
    ],
)
def test_met(text):
    assert missing(text) == []


@pytest.mark.parametrize(
    ("text", "code", "message", "advice"),
    [
        ("requires masks", "E0704", "the plugin masks is not installed", "install it, e.g. pip install 'masks'"),
        (
            "requires masks >= 2",
            "E0704",
            "the plugin masks is not installed",
            "install it, e.g. pip install 'masks>=2'",
        ),
        ("requires boxs", "E0704", "the plugin boxs is not installed", "did you mean boxes?"),
        ("requires boxes >= 1.10", "E0705", "boxes >= 1.10 is needed", "pip install 'Striate-Detection>=1.10'"),
        ("requires boxes == 1.3", "E0705", "boxes == 1.3 is needed", "pip install 'Striate-Detection==1.3'"),
        ("requires faces >= 0.9", "E0705", "faces >= 0.9 is needed", "pip install 'acme.faces>=0.9'"),
        ("requires boxes >= 1e5", "E0705", "1e5 is no version number", "write e.g. 1.0 or 2.1rc1"),
    ],
)
def test_not_met(text, code, message, advice):
    (item,) = missing(text)
    assert (item.code, item.message, item.help) == (code, message, advice)
    assert (item.span.line, item.span.text) == (1, text)
    if code == "E0704":
        assert item.notes == ("installed: boxes (Striate-Detection 1.4.0), faces (acme.faces 0.9rc1)",)


def test_the_plugins_that_are_really_installed():
    assert InstalledPlugin("striate-plugins", "striate", __version__) in installed_plugins()


def test_layers_of_a_missing_plugin_are_not_reported_as_well(project):
    checked = project(f"requires masks\n{net('mask_layer(3)')}")
    assert [item.code for item in checked.diagnostics] == ["E0704"]


def test_used_files_have_requirements_too(project):
    checked = project(f'use "../blocks.cnn"\n{net("Unit")}', blocks="requires masks\nblock Unit { relu }\n")
    assert [(item.code, item.span.file) for item in checked.diagnostics] == [("E0704", "blocks.cnn")]
