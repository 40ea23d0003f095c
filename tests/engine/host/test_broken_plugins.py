"""Every kind of broken plugin that we know of installed at once: all commands work, each is named and explained."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from PIL import Image

from striate.cli import group
from tests.engine.host.distributions import install, layer, loss

NET = """model Net(classes = 10) {
  input image: 3 x 8 x 8
  conv(4, 3, bias = false) -> bn -> relu -> global_avgpool -> flatten -> dense(classes)
  output logits
}
"""

BROKEN: dict[str, tuple[str, str | bytes | None, str]] = {
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
    "crashes": (
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        '[provides]\nlosses = ["crash"]',
        "its loading ended the whole process (SIGSEGV)",
    ),
    "leaves": (
        "import os; os._exit(0)",
        '[provides]\nlosses = ["leave"]',
        "its loading ended the whole process (exit code 0)",
    ),
    "patches": (
        "import striate.dims\nstriate.dims.ceil_div = None\n" + loss("patch"),
        None,
        "it replaces striate.dims.ceil_div, which is not its own",
    ),
    "hides": ("import builtins\nbuiltins.len = lambda what: 3\n" + loss("hide"), None, "it replaces builtins.len"),
    "threads": (
        "import threading, time\nthreading.Thread(target=lambda: time.sleep(3600), name='for ever').start()\n"
        + loss("thread"),
        None,
        "it leaves a thread running (for ever)",
    ),
    "huge": (loss("large"), f"# {'x' * 300_000}", "is larger than 262,144 bytes"),
    "nested": (loss("deep"), f"provides = {'[' * 20_000}", "nest"),
    "latin": (loss("odd_letters"), b'summary = "caf\xe9"', "can't decode byte 0xe9"),
    "alike": (
        loss("fine_loss"),
        '[provides]\nlayers = ["c\N{CYRILLIC SMALL LETTER O}nv"]',
        "provides.layers has 'c\\u043env', which is no name in the language",
    ),
    "coloured": (loss("plain"), 'summary = "\\u001b[31mred"', "summary is one line of text"),
    "cyrillic": (loss("l\N{CYRILLIC SMALL LETTER O}ss"), None, "'l\\u043ess', which is no identifier of the language"),
}
"""What is wrong with each: its code, its manifest, a part of the reason."""

FOUND_BY_READING = {"old", "unreadable", "huge", "nested", "latin", "alike", "coloured"}
"""Those that are known to be broken without being loaded."""


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
    install(made, "untidy", UNTIDY + loss("mess"))
    install(made, "linked", layer("far"))
    (made / "elsewhere.toml").write_text('summary = "A link"\n[provides]\nlayers = ["far"]')
    (made / "linked_plugin" / "striate-plugin.toml").symlink_to(made / "elsewhere.toml")
    (made / "striate_lost-1.0.dist-info").mkdir()
    (made / "striate_lost-1.0.dist-info" / "entry_points.txt").write_text("[striate.plugins]\nlost = lost_plugin\n")
    return made


UNTIDY = """\
import os, sys, signal
os.chdir("/")
os.environ["STRIATE_NO_PLUGINS"] = "1"
sys.path.clear()
sys.setrecursionlimit(500)
sys.excepthook = None
signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.stdout.close()
sys.stdin = sys.stdout = sys.stderr = open(os.devnull, "w")
"""
"""Code that changes what there is one of in a process; what follows works all the same."""

SOUND = {"fine", "chatty", "one", "two", "untidy", "linked", "striate-plugins"}


@pytest.fixture
def run(folder, tmp_path):
    """Run `striate` with these plugins installed."""

    def call(*arguments: str, text: str = NET, told: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
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
            input=told,
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
        if manifest is None or name in FOUND_BY_READING:
            assert f"plugin {name} cannot be loaded: " in said, name
            assert reason in said
    assert "hello from chatty" not in done.stdout
    assert "promise" not in said, "a plugin that nobody needs is not loaded"


RECIPE = """
train Net {
  data = digits(limit = 50, channels = 3)
  loss = cross_entropy
  optimizer = sgd(lr = 0.1)
  epochs = 1
}
search Net {
  train.optimizer.lr = [0.1]
}
"""

COMMANDS: dict[str, tuple[str, ...]] = {
    "check": ("net.cnn",),
    "fmt": ("net.cnn",),
    "expand": ("net.cnn",),
    "diff": ("net.cnn", "net.cnn"),
    "summary": ("net.cnn",),
    "compile": ("net.cnn", "--report"),
    "train": ("net.cnn", "--device", "cpu", "--out", "run"),
    "search": ("net.cnn", "--device", "cpu", "--out", "found"),
    "eval": ("net.cnn", "--device", "cpu", "--weights", "run/best.safetensors"),
    "predict": ("net.cnn", "--device", "cpu", "--weights", "run/best.safetensors", "--split", "test", "--limit", "1"),
    "attribute": ("net.cnn", "image.png", "--device", "cpu", "--weights", "run/best.safetensors"),
    "export": ("net.cnn", "--no-verify", "-o", "net.onnx"),
    "import": ("net.onnx", "--no-verify", "-o", "again.cnn"),
    "explain": ("cross_entropy",),
    "lsp": (),
    "plugins list": (),
    "plugins which": ("still",),
    "plugins doctor": ("fine",),
    "plugins check": ("fine", "--draws", "1"),
    "plugins new": ("acme",),
    "plugins disable": ("fine",),
    "plugins enable": ("fine",),
    "plugins trust": ("ours.py",),
    "plugins distrust": ("ours.py",),
}
"""Arguments with which each command does its work, in an order in which each has what it needs."""


EXITS = {"plugins check": 1}
"""What commands end with: the plugin that is checked has no samples, which is a finding."""


def _message(body: str) -> str:
    return f"Content-Length: {len(body)}\r\n\r\n{body}"


INPUTS = {
    "lsp": _message('{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}')
    + _message('{"jsonrpc": "2.0", "method": "initialized", "params": {}}')
    + _message('{"jsonrpc": "2.0", "id": 2, "method": "shutdown"}')
    + _message('{"jsonrpc": "2.0", "method": "exit"}')
}
"""What commands are told that listen."""


def leaves(found: click.Command, name: str = "") -> Iterator[str]:
    """Yield the names of all commands that are no groups."""
    if not isinstance(found, click.Group):
        yield name
        return
    with click.Context(found) as context:
        for each in found.list_commands(context):
            command = found.get_command(context, each)
            assert command is not None
            yield from leaves(command, f"{name} {each}".strip())


def test_every_command_is_tried():
    missing = set(leaves(group)) ^ COMMANDS.keys()
    assert not missing, f"say in COMMANDS how {missing} are run: each has to work whatever is installed"


def test_every_command_works(run, tmp_path):
    (tmp_path / "striate.toml").write_text('plugins = ["ours.py"]\n')
    (tmp_path / "ours.py").write_text("raise RuntimeError('ours')\n")
    Image.new("RGB", (8, 8)).save(tmp_path / "image.png")
    text = NET.replace("relu", "still") + RECIPE
    for name, arguments in COMMANDS.items():
        done = run(*name.split(), *arguments, text=text, told=INPUTS.get(name, ""), STRIATE_PLUGIN_SECONDS="1")
        assert done.returncode == EXITS.get(name, 0), f"{name}: {done.stdout}{done.stderr}"
        assert "hello from chatty" not in done.stdout, name
        named = [key for key, (_, _, reason) in BROKEN.items() if f"plugin {key} cannot be loaded: " in done.stderr]
        if name in ("check", "summary", "train", "eval", "export"):
            said = done.stdout + done.stderr
            expected = [key for key, (_, manifest, _) in BROKEN.items() if manifest is None or key in FOUND_BY_READING]
            assert [key for key in expected if f"plugin {key} cannot be loaded: " not in said] == [], name
        assert len(named) == len(set(named))


def test_the_language_server_works(folder, tmp_path):
    """A text is checked as the server does it, on a thread of its own."""
    done = subprocess.run(
        [sys.executable, "-c", SERVED],
        cwd=tmp_path,
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")])),
            "STRIATE_PLUGIN_SECONDS": "2",
            "STRIATE_CONFIG": str(tmp_path / "config"),
            "NET": NET.replace("relu", "still"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    codes = json.loads(done.stdout)
    assert set(codes) == {"W0701"}


SERVED = """
import json, os, threading
from pathlib import Path
from striate.editor.server.documents import Library
from striate.editor.server.texts import Buffer
from striate_dsl.source import Source

