"""`striate diff` on the command line: forms, exit codes, revisions of git, and what bad input says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from tests.engine.cli.conftest import NET

NEEDS_GIT = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
WIDER = NET.replace("conv(4, 3)", "conv(5, 3)")


@pytest.fixture
def pair(tmp_path):
    (tmp_path / "old.cnn").write_text(NET)
    (tmp_path / "new.cnn").write_text(WIDER)


def test_text_json_and_page(run, pair, tmp_path):
    outcome = run("diff", "old.cnn", "new.cnn")
    assert outcome.code == 0
    assert outcome.out.startswith("--- old.cnn\n+++ new.cnn\n\nmodel Net\n")
    document = json.loads(run("diff", "old.cnn", "new.cnn", "--format", "json").out)
    assert document["same"] is False
    (network,) = document["networks"]
    assert network["layers"][0]["changes"]["channels"] == {"old": "4", "new": "5"}
    assert network["weights"]["resized"][0] == {
        "old": "conv1.weight",
        "new": "conv1.weight",
        "old_size": [4, 3, 3, 3],
        "new_size": [5, 3, 3, 3],
    }
    outcome = run("diff", "old.cnn", "new.cnn", "--format", "html", "-o", "page.html")
    assert (outcome.code, outcome.out) == (0, "")
    assert (tmp_path / "page.html").read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("old.cnn", "new.cnn"), 0),
        (("old.cnn", "new.cnn", "--exit-code"), 1),
        (("old.cnn", "old.cnn", "--exit-code"), 0),
        (("old.cnn", "comments.cnn", "--exit-code"), 0),
        (("old.cnn", "nothing.cnn"), 2),
        (("old.cnn", "broken.cnn", "--exit-code"), 2),
        (("old.cnn::Nat", "new.cnn"), 2),
        (("old.cnn",), 2),
        (("old.cnn", "new.cnn", "-o", "no/such/place"), 2),
        (("--git", "old.cnn"), 2),
    ],
)
def test_exit_codes(run, pair, tmp_path, arguments, code):
    (tmp_path / "comments.cnn").write_text(f"# a comment\n{NET.replace('classes = 10', 'classes =   10')}")
    (tmp_path / "broken.cnn").write_text(NET.replace("conv", "conf"))
    assert run("diff", *arguments).code == code


def test_models_are_named_behind_two_colons(run, tmp_path):
    (tmp_path / "net.cnn").write_text(f"{NET}model Small = Net(classes = 3)\n")
    outcome = run("diff", "net.cnn::Net", "net.cnn::Small")
    assert "model Net -> Small\n" in outcome.out
    assert "- classes = 10\n+ classes = 3\n" in outcome.out
    assert run("diff", "net.cnn::Small", "net.cnn", "--exit-code").code == 0
    assert "did you mean net.cnn::Small?" in run("diff", "net.cnn::Smal", "net.cnn").err


def test_colours_on_request(run, pair, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[31m--- old.cnn\x1b[0m" in run("diff", "old.cnn", "new.cnn").out


# ------------------------------------------------------------------------------------------------ revisions


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with two commits of `nets/net.cnn`, which uses another file, and its folder."""
    environment = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a"}
    environment |= {"GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    nets = tmp_path / "nets"
    nets.mkdir()
    git("init", "-q", "-b", "main")
    (tmp_path / "blocks.cnn").write_text("block Unit(w) { conv(w, 3, pad = 1) -> relu }\n")
    (nets / "net.cnn").write_text(f'use "../blocks.cnn"\n{NET.replace("conv(4, 3) -> relu", "Unit(4)")}')
    (nets / "link.cnn").symlink_to("net.cnn")
    git("add", ".")
    git("commit", "-qm", "first")
    (tmp_path / "blocks.cnn").write_text("block Unit(w) { conv(w, 5, pad = 2) -> relu }\n")
    git("commit", "-qam", "second")
    return git


@NEEDS_GIT
def test_a_revision_is_read_with_the_files_that_it_used(run, repository, tmp_path):
    for arguments in (
        ("--git", "HEAD~1", "nets/net.cnn"),
        ("--git", "HEAD~1", "HEAD", "nets/net.cnn"),
        ("HEAD~1:nets/net.cnn", "nets/net.cnn"),
        ("HEAD~1:nets/net.cnn::Net", "main:./nets/net.cnn"),
    ):
        outcome = run("diff", *arguments, "--exit-code")
        assert outcome.code == 1, outcome.err
        assert "    kernel             3 -> 5\n" in outcome.out
    assert run("diff", "--git", "HEAD", "nets/net.cnn", "--exit-code").code == 0


@NEEDS_GIT
def test_paths_begin_at_the_top_or_here(run, repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / "nets")
    assert run("diff", "HEAD~1:./net.cnn", "net.cnn", "--exit-code").code == 1
    assert run("diff", "--git", "HEAD~1", "net.cnn", "--exit-code").code == 1
    outcome = run("diff", "HEAD~1:net.cnn", "net.cnn")
    assert outcome.code == 2
    assert "E0335" in outcome.err


@NEEDS_GIT
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("HEDA:nets/net.cnn", "nets/net.cnn"), "E0334", "there is no revision 'HEDA'"),
        (("HEAD:nets/nat.cnn", "nets/net.cnn"), "E0335", "did you mean HEAD:nets/net.cnn?"),
        (("HEAD:nets", "nets/net.cnn"), "E0335", "is no file"),
        (("HEAD:nets/link.cnn", "nets/net.cnn"), "E0335", "is a link"),
        (("HEAD:nets/net.cnn", "nets/nat.cnn"), "E0131", "there is no file"),
        (("HEAD:../net.cnn", "nets/net.cnn"), "E0335", "is not in the repository"),
        (("--git", "HEAD~9", "nets/net.cnn"), "E0334", "there is no revision 'HEAD~9'"),
        (("--git", "--", "--output=x", "nets/net.cnn"), "E0334", "there is no revision"),
    ],
)
def test_what_is_not_there(run, repository, tmp_path, arguments, code, said):
    outcome = run("diff", *arguments)
    assert outcome.code == 2
    assert code in outcome.err
    assert said in outcome.err
    assert not (tmp_path / "x").exists()


@NEEDS_GIT
def test_without_a_repository_or_git(run, pair, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", os.path.dirname(os.getcwd()))  # noqa: PTH109, PTH120  # for git
    outcome = run("diff", "HEAD:old.cnn", "new.cnn")
    assert (outcome.code, "E0333" in outcome.err) == (2, True)
    monkeypatch.setenv("PATH", "")
    outcome = run("diff", "HEAD:old.cnn", "new.cnn")
    assert outcome.code == 2
    assert "git is not installed" in outcome.err


@NEEDS_GIT
def test_nothing_of_the_repository_runs(run, repository, tmp_path):
    """Converters, filters, monitors and pagers that a repository configures stay what they are: text."""
    trap = "touch trapped; cat"
    for key in ("diff.trap.textconv", "filter.trap.smudge", "filter.trap.clean", "core.fsmonitor", "core.pager"):
        repository("config", key, trap)
    (tmp_path / ".git" / "info" / "attributes").write_text("*.cnn diff=trap filter=trap\n")
    outcome = run("diff", "--git", "HEAD~1", "nets/net.cnn", "--exit-code")
    assert outcome.code == 1
    assert not (tmp_path / "trapped").exists()
