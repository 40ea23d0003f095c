"""Thirteen kinds of broken plugin installed at once: every command works, each is named, and each is explained."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.host.distributions import install, layer, loss

NET = """model Net(classes = 10) {
  input image: 3 x 8 x 8
  conv(4, 3, bias = false) -> bn -> relu -> global_avgpool -> flatten -> dense(classes)
  output logits
}
"""

BROKEN: dict[str, tuple[str, str | None, str]] = {
    "raises": ("raise RuntimeError('no luck')", None, "RuntimeError: no luck"),
    "exits": ("import sys; sys.exit(3)", None, "SystemExit: 3"),
    "hangs": (
        "while True:\n    try: __import__('time').sleep(60)\n    except Exception: 0",
        None,
        "did not end within",
    ),
    "lacks": (
        "import timm_that_is_not_there",
        '[extras]\ntimm_that_is_not_there = "striate-lacks[timm]"\n[provides]\nlosses = ["lacking"]',
        "No module named 'timm_that_is_not_there'",
    ),
    "torn": ("def (", None, "SyntaxError"),
    "old": (loss("olden"), 'api = "<1.0"\n[provides]\nlosses = ["olden"]', "it works with plugin interface <1.0"),
    "odd": (loss("odd").replace("[LossRecord", "3 or [LossRecord"), None, "where a list of records is due"),
    "wrong": (loss("wrong").replace("striate_losses", "striate_metrics"), None, "where a MetricRecord is due"),
    "named": (loss("not a name"), None, "which is no identifier"),
    "blank": (loss("blank").replace('"A loss"', '""'), None, "blank: summary must be one line of text, not ''"),
    "typo": (loss("typo").replace("striate_losses", "striate_lossess"), None, "PluginValidationError"),
    "promise": (loss("kept"), '[provides]\nlosses = ["kept", "broken_word"]', "its manifest promises broken_word"),
    "unreadable": (loss("a"), "provides = [", "Invalid value"),
}
"""What is wrong with each: its code, its manifest, a part of the reason."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with all broken plugins, two good ones, and two that clash."""
    made = tmp_path_factory.mktemp("site")
    for name, (code, manifest, _) in BROKEN.items():
        install(made, name, code, manifest)
    install(made, "fine", layer("still"), 'summary = "A layer that does nothing"\n[provides]\nlayers = ["still"]')
    install(made, "chatty", f"print('hello from chatty')\n{loss('talk')}")
    for name in ("one", "two"):
        install(made, name, layer("twin"), '[provides]\nlayers = ["twin"]')
    return made


