"""`fmt --migrate` and `check --fix` on files of a version of the language that never was."""

from __future__ import annotations

import io
import sys

import pytest

from striate_dsl import languages
from striate_dsl.languages import Languages, Migration

OLD = "language 1 # old\nmodel Net { # net\n  input image: 3 x 8 x 8\n  pool(2) # half\n  output features\n}\n"
NEW = OLD.replace("language 1", "language 2").replace("  pool(2)", "  maxpool(2)")


@pytest.fixture(autouse=True)
def second(monkeypatch):
    """A striate that reads language 2, in which `pool` is called `maxpool`."""
    step = Migration("pool is called maxpool", lambda text: text.replace("  pool(", "  maxpool("))
    monkeypatch.setattr(languages, "KNOWN", Languages(2, {1: step}))


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "net.cnn"
    path.write_text(OLD)
    return path


def test_check_says_what_to_do(run, old):
    result = run("check", old)
    assert result.code == 1
    assert "error[E0348]: the file is written in language 1" in result.err
    assert "language 2: pool is called maxpool" in result.err
    assert "1 can be repaired with --fix" in result.err


def test_check_repairs(run, old):
    result = run("check", old, "--fix")
    assert result.code == 0
    assert old.read_text() == NEW
    assert "E0348 rewrite in language 2" in result.out
    assert run("check", old).code == 0


def test_check_shows_the_difference(run, old):
    out = run("check", old, "--diff").out
    assert "-  pool(2) # half" in out
    assert "+  maxpool(2) # half" in out
    assert old.read_text() == OLD


def test_fmt_migrates_and_formats(run, old):
    assert run("fmt", old).code == 1
    result = run("fmt", "--migrate", old)
    assert result.code == 0
    assert result.out == f"{old}: migrated from language 1 and formatted\n"
    assert old.read_text() == run_formatted(run, NEW)
    assert run("fmt", "--migrate", old).out == ""


def run_formatted(run, text):
    from striate_dsl.formatter import format_source
    from striate_dsl.source import Source

    return format_source(Source("net.cnn", text)).text


def test_fmt_checks_and_shows_without_writing(run, old):
    assert run("fmt", "--migrate", "--check", old).code == 1
    assert "+  maxpool(2)" in run("fmt", "--migrate", "--diff", old).out
    assert old.read_text() == OLD


def test_standard_input(run, monkeypatch):
    class Standard:
        def __init__(self, content=b""):
            self.buffer = io.BytesIO(content)

    monkeypatch.setattr(sys, "stdin", Standard(OLD.encode()))
    assert "maxpool(2)" in run("fmt", "--migrate", "-").out


def test_files_that_do_not_state_their_language(run, old):
    old.write_text(OLD.replace("language 1 # old\n", ""))
    run("fmt", "--migrate", old)
    assert "maxpool" not in old.read_text()
    assert run("fmt", "--migrate", "--from", "1", old).code == 0
    assert "maxpool(2)" in old.read_text()
    assert "language" not in old.read_text()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--from", "1"), "--from goes with --migrate"),
        (("--migrate", "--from", "3"), "there is no way from language 3 to language 2"),
        (("--migrate", "--from", "0"), "--from"),
    ],
)
def test_options_that_make_no_sense(run, old, options, words):
    result = run("fmt", *options, old)
    assert result.code == 2
    assert words in result.err


def test_a_used_file_in_an_older_language_is_told_at_its_place(run, old, tmp_path):
    main = tmp_path / "main.cnn"
    main.write_text('use "net.cnn"\nmodel Other = Net()\n')
    result = run("check", main)
    assert result.code == 1
    assert "error[E0348]" in result.err
    assert "net.cnn:1:10" in result.err
    assert "used at" in result.err
