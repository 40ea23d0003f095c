"""Which reader a file gets: by its ending, and with the options that say something about such files."""

from importlib import import_module
from pathlib import Path

import pytest

from striate.importer import import_file
from striate.importing.kinds import KINDS, ONNX, kind_of
from striate_dsl.diagnostics import DiagnosticError


def test_every_ending_belongs_to_one_kind():
    endings = [ending for kind in KINDS for ending in kind.endings]
    assert len(endings) == len(set(endings))
    assert all(ending.startswith(".") and ending == ending.lower() for ending in endings)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_has_a_reader(kind):
    assert callable(import_module(kind.module).read)
    assert all(kind_of(Path(f"net{ending.upper()}")) is kind for ending in kind.endings)


def test_a_file_without_a_known_ending_is_read_as_onnx(tmp_path):
    assert kind_of(Path("net.bin")) is kind_of(Path("net")) is ONNX
    (tmp_path / "net.bin").write_bytes(b"PK\x03\x04 and more of it")
    with pytest.raises(DiagnosticError, match="it is a zip archive"):
        import_file(tmp_path / "net.bin")


def test_an_option_that_says_nothing_is_refused(tmp_path):
    with pytest.raises(DiagnosticError) as caught:
        import_file(tmp_path / "net.onnx", no_such_thing=True)
    (found,) = caught.value.diagnostics
    assert (found.code, found.message.split()[0]) == ("E0646", "--no-such-thing")