found = []
def check():
    path = Path.cwd() / "net.cnn"
    library = Library([Path.cwd()])
    document = library.put(Buffer(path.as_uri(), path, 1, Source(str(path), os.environ["NET"])))
    found.extend(item.code for item in library.check(document).findings)

thread = threading.Thread(target=check)
thread.start()
thread.join()
print(json.dumps(found), flush=True)
os._exit(0)
"""


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
    done = run("plugins", "doctor", *SOUND)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count(": fine, provides ") == len(SOUND)
    changed = "the working folder and the environment and sys.path and the limit of recursion and sys.excepthook"
    # And the handler of SIGINT, where it is not ignored, as it is in the background of a shell.
    assert f"importing it changes {changed}" in done.stdout


def test_the_list_imports_nothing(run):
    done = run("plugins", "list", "--format", "json")
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert set(rows) == {*BROKEN, *SOUND, "lost"}
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
    ill = ",".join([*BROKEN, "chatty", "lost"])
    done = run("check", f"--no-plugins={ill}", "net.cnn", text=text)
    assert (done.returncode, done.stderr) == (0, "")
    assert run("check", "net.cnn", text=text, STRIATE_NO_PLUGINS=ill).stderr == ""


def test_a_name_in_a_list_may_be_misspelt_or_written_with_underlines(run, tmp_path):
    site = tmp_path / "own"
    site.mkdir()
    install(site, "acme_vision", layer("still"), '[provides]\nlayers = ["still"]')
    entry = site / "striate_acme_vision-1.0.dist-info" / "entry_points.txt"
    entry.write_text("[striate.plugins]\nacme-vision = acme_vision_plugin\n")
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    text = NET.replace("relu", "still")
    assert run("check", "net.cnn", text=text, PYTHONPATH=path).returncode == 0
    for name in ("acme-vision", "acme_vision"):
        assert run("check", f"--no-plugins={name}", "net.cnn", text=text, PYTHONPATH=path).returncode == 1
        (tmp_path / "striate.toml").write_text(f'[plugins]\nallow = ["{name}"]\n')
        assert run("check", "net.cnn", text=text, PYTHONPATH=path).returncode == 0
        (tmp_path / "striate.toml").write_text(f'[plugins]\ndisable = ["{name}"]\n')
        assert run("check", "net.cnn", text=text, PYTHONPATH=path).returncode == 1
    (tmp_path / "striate.toml").write_text('[plugins]\nallow = ["acme-vison"]\n')
    done = run("plugins", "doctor", PYTHONPATH=path, STRIATE_NO_PLUGINS="faces")
    assert "striate.toml names acme-vison: there is no plugin acme-vison: did you mean acme-vision?" in done.stdout
    assert "STRIATE_NO_PLUGINS or --no-plugins names faces: there is no plugin faces: installed are" in done.stdout


def test_disabling_lasts_and_enabling_takes_it_back(run):
    text = NET.replace("relu", "still")
    done = run("plugins", "disable", "fine", "chatty", "lost", *BROKEN)
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


def test_metadata_that_is_missing_or_garbled_hides_no_other_plugin(run, folder, tmp_path):
    done = run("plugins", "doctor", "lost")
    assert done.returncode == 1
    assert "lost: cannot be loaded" in done.stdout
    bad = tmp_path / "bad"
    (bad / "striate_garbled-1.0.dist-info").mkdir(parents=True)
    (bad / "striate_garbled-1.0.dist-info" / "entry_points.txt").write_text("[striate.plugins]\nno equals sign\n")
    (bad / "striate_garbled-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: striate-garbled\n")
    path = os.pathsep.join([str(bad), str(folder), os.environ.get("PYTHONPATH", "")])
    done = run("check", "net.cnn", text=NET.replace("relu", "still"), PYTHONPATH=path)
    assert done.returncode == 0, done.stdout + done.stderr
    done = run("plugins", "doctor", "striate-garbled", PYTHONPATH=path)
    assert done.returncode == 1
    assert "its entry points cannot be read" in done.stdout


def test_removal_works(run, tmp_path):
    """What pip takes away is gone at once: nothing of it is remembered anywhere."""
    site = tmp_path / "own"
    site.mkdir()
    install(site, "passing", "raise RuntimeError('no luck')")
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    text = NET.replace("relu", "no_such_layer")
    done = run("check", "net.cnn", text=text, PYTHONPATH=path)
    assert "plugin passing" in done.stdout + done.stderr
    assert run("plugins", "disable", "passing", PYTHONPATH=path).returncode == 0
    shutil.rmtree(site)
    done = run("check", "net.cnn", text=text, PYTHONPATH=path)
    assert "passing" not in done.stdout + done.stderr
    assert run("plugins", "enable", "passing", PYTHONPATH=path).returncode == 0, "also when it is not there any more"


def test_names_of_plugins_that_are_not_there(run):
    for command in ("doctor", "disable"):
        done = run("plugins", command, "fien")
        assert done.returncode == 2
        assert "there is no plugin fien: did you mean fine?" in done.stderr


@pytest.mark.parametrize("code", ["import os; os._exit(7)", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"])
def test_one_that_ends_the_program_does_so_once(run, tmp_path, code):
    """Without a manifest it may have any name, and would end every command that looks for one."""
    site = tmp_path / "own"
    site.mkdir()
    install(site, "fatal", code)
    install(site, "good", layer("still"), '[provides]\nlayers = ["still"]')
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    text = NET.replace("relu", "still")
    assert run("check", "net.cnn", text=text, PYTHONPATH=path).returncode in (7, -11), "nothing can catch that"
    for _ in range(2):
        done = run("check", "net.cnn", text=text, PYTHONPATH=path)
        assert done.returncode == 0, done.stdout + done.stderr
        said = "plugin fatal cannot be loaded: its loading ended the whole program the last time"
        assert said in done.stdout + done.stderr
    done = run("plugins", "doctor", "fatal", PYTHONPATH=path)
    assert done.returncode == 1
    assert "its loading ended the whole process" in done.stdout
    (site / "fatal_plugin" / "__init__.py").write_text(f"# repaired\n{loss('harmless')}")
    done = run("check", "net.cnn", text=text, PYTHONPATH=path)
    assert (done.returncode, "fatal" in done.stdout + done.stderr) == (0, False), "it is another one now"


def test_a_note_of_a_process_that_still_runs_says_nothing(tmp_path, monkeypatch):
    from striate.host.attempts import ended_the_program, forgive, noted
    from striate.host.installed import find_plugins

    site = tmp_path / "own"
    site.mkdir()
    install(site, "busy", loss("busy"))
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("STRIATE_CONFIG", str(tmp_path / "config"))
    (plugin,) = [item for item in find_plugins() if item.name == "busy"]
    with noted(plugin):
        (note,) = (tmp_path / "config" / "loading").iterdir()
        assert not ended_the_program(plugin), "it is this process"
        note.with_name(note.name.replace(f"-{os.getpid()}", f"-{os.getppid()}")).touch()
        assert not ended_the_program(plugin), "its process runs"
    assert not note.exists()
    done = subprocess.Popen([sys.executable, "-c", "pass"])
    done.wait()
    note.with_name(note.name.replace(f"-{os.getpid()}", f"-{done.pid}")).touch()
    assert ended_the_program(plugin)
    forgive(plugin)
    assert not ended_the_program(plugin)


def test_code_that_fails_when_it_is_used_is_told_with_its_plugin_and_place(run, tmp_path):
    site = tmp_path / "own"
    site.mkdir()
    install(
        site,
        "late",
        layer("still").replace("sink.node(", "raise KeyError('no luck')  # "),
        '[provides]\nlayers = ["still"]',
    )
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    done = run("export", "net.cnn", "--no-verify", text=NET.replace("relu", "still"), PYTHONPATH=path)
    assert done.returncode == 1
    assert "error[E0720]: plugin late failed: KeyError: 'no luck'" in done.stderr
    assert f"in onnx, {site / 'late_plugin' / '__init__.py'}:" in done.stderr
    assert "pip install --upgrade striate-late" in done.stderr
    (tmp_path / "striate.toml").write_text('plugins = ["mine.py"]\n')
    (tmp_path / "mine.py").write_text(layer("turn").replace("return inputs", "return inputs[0] + None"))
    assert run("plugins", "trust", "mine.py").returncode == 0
    done = run("check", "net.cnn", text=NET.replace("relu", "turn"))
    assert done.returncode == 1
    assert "error[E0720]: the rules of the layer mine.turn failed: TypeError: " in done.stderr
    assert f"in shape, {tmp_path / 'mine.py'}:4" in done.stderr


def test_lists_and_settings_import_no_plugin(run, tmp_path):
    site = tmp_path / "own"
    site.mkdir()
    for name, manifest in (("told", '[provides]\nlosses = ["told"]'), ("silent", None)):
        install(site, name, f"open('{name}', 'w')\n{loss(name)}", manifest)
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    for arguments in (
        ("list",),
        ("list", "--format", "json"),
        ("which", "told"),
        ("which", "silent"),
        ("disable", "told", "silent"),
        ("enable", "told", "silent"),
    ):
        assert run("plugins", *arguments, PYTHONPATH=path).returncode == (arguments == ("which", "silent"))
    assert run("check", "net.cnn", text=NET, PYTHONPATH=path).returncode == 0
    assert not (tmp_path / "told").exists()
    assert not (tmp_path / "silent").exists()
    both = ("--no-plugins=told,silent", "net.cnn")
    assert run("check", *both, text=NET.replace("relu", "no_such_layer"), PYTHONPATH=path).returncode == 1
    assert not (tmp_path / "silent").exists()
    assert run("check", "net.cnn", text=NET.replace("relu", "no_such_layer"), PYTHONPATH=path).returncode == 1
    assert (tmp_path / "silent").exists(), "it may have any name"
    assert not (tmp_path / "told").exists(), "it is known not to have that one"