@pytest.fixture
def run(folder, tmp_path):
    """Run `striate` with these plugins installed."""

    def call(*arguments: str, text: str = NET, **variables: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "net.cnn").write_text(text)
        own = {"PYTHONPATH": str(folder), "STRIATE_PLUGIN_SECONDS": "2", "STRIATE_CONFIG": str(tmp_path / "config")}
        path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
        done = subprocess.run(
            [sys.executable, "-m", "striate", *arguments],
            cwd=tmp_path,
            env=os.environ | own | {"PYTHONPATH": path} | variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if arguments[:2] != ("plugins", "doctor"):
            assert "Traceback" not in done.stdout + done.stderr
        return done

    return call


def test_a_file_of_built_in_layers_asks_no_plugin(run):
    done = run("check", "net.cnn")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_name_of_a_good_plugin_works_and_the_broken_ones_are_named_in_a_line_each(run):
    done = run("check", "net.cnn", text=NET.replace("relu", "still"))
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout + done.stderr
    for name, (_, manifest, reason) in BROKEN.items():
        if manifest is None or name in {"old", "unreadable"}:
            assert f"plugin {name} cannot be loaded: " in said, name
            assert reason in said
    assert "hello from chatty" not in done.stdout
    assert "promise" not in said, "a plugin that nobody needs is not loaded"


@pytest.mark.parametrize("command", ["summary", "expand", "export"])
def test_other_commands_work_too(run, command):
    further = ("--no-verify",) if command == "export" else ()
    done = run(command, "net.cnn", *further, text=NET.replace("relu", "still") if command != "export" else NET)
    assert done.returncode == 0, done.stdout + done.stderr


def test_summary_as_json_is_json_whatever_plugins_print(run):
    done = run("summary", "net.cnn", "--format", "json", text=NET.replace("relu", "still"))
    assert json.loads(done.stdout)
    assert "plugin raises cannot be loaded: RuntimeError: no luck" in done.stderr


def test_a_name_of_a_broken_plugin_is_told_with_what_ails_it(run):
    text = NET + "train Net { data = digits(); loss = lacking; optimizer = sgd(lr = 0.1); epochs = 1 }\n"
    done = run("check", "net.cnn", text=text)
    said = done.stdout + done.stderr
    assert "plugin lacks provides lacking, but cannot be loaded: ModuleNotFoundError" in said
    assert "it needs timm_that_is_not_there: pip install 'striate-lacks[timm]'" in said
    assert done.returncode == 1


def test_a_name_of_two_plugins_names_both_and_the_way_out(run):
    done = run("check", "net.cnn", text=NET.replace("relu", "twin"))
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "twin is provided by one and two" in said
    assert "one.twin or two.twin" in said
    assert run("check", "net.cnn", text=NET.replace("relu", "two.twin")).returncode == 0


@pytest.mark.parametrize("name", BROKEN)
def test_the_doctor_explains_each(run, name):
    done = run("plugins", "doctor", name)
    assert done.returncode == 1
    assert BROKEN[name][2] in done.stdout
    assert done.stdout.startswith(f"{name} (striate-{name} 1.0): cannot be ")


def test_the_doctor_finds_the_good_ones_fine(run):
    done = run("plugins", "doctor", "fine", "chatty", "striate-plugins")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count(": fine, provides ") == 3


def test_the_list_imports_nothing(run):
    done = run("plugins", "list", "--format", "json")
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert set(rows) == {*BROKEN, "fine", "chatty", "one", "two", "striate-plugins"}
    assert rows["old"]["state"] == "broken"
    assert rows["fine"]["provides"] == {"layers": ["still"]}
    assert rows["hangs"]["state"] == "ready", "which is not known before it is loaded"
    assert "hello" not in done.stdout + done.stderr


def test_strict_makes_a_broken_plugin_an_error(run):
    text = NET.replace("relu", "still")
    assert run("check", "net.cnn", "--strict-plugins", text=text).returncode == 1
    assert run("summary", "net.cnn", text=text, STRIATE_STRICT_PLUGINS="1").returncode == 1
    assert run("summary", "net.cnn", text=text, STRIATE_STRICT_PLUGINS="0").returncode == 0, "which is no"
    assert run("check", "net.cnn", "--strict-plugins").returncode == 0, "no plugin is needed"


def test_leaving_out(run):
    text = NET.replace("relu", "still")
    done = run("check", "net.cnn", "--no-plugins", text=text)
    assert done.returncode == 1
    assert "plugin fine provides still, but is left out" in done.stdout + done.stderr
    assert "cannot be loaded" not in done.stdout + done.stderr
    ill = ",".join([*BROKEN, "chatty"])
    done = run("check", f"--no-plugins={ill}", "net.cnn", text=text)
    assert (done.returncode, done.stderr) == (0, "")
    assert run("check", "net.cnn", text=text, STRIATE_NO_PLUGINS=ill).stderr == ""


def test_disabling_lasts_and_enabling_takes_it_back(run):
    text = NET.replace("relu", "still")
    done = run("plugins", "disable", "fine", "chatty", *BROKEN)
    assert done.returncode == 0, done.stdout + done.stderr
    done = run("check", "net.cnn", text=text)
    assert "plugin fine provides still, but is disabled" in done.stdout + done.stderr
    assert "striate plugins enable fine" in done.stdout + done.stderr
    assert run("plugins", "enable", "fine").returncode == 0
    done = run("check", "net.cnn", text=text)
    assert (done.returncode, done.stderr) == (0, "")
    done = run("plugins", "enable", "fine")
    assert done.returncode == 2
    assert "fine is not disabled" in done.stderr


def test_a_projects_list_lets_in_only_its_own(run, tmp_path):
    text = NET.replace("relu", "still")
    (tmp_path / "striate.toml").write_text('[plugins]\nallow = ["fine"]\n')
    done = run("check", "net.cnn", text=text)
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "striate.toml").write_text("[plugins]\nallow = []\n")
    done = run("check", "net.cnn", text=text)
    assert "plugin fine provides still, but is not in the project's list" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("[plugins", "cannot be read"),
        ('[plugins]\nalow = ["fine"]', "there is no key alow in [plugins]"),
        ("[plugins]\nallow = 3", "plugins.allow is a list of names of plugins"),
        ("plugins = 3", "plugins is a table"),
    ],
)
def test_settings_that_cannot_be_read_are_told_and_striates_own_plugin_still_works(run, tmp_path, settings, said):
    (tmp_path / "striate.toml").write_text(settings)
    text = "use std.blocks\n" + NET
    done = run("check", "net.cnn", text=text)
    assert said in done.stdout + done.stderr
    assert done.returncode == 0


def test_who_provides_a_name(run):
    assert run("plugins", "which", "still").stdout == "layer: fine (striate-fine 1.0)\n"
    assert run("plugins", "which", "conv").stdout == "layer: built in\n"
    assert run("plugins", "which", "twin").stdout.count("layer: ") == 2
    done = run("plugins", "which", "nobody_has_this")
    assert done.returncode == 1
    assert "no installed plugin says that it provides nobody_has_this" in done.stderr


def test_names_of_plugins_that_are_not_there(run):
    for command in ("doctor", "disable"):
        done = run("plugins", command, "fien")
        assert done.returncode == 2
        assert "there is no plugin fien: did you mean fine?" in done.stderr
