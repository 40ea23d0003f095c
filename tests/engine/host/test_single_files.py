"""Plugins that are one Python file of a project: nothing of them runs before they are trusted, as they are."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from striate.cli import group
from striate.cli.boundary import run_guarded
from striate.editor.server.documents import Catalogue
from striate.host.catalogue import HostCatalogue
from striate.host.plugins import Plugins
from striate.host.project_files import LARGEST, ProjectFileError, read_project_file
from striate.ops.record import OpRecord
from striate.plugin import LossRecord
from tests.engine.host.distributions import install, layer, loss

NET = """model Net {
  input image: 3 x 8 x 8
  conv(4, 3, bias = false) -> bn -> swirl -> global_avgpool -> flatten
  output y
}
"""

TELLTALE = "from pathlib import Path\nPath('ran').touch()\n"
"""Code that leaves a trace where it runs."""

BLOCK = '# /// script\n# [tool.striate]\n# summary = "Ours"\n# [tool.striate.provides]\n# layers = ["swirl"]\n# ///\n'


@pytest.fixture
def project(tmp_path, monkeypatch) -> Iterator[Path]:
    """A project with the plugin `my_layers.py` that leaves a trace where it runs, and a network that needs it."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "striate.toml").write_text('plugins = ["./my_layers.py"]\n')
    (root / "my_layers.py").write_text(TELLTALE + layer("swirl"))
    (root / "net.cnn").write_text(NET)
    monkeypatch.chdir(root)
    monkeypatch.setenv("STRIATE_CONFIG", str(tmp_path / "config"))
    monkeypatch.delenv("STRIATE_TRUST_PLUGINS", raising=False)
    yield root
    for name in [name for name in sys.modules if name.startswith("striate_project_")]:
        del sys.modules[name]


@pytest.fixture
def run(capsys):
    """Run a command; returns its exit code and all that it said."""

    def call(*arguments: str) -> tuple[int, str]:
        code = run_guarded(group, list(arguments))
        said = capsys.readouterr()
        return code, " ".join((said.out + said.err).split())

    return call


def ran(root: Path) -> bool:
    return (root / "ran").exists()


def test_an_untrusted_file_never_runs_and_is_named_where_it_may_be_needed(project, run):
    for arguments in (
        ("check", "net.cnn"),
        ("summary", "net.cnn"),
        ("plugins", "list"),
        ("plugins", "which", "swirl"),
        ("plugins", "doctor"),
        ("plugins", "doctor", "my_layers"),
        ("explain", "conv"),
    ):
        code, said = run(*arguments)
        assert not ran(project), arguments
    assert code == 0
    code, said = run("check", "net.cnn")
    assert code == 1
    assert (
        "swirl may be in ./my_layers.py, which is not trusted: read it, then: striate plugins trust my_layers.py"
        in said
    )
    code, said = run("plugins", "doctor")
    assert "my_layers (./my_layers.py): not examined, it is not trusted: read it, then" in said
    rows = json.loads(_raw(run, "plugins", "list", "--format", "json"))
    (row,) = [row for row in rows if row["name"] == "my_layers"]
    assert (row["state"], row["file"], row["distribution"], row["provides"]) == (
        "untrusted",
        "./my_layers.py",
        None,
        None,
    )
    assert not ran(project)


def _raw(run, *arguments):
    return run(*arguments)[1]


def test_a_trusted_file_is_a_plugin_like_others(project, run):
    code, said = run("plugins", "trust", "my_layers.py")
    assert (code, said.startswith("trusted: ./my_layers.py, ")) == (0, True)
    assert not ran(project), "trusting is not running"
    assert run("check", "net.cnn")[0] == 0
    assert ran(project)
    assert "my_layers (./my_layers.py): fine, provides 1 layer" in run("plugins", "doctor", "my_layers")[1]
    catalogue = HostCatalogue()
    assert catalogue.layer("swirl").name == "my_layers.swirl"
    assert catalogue.owner(OpRecord, "swirl") == "my_layers"
    (project / "net.cnn").write_text("use my_layers.swirl as turned\n" + NET.replace("swirl", "turned"))
    assert run("check", "net.cnn")[0] == 0
    assert run("plugins", "disable", "my_layers")[0] == 0
    code, said = run("check", "net.cnn")
    assert code == 1
    assert "is disabled" in said
    assert run("plugins", "enable", "my_layers")[0] == 0
    assert run("plugins", "distrust", "my_layers.py")[0] == 0
    assert run("check", "net.cnn")[0] == 1
    assert run("plugins", "distrust", "my_layers.py")[0] == 2


