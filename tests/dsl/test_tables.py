"""The committed tables belong to the grammar beside them, and every alternative has its method."""

from __future__ import annotations

import subprocess
import sys

import pytest

from striate_dsl import _tables, grammar_tables, tables
from striate_dsl.diagnostics import Diagnostics
from striate_dsl.source import Source
from striate_dsl.tree import Builder


@pytest.fixture(scope="module")
def built() -> tables.Tables:
    return grammar_tables.build(tables.grammar_text())


def test_committed_tables_are_current(built):
    assert tables.fingerprint(tables.grammar_text()) == _tables.GRAMMAR, "run python -m striate_dsl.grammar_tables"
    assert tables.tables() == built


def test_generated_module_is_what_is_committed(built):
    committed = tables.Path(_tables.__file__).read_text(encoding="utf-8")
    assert grammar_tables.module_text(built, tables.grammar_text()) == committed


def test_every_alternative_has_a_method(built):
    builder = Builder(Source("a.cnn", ""), Diagnostics())
    missing = {method for _, _, method in built.rules if method and not callable(getattr(builder, method, None))}
    assert not missing


def test_the_fingerprint_does_not_see_line_ends():
    assert tables.fingerprint("a\nb\n") == tables.fingerprint("a\r\nb\r\n") != tables.fingerprint("a b")


def test_a_changed_grammar_is_built_anew(monkeypatch, built):
    monkeypatch.setattr(_tables, "GRAMMAR", "old")
    tables.tables.cache_clear()
    try:
        assert tables.tables() == built
    finally:
        tables.tables.cache_clear()


def test_numbering_does_not_depend_on_the_hash_seed():
    program = (
        "from striate_dsl import grammar_tables, tables; text = tables.grammar_text();"
        "print(tables.fingerprint(grammar_tables.module_text(grammar_tables.build(text), text)))"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1


def test_parsing_imports_nothing_but_the_standard_library():
    program = (
        "import sys; before = set(sys.modules); import striate_dsl; from striate_dsl.render import render_text;"
        "from striate_dsl.reading import read_source;"
        "assert striate_dsl.parse(striate_dsl.Source('a', 'model A { a }')).file;"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    foreign = {name for name in done.stdout.split() if name not in sys.stdlib_module_names} - {"striate_dsl"}
    assert not foreign
