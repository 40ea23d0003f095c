"""What a plugin says it provides is known even where its code cannot be imported."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint

import pytest

from striate.checking import check_source
from striate.host import installed
from striate.host.manifest import LARGEST, ManifestError, read_manifest
from striate_dsl.source import Source

NET = """\
model Net {
  input image: 3 x 8 x 8
  §
  output y
}
"""


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """Return a function that installs a plugin whose import fails, with a manifest of this text."""

    def install(manifest: str | None, name: str = "acme_vision") -> EntryPoint:
        package = tmp_path / name
        package.mkdir(exist_ok=True)
        (package / "__init__.py").write_text("import acme_native_that_is_not_there\n")
        if manifest is not None:
            (package / "striate-plugin.toml").write_text(manifest)
        entry = EntryPoint("acme", name, "striate.plugins")
        monkeypatch.setattr(installed, "entry_points", lambda group: [entry])
        return entry

    monkeypatch.syspath_prepend(str(tmp_path))
    return install


def findings(step: str) -> list:
    return [item for item in check_source(Source("net.cnn", NET.replace("§", step))).diagnostics if item.code[0] == "E"]


def test_a_layer_that_a_broken_plugin_provides(broken):
    broken('[provides]\nlayers = ["con", "focal_conv"]')
    (finding,) = findings("con(3, 3)")
    assert (finding.code, finding.message) == ("E0301", "there is no layer, block or value con")
    assert finding.notes == (
        "plugin acme provides con, but cannot be loaded: "
        "ModuleNotFoundError: No module named 'acme_native_that_is_not_there'",
    )
    assert finding.help == "repair that, or get another version: pip install --upgrade acme"
    assert finding.fixes == (), "con is not a misspelt conv"
    assert "acme_vision" not in sys.modules


def test_a_layer_that_it_does_not_provide(broken):
    broken('[provides]\nlayers = ["focal_conv"]')
    (finding,) = findings("con(3, 3)")
    assert finding.notes == ()
    assert finding.help == "did you mean conv?"


def test_without_a_manifest_it_may_provide_everything(broken):
    broken(None)
    (finding,) = findings("con(3, 3)")
    assert finding.notes[0].startswith("plugin acme, which may provide it, cannot be loaded: ModuleNotFoundError")
    assert finding.help == "did you mean conv?"


def test_a_head_that_a_broken_plugin_provides(broken):
    broken('[provides]\nheads = ["masks"]')
    (finding,) = findings("head masks(3)")
    assert finding.notes[0].startswith("plugin acme provides masks, but cannot be loaded")


def test_a_loss_that_a_broken_plugin_provides(broken):
    broken('[provides]\nlosses = ["swirling"]')
    text = NET.replace("§", "conv(3, 3)") + "train Net { loss = swirling }\n"
    found = [
        item
        for item in check_source(Source("net.cnn", text)).diagnostics
        if item.message == "there is no loss swirling"
    ]
    assert any(note.startswith("plugin acme provides swirling") for note in found[0].notes)


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ("provides = [", "Invalid value"),
        ("provides = 3", "provides is a table of lists of names"),
        ("[provides]\nlayers = 'conv'", "provides.layers is a list of names"),
        ("[provides]\nlayers = [3]", "provides.layers is a list of names"),
        ("#" * (LARGEST + 1), "is larger than"),
    ],
)
def test_a_manifest_that_cannot_be_read_says_so_and_is_left_out(broken, manifest, reason):
    entry = broken(manifest)
    with pytest.raises(ManifestError, match=reason):
        read_manifest(entry)
    (finding,) = findings("con(3, 3)")
    assert reason in finding.notes[0]


def test_a_manifest_is_read_without_importing(broken):
    manifest = read_manifest(broken('[provides]\nlayers = ["a"]\nlosses = ["b", "c"]'))
    assert manifest is not None and manifest.provides == {"layers": ("a",), "losses": ("b", "c")}
    assert "acme_vision" not in sys.modules