def test_a_changed_file_is_untrusted_again_and_says_so(project, run):
    run("plugins", "trust", "my_layers.py")
    os.utime(project / "my_layers.py", (1, 1))
    assert run("check", "net.cnn")[0] == 0, "its content is trusted, not its date"
    (project / "ran").unlink()
    before = (project / "my_layers.py").stat()
    changed = (project / "my_layers.py").read_bytes().replace(b"Gives its input.", b"Gives its Input.")
    (project / "my_layers.py").write_bytes(changed)
    os.utime(project / "my_layers.py", ns=(before.st_atime_ns, before.st_mtime_ns))
    code, said = run("check", "net.cnn")
    assert code == 1
    assert "which has changed since you trusted it: read it again, then: striate plugins trust my_layers.py" in said
    assert not ran(project)
    run("plugins", "trust", "my_layers.py")
    assert run("check", "net.cnn")[0] == 0


def test_no_bytecode_runs_in_the_place_of_the_file(project, run):
    """A `.pyc` of the same date and size passes for the source wherever Python imports by path."""
    import importlib.util
    import marshal

    run("plugins", "trust", "my_layers.py")
    (project / "__pycache__").mkdir()
    cached = Path(importlib.util.cache_from_source(str(project / "my_layers.py")))
    found = (project / "my_layers.py").stat()
    header = importlib.util.MAGIC_NUMBER + bytes(4) + int(found.st_mtime).to_bytes(4, "little")
    code = compile("open('stolen', 'w')", "my_layers.py", "exec")
    cached.write_bytes(header + found.st_size.to_bytes(4, "little") + marshal.dumps(code))
    assert run("check", "net.cnn")[0] == 0
    assert ran(project)
    assert not (project / "stolen").exists()


def test_what_a_block_in_the_file_says_is_known_without_running_it(project, run):
    (project / "my_layers.py").write_text(BLOCK + TELLTALE + layer("swirl"))
    code, said = run("check", "net.cnn")
    assert code == 1
    assert "plugin my_layers provides swirl, but is not trusted" in said
    assert "read it, then: striate plugins trust my_layers.py" in said
    assert "layer: my_layers (./my_layers.py), which is untrusted" in run("plugins", "which", "swirl")[1]
    assert not ran(project)
    run("plugins", "trust", "my_layers.py")
    (project / "net.cnn").write_text(NET.replace("swirl", "no_such_layer"))
    run("check", "net.cnn")
    assert not ran(project), "it is known not to have that name"
    (project / "net.cnn").write_text(NET)
    assert run("check", "net.cnn")[0] == 0
    (project / "my_layers.py").write_text(BLOCK.replace("swirl", "whirl") + layer("swirl"))
    run("plugins", "trust", "my_layers.py")
    assert "its manifest promises whirl" in run("plugins", "doctor", "my_layers")[1]


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("# /// script\n# [tool.striate.provides\n# ///\n", "its block # /// script"),
        ("# /// script\n# [tool.striate]\n# sumary = 'x'\n# ///\n", "there is no key sumary: did you mean summary?"),
        (BLOCK + "\n" + BLOCK, "two blocks # /// script"),
        ("# /// script\n# tool.striate = 3\n# ///\n", "tool.striate is a table"),
    ],
)
def test_a_block_that_is_wrong_is_told(project, run, block, said):
    (project / "my_layers.py").write_text(block + layer("swirl"))
    run("plugins", "trust", "my_layers.py")
    code, found = run("plugins", "doctor", "my_layers")
    assert code == 1
    assert said in found


def test_blocks_of_others_say_nothing_about_us(project):
    other = '# /// script\n# dependencies = ["rich"]\n# ///\n\n# /// test\n# [tool.striate]\n# ///\n'
    (project / "my_layers.py").write_text(other + layer("swirl"))
    (plugin,) = [item for item in Plugins().installed if item.file]
    assert (plugin.manifest, plugin.ailment) == (None, None)


