"""Files that can be read, and every way in which one cannot."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.parser import parse
from striate_dsl.reading import read_source

MODEL = "model A {\n  conv(3) -> relu  # größe\n}\n"


def refusal(path):
    with pytest.raises(DiagnosticError) as raised:
        read_source(path)
    (found,) = raised.value.diagnostics
    return found


@pytest.mark.parametrize(
    "data",
    [
        MODEL.encode(),
        b"\xef\xbb\xbf" + MODEL.encode(),
        MODEL.replace("\n", "\r\n").encode(),
        MODEL.replace("\n", "\r").encode(),
    ],
    ids=["plain", "byte order mark", "CRLF", "CR"],
)
def test_encodings_and_line_ends_that_are_accepted(tmp_path, data):
    path = tmp_path / "a.cnn"
    path.write_bytes(data)
    source = read_source(path)
    assert source.name == str(path)
    result = parse(source)
    assert result.file is not None
    (model,) = result.file.definitions
    assert (model.body.span.line, model.body.span.end_line) == (1, 3)


def test_missing_file_with_a_near_one(tmp_path):
    (tmp_path / "resnet.cnn").write_text(MODEL, encoding="utf-8")
    found = refusal(tmp_path / "resent.cnn")
    assert found.code == "E0131"
    assert found.help == f"did you mean {tmp_path / 'resnet.cnn'}?"


def test_missing_file_among_others(tmp_path):
    for name in ("a.cnn", "b.cnn", "notes.txt"):
        (tmp_path / name).touch()
    assert refusal(tmp_path / "something.cnn").notes == (f"in {tmp_path} there are a.cnn, b.cnn",)


def test_missing_file_in_an_empty_folder(tmp_path):
    assert "no .cnn file" in refusal(tmp_path / "a.cnn").notes[0]


def test_missing_folder(tmp_path):
    assert "does not exist" in refusal(tmp_path / "nowhere" / "a.cnn").message


def test_a_file_as_folder(tmp_path):
    (tmp_path / "a.cnn").touch()
    assert refusal(tmp_path / "a.cnn" / "b.cnn").code == "E0131"


@pytest.mark.parametrize("name", ["a\0b.cnn", "x" * 5000])
def test_impossible_names(name):
    found = refusal(name)
    assert found.code == "E0131"
    assert len(found.message) < 200


def test_folder(tmp_path):
    (tmp_path / "a.cnn").touch()
    found = refusal(tmp_path)
    assert found.code == "E0132"
    assert found.help is not None
    assert str(tmp_path / "a.cnn") in found.help


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="needs devices in the file system")  # noqa: PTH110
def test_device():
    assert refusal("/dev/null").code == "E0132"


def test_refusals_of_the_system(tmp_path, monkeypatch):
    path = tmp_path / "a.cnn"
    path.touch()
    for error, code in ((PermissionError(13, "denied"), "E0133"), (OSError(5, "input/output error"), "E0137")):
        monkeypatch.setattr(Path, "open", lambda *_, error=error: (_ for _ in ()).throw(error))
        assert refusal(path).code == code


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (b"\x7fELF\x00\x01", "E0134", "a NUL byte at offset 4"),
        (b"model A { a }\n" + b"\xe9\n", "E0135", "byte 0xe9 at offset 14, line 2"),
        (b"\xff\xfe" + "model A { }".encode("utf-16-le"), "E0135", "UTF-16"),
        (b"\xfe\xff" + "model A { }".encode("utf-16-be"), "E0135", "UTF-16"),
        ("model A { }".encode("utf-32"), "E0135", "UTF-32"),
        ("model A { }".encode("utf-16-le"), "E0135", "UTF-16"),
    ],
    ids=["binary", "latin-1", "utf-16", "utf-16 big endian", "utf-32", "utf-16 without mark"],
)
def test_files_that_are_not_utf8_text(tmp_path, data, code, said):
    path = tmp_path / "a.cnn"
    path.write_bytes(data)
    found = refusal(path)
    assert found.code == code
    assert said in " ".join([found.message, *found.notes])


def test_the_place_of_a_wrong_byte(tmp_path):
    path = tmp_path / "a.cnn"
    path.write_bytes("# größe\nb ".encode() + b"\xe9 x\n")
    span = refusal(path).span
    assert (span.line, span.column, span.source.line_text(2)) == (2, 3, "b \ufffd x")


def test_too_large(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIATE_MAX_FILE_SIZE", str(1024 * 1024))
    path = tmp_path / "a.cnn"
    path.write_bytes(b"#" * (1024 * 1024))
    assert len(read_source(path).text) == 1024 * 1024
    path.write_bytes(b"#" * (1024 * 1024 + 1))
    found = refusal(path)
    assert found.code == "E0136"
    assert "1 MiB" in found.message
    assert "STRIATE_MAX_FILE_SIZE=2097152" in (found.help or "")


@pytest.mark.parametrize("text", ["", "\n", "  \n# nothing\n", "\ufeff"])
def test_a_file_without_definitions(tmp_path, text):
    path = tmp_path / "a.cnn"
    path.write_text(text, encoding="utf-8")
    (found,) = parse(read_source(path)).diagnostics
    assert found.code == "E0118"
    assert found.help is not None
    assert len(found.help.splitlines()) >= 3
