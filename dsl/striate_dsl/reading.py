"""Reads a `.cnn` file from disk; every way in which that fails is a diagnostic of its own.

What the text says is the parser's business; here it only has to be text.
"""

from __future__ import annotations

import codecs
import errno
import re
from os import PathLike
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.limits import FILE_SIZE
from striate_dsl.names import nearest
from striate_dsl.source import Source, Span

_OTHER_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_LONE_RETURN = re.compile(r"\r(?!\n)")


def read_source(path: str | PathLike[str]) -> Source:
    """Return the text of a file (UTF-8, with or without byte order mark; any line ends).

    Raises `DiagnosticError` where there is no such file, it cannot be read, is larger than `limits.FILE_SIZE`, or holds
    no text.
    """
    place = Path(path)
    name = str(path)
    return decode_source(name, _bytes(place, name))


def decode_source(name: str, data: bytes) -> Source:
    """Return the text in the bytes of a file (or of a stream, whose name messages show); raises like `read_source`."""
    if len(data) > FILE_SIZE.value:
        raise _too_large(name)
    return Source(name, _text(name, data))


def _fail(code: str, message: str, advice: str | None = None, *notes: str, span: Span | None = None) -> DiagnosticError:
    return DiagnosticError(Diagnostic(code, message, span, notes=notes, help=advice))


def _too_large(name: str) -> DiagnosticError:
    advice = f"keep weights and data out of it, and repeated layers in repeat and for; {FILE_SIZE.advice}"
    return _fail("E0136", f"{name} is larger than {bytes_in_words(FILE_SIZE.value)}, the most that is read", advice)


def bytes_in_words(number: int) -> str:
    """Return a number of bytes as people write it: `16 MiB` where it comes out even."""
    whole, rest = divmod(number, 1024 * 1024)
    return f"{number:,} bytes" if rest else f"{whole:,} MiB"


def _bytes(path: Path, name: str) -> bytes:
    try:
        mode = path.stat().st_mode
        if S_ISDIR(mode):
            raise _directory(path, name)
        if not S_ISREG(mode):
            raise _fail("E0132", f"{name} is not a regular file", "name a text file")
        with path.open("rb") as stream:
            data = stream.read(FILE_SIZE.value + 1)
    except FileNotFoundError:
        raise _missing(path, name) from None
    except NotADirectoryError:
        raise _fail("E0131", f"there is no file {name}: a part of the path is a file, not a folder") from None
    except PermissionError:
        raise _fail("E0133", f"no permission to read {name}", f"try: chmod u+r {name}") from None
    except ValueError:
        raise _fail("E0131", f"{name!r} is not a possible file name") from None
    except OSError as error:
        raise _not_readable(name, error) from None
    return data


def _not_readable(name: str, error: OSError) -> DiagnosticError:
    if error.errno in {errno.ENAMETOOLONG, errno.ELOOP}:
        return _fail("E0131", f"there is no file {name[:80]}: {error.strerror or error}")
    return _fail("E0137", f"{name} cannot be read: {error.strerror or error}")


def _missing(path: Path, name: str) -> DiagnosticError:
    folder = path.parent
    try:
        present = sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return _fail("E0131", f"there is no file {name}: its folder {folder} does not exist")
    networks = [entry for entry in present if entry.endswith(".cnn")]
    near = nearest(path.name, networks) or nearest(path.name, present)
    if near is not None:
        return _fail("E0131", f"there is no file {name}", f"did you mean {folder / near}?")
    if networks:
        more = ", …" if len(networks) > 5 else ""
        listed = f"in {folder} there are {', '.join(networks[:5])}{more}"
        return _fail("E0131", f"there is no file {name}", None, listed)
    return _fail("E0131", f"there is no file {name}", None, f"there is no .cnn file in {folder.absolute()}")


def _directory(path: Path, name: str) -> DiagnosticError:
    networks = sorted(path.glob("*.cnn"))[:5]
    advice = f"name a file in it, e.g. {networks[0]}" if networks else "name a .cnn file"
    return _fail("E0132", f"{name} is a folder, not a file", advice)


def _text(name: str, data: bytes) -> str:
    for mark, encoding in _OTHER_ENCODINGS:
        if data.startswith(mark):
            raise _fail("E0135", f"{name} is {encoding} text", "save it as UTF-8")
    data = data.removeprefix(codecs.BOM_UTF8)
    zero = data.find(b"\0")
    if zero != -1:
        raise _binary(name, data, zero)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8(name, data, error) from None
    return _LONE_RETURN.sub("\n", text) if "\r" in text else text


def _binary(name: str, data: bytes, zero: int) -> DiagnosticError:
    if len(data) % 2 == 0 and data[1::2].count(0) + data[::2].count(0) > len(data) // 3:
        return _fail("E0135", f"{name} looks like UTF-16 text without byte order mark", "save it as UTF-8")
    found = f"a NUL byte at offset {zero}"
    return _fail("E0134", f"{name} is a binary file, not text", "name the .cnn file of the network", found)


def _not_utf8(name: str, data: bytes, error: UnicodeDecodeError) -> DiagnosticError:
    """The place is shown in the text with every byte that does not fit replaced."""
    before = data[: error.start]
    line = before.count(b"\n") + 1
    found = f"byte 0x{data[error.start]:02x} at offset {error.start}, line {line}"
    shown = Source(name, data.decode("utf-8", errors="replace"))
    offset = len(before.decode("utf-8"))
    return _fail("E0135", f"{name} is not UTF-8 text", "save it as UTF-8", found, span=Span(shown, offset, offset + 1))