def test_machines_for_one_project_trust_by_an_environment_variable(project, run, monkeypatch):
    monkeypatch.setenv("STRIATE_TRUST_PLUGINS", "0")
    assert run("check", "net.cnn")[0] == 1
    monkeypatch.setenv("STRIATE_TRUST_PLUGINS", f"sha256:{'0' * 64}")
    assert run("check", "net.cnn")[0] == 1
    assert not ran(project)
    (file,) = [item.file for item in Plugins().installed if item.file]
    monkeypatch.setenv("STRIATE_TRUST_PLUGINS", f"sha256:{'0' * 64}, {file.digest}")
    assert run("check", "net.cnn")[0] == 0
    monkeypatch.setenv("STRIATE_TRUST_PLUGINS", "1")
    (project / "my_layers.py").write_text(layer("swirl"))
    assert run("check", "net.cnn")[0] == 0
    monkeypatch.setenv("STRIATE_TRUST_PLUGINS", "my_layers.py")
    code, said = run("check", "net.cnn")
    assert code == 1
    assert "STRIATE_TRUST_PLUGINS is 1, or hashes" in said


def test_there_is_no_option_to_trust(run):
    code, said = run("check", "--trust-plugins", "net.cnn")
    assert code == 2
    assert "trust" in said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("/etc/my_layers.py", "is not relative to striate.toml"),
        ("C:/my_layers.py", "is not relative to striate.toml"),
        ("..\\my_layers.py", "is not relative to striate.toml"),
        ("../outside.py", "leads out of the project"),
        ("linked.py", "leads out of the project"),
        ("folder/outside.py", "leads out of the project"),
        ("my_layers.txt", "is no Python file"),
        ("my_layers", "is no Python file"),
        ("lost.py", "cannot be read: No such file"),
        ("folder.py", "cannot be read: Is a directory"),
        ("pipe.py", "is no regular file"),
        ("my-layers.py", "is no name"),
        ("class.py", "is no name"),
        ("large.py", f"is larger than {LARGEST:,} bytes"),
        ("latin.py", "is written in iso-8859-1"),
        ("bytes.py", "is no UTF-8 text"),
        ("turned.py", "has the invisible character U+202E in line 2"),
        ("blank.py", "has the invisible character U+200B in line 1"),
        ("null.py", "has the invisible character U+0000 in line 1"),
    ],
)
def test_what_cannot_be_a_plugin(project, run, written, said):
    (project.parent / "outside.py").write_text(TELLTALE)
    (project / "linked.py").symlink_to("../outside.py")
    (project / "folder").symlink_to("..")
    (project / "folder.py").mkdir()
    os.mkfifo(project / "pipe.py")
    (project / "large.py").write_bytes(b"#" * (LARGEST + 1))
    (project / "latin.py").write_text("# -*- coding: latin-1 -*-\n")
    (project / "bytes.py").write_bytes(b"# \xff\n")
    (project / "turned.py").write_text("x = 1\nif x: # \u202e } \n    pass\n")
    (project / "blank.py").write_text("a\u200bb = 1\n")
    (project / "null.py").write_bytes(b"x = 1\0")
    with pytest.raises(ProjectFileError, match=said.replace("+", "[+]")):
        read_project_file(written, project)
    (project / "striate.toml").write_text(f"plugins = [{json.dumps(written)}]\n")
    for command in ("trust", "doctor"):
        code, found = run("plugins", command, *([written] if command == "trust" else []))
        assert code in (1, 2)
        assert said in found
    (project / "net.cnn").write_text(NET.replace("swirl", "relu"))
    assert run("check", "net.cnn")[0] == 0, "files that need no plugin go on"
    assert not ran(project)


def test_a_link_inside_the_project_is_the_file_that_it_leads_to(project, run):
    (project / "links").mkdir()
    (project / "links" / "other.py").symlink_to("../my_layers.py")
    (project / "striate.toml").write_text('plugins = ["links/other.py"]\n')
    (plugin,) = [item for item in Plugins().installed if item.file]
    assert (plugin.name, plugin.file.path) == ("my_layers", project / "my_layers.py")


def test_trust_is_for_files_that_the_project_lists(project, run):
    (project / "other.py").write_text(TELLTALE)
    code, said = run("plugins", "trust", "other.py")
    assert code == 2
    assert "other.py is no plugin of this project by its striate.toml: listed are ./my_layers.py" in said
    (project / "striate.toml").write_text("")
    assert 'add plugins = ["./other.py"]' in run("plugins", "trust", "other.py")[1]


def test_the_same_file_elsewhere_is_another_one(project, run, monkeypatch):
    run("plugins", "trust", "my_layers.py")
    copy = project.parent / "copy"
    copy.mkdir()
    for name in ("striate.toml", "my_layers.py", "net.cnn"):
        (copy / name).write_bytes((project / name).read_bytes())
    monkeypatch.chdir(copy)
    assert run("check", "net.cnn")[0] == 1
    assert not ran(copy)


def test_odd_paths_are_kept_whole(project, tmp_path, monkeypatch, run):
    root = tmp_path / 'a "b\\c\x07 \U0001f600'
    root.mkdir()
    (root / "striate.toml").write_text('[plugins]\nallow = []\nfiles = ["my_layers.py"]\n')
    (root / "my_layers.py").write_text(layer("swirl"))
    (root / "net.cnn").write_text(NET)
    monkeypatch.chdir(root)
    monkeypatch.setenv("STRIATE_CONFIG", str(tmp_path / "config"))
    assert run("plugins", "trust", "my_layers.py")[0] == 0
    assert run("check", "net.cnn")[0] == 0, "and what the project lists needs not be allowed as well"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise RuntimeError('no luck')", "RuntimeError: no luck"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("while True:\n    try: __import__('time').sleep(60)\n    except Exception: 0", "did not end within"),
        ("def (", "SyntaxError"),
        (loss("odd").replace("[LossRecord", "3 or [LossRecord"), "where a list of records is due"),
        (loss("wrong").replace("striate_losses", "striate_metrics"), "where a MetricRecord is due"),
        ("import timm_that_is_not_there", "No module named 'timm_that_is_not_there'"),
        (
            "from striate.plugin import FileRecord, hookimpl\n@hookimpl\ndef striate_files(context):\n"
            "    return [FileRecord('a.b', 'a', 'my_layers', 'x.cnn')]",
            "a plugin of one file brings no .cnn files",
        ),
    ],
)
def test_a_broken_one_is_set_aside_whole(project, run, monkeypatch, code, said):
    monkeypatch.setenv("STRIATE_PLUGIN_SECONDS", "1")
    (project / "my_layers.py").write_text(code)
    run("plugins", "trust", "my_layers.py")
    exit, found = run("check", "net.cnn")
    assert exit == 1
    assert "plugin my_layers, which may provide it, cannot be loaded: " in found
    assert said in found
    assert not [name for name in sys.modules if name.startswith("striate_project_my_layers")]
    exit, found = run("plugins", "doctor", "my_layers")
    assert exit == 1
    assert said in found
    (project / "net.cnn").write_text(NET.replace("swirl", "relu"))
    assert run("check", "net.cnn")[0] == 0


def test_the_conformance_kit_runs_it_when_it_is_trusted(project, run):
    code, said = run("plugins", "check", "my_layers", "--draws", "1")
    assert code == 2
    assert "my_layers is not trusted: read it, then: striate plugins trust my_layers.py" in said
    assert not ran(project)
    run("plugins", "trust", "my_layers.py")
    code, said = run("plugins", "check", "my_layers", "--draws", "1")
    assert "layer swirl" in said
    assert "could be loaded a moment ago" not in said
    assert "documentation" in said
    assert ran(project)


def test_one_that_ends_the_process_does_so_to_the_doctors_only(project, run):
    (project / "my_layers.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    run("plugins", "trust", "my_layers.py")
    code, said = run("plugins", "doctor", "my_layers")
    assert code == 1
    assert "its loading ended the whole process (SIGSEGV)" in said


def test_it_may_import_what_is_installed_but_no_other_file_of_the_project(project, run, monkeypatch):
    monkeypatch.syspath_prepend(project)
    (project / "helper.py").write_text(TELLTALE)
    (project / "site-packages").mkdir()
    (project / "site-packages" / "acme_installed.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(project / "site-packages")
    (project / "my_layers.py").write_text("import json, acme_installed\n" + layer("swirl"))
    run("plugins", "trust", "my_layers.py")
    assert run("check", "net.cnn")[0] == 0
    for imported in ("import helper", "from helper import x", "import importlib; importlib.import_module('helper')"):
        (project / "my_layers.py").write_text(f"{imported}\n" + layer("swirl"))
        run("plugins", "trust", "my_layers.py")
        code, said = run("check", "net.cnn")
        assert code == 1
        assert "helper.py, another file of the project, and only ./my_layers.py is trusted" in said
    assert not ran(project)
    monkeypatch.delitem(sys.modules, "acme_installed")


def test_what_it_imports_later_is_held_to_that_too(project, run, monkeypatch):
    monkeypatch.syspath_prepend(project)
    (project / "helper.py").write_text(TELLTALE)
    made = 'LossRecord("late", "A loss", Factory("my_layers:make"))'
    code = loss("late").replace('LossRecord("late", "A loss", Factory("torch.nn:MSELoss"))', made)
    (project / "my_layers.py").write_text(code + "\ndef make():\n    import helper\n\ndef fine():\n    return 3\n")
    run("plugins", "trust", "my_layers.py")
    record = HostCatalogue().find(LossRecord, "late")
    with pytest.raises(ImportError, match="another file of the project"):
        record.factory()
    assert not ran(project)
    (project / "my_layers.py").write_text(
        code.replace("my_layers:make", "my_layers:fine") + "\ndef fine():\n    return 3\n"
    )
    run("plugins", "trust", "my_layers.py")
    assert HostCatalogue().find(LossRecord, "late").factory() == 3, "a factory names the file's own functions"
    import_module("helper")  # whoever is no plugin imports what it likes

    assert ran(project)


def test_it_takes_no_other_modules_place(project, run):
    (project / "striate.toml").write_text('plugins = ["json.py"]\n')
    (project / "json.py").write_text(layer("swirl"))
    before = sys.modules["json"]
    assert run("plugins", "trust", "json.py")[0] == 0
    assert run("check", "net.cnn")[0] == 0
    assert sys.modules["json"] is before
    assert run("plugins", "list", "--format", "json")[0] == 0


def test_names_clash_with_those_of_others_as_everywhere(project, run, tmp_path, monkeypatch):
    site = tmp_path / "site"
    site.mkdir()
    install(site, "other", layer("swirl"), '[provides]\nlayers = ["swirl"]')
    install(site, "my_layers", loss("unlike"), '[provides]\nlosses = ["unlike"]')
    monkeypatch.syspath_prepend(site)
    run("plugins", "trust", "my_layers.py")
    code, said = run("plugins", "doctor", "my_layers")
    assert code == 1
    assert "both bring a plugin of this name" in said
    assert "give ./my_layers.py another name" in said
    assert not ran(project)
    (project / "my_layers.py").rename(project / "ours.py")
    (project / "striate.toml").write_text('plugins = ["./ours.py"]\n')
    run("plugins", "trust", "ours.py")
    code, said = run("check", "net.cnn")
    assert code == 1
    assert "swirl is provided by other and ours" in said
    (project / "net.cnn").write_text(NET.replace("swirl", "ours.swirl"))
    assert run("check", "net.cnn")[0] == 0


def test_settings_that_make_no_sense_are_told(project, run):
    for text, said in (
        ("plugins = 3", "plugins is a table, [plugins], or a list of files"),
        ("plugins = [3]", "plugins.files is a list of paths of Python files"),
    ):
        (project / "striate.toml").write_text(text)
        assert said in run("plugins", "list")[1] + run("plugins", "doctor")[1]


def test_a_list_of_trust_that_cannot_be_read_trusts_nothing(project, run, tmp_path):
    run("plugins", "trust", "my_layers.py")
    (tmp_path / "config" / "trusted.toml").write_text("[files")
    code, said = run("check", "net.cnn")
    assert code == 1
    assert "is not trusted, because what is cannot be read" in said
    assert not ran(project)
    assert run("plugins", "trust", "my_layers.py")[0] == 1


def test_no_plugins_leaves_it_out(project, run, monkeypatch):
    run("plugins", "trust", "my_layers.py")
    for variable in ("1", "my_layers"):
        monkeypatch.setenv("STRIATE_NO_PLUGINS", variable)
        assert run("check", "net.cnn")[0] == 1
        assert not ran(project)
    monkeypatch.delenv("STRIATE_NO_PLUGINS")
    assert HostCatalogue(plugins=False).plugins.installed == ()


def test_the_language_server_takes_it_anew_when_it_is_trusted_and_changed(project, run):
    server = Catalogue(project)
    assert server.layer("swirl") is None
    assert not ran(project)
    run("plugins", "trust", "my_layers.py")
    server.refresh()
    assert server.layer("swirl").summary == "Gives its input."
    generation = server.generation
    server.refresh()
    assert server.generation == generation, "nothing has changed"
    (project / "my_layers.py").write_text(layer("swirl").replace("Gives its input.", "Gives its input as it is."))
    server.refresh()
    assert server.layer("swirl") is None
    run("plugins", "trust", "my_layers.py")
    server.refresh()
    assert server.layer("swirl").summary == "Gives its input as it is."
