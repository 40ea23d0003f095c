"""Which name maps go with a network: those beside the files that it is made of, of a project or of a plugin."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path, PurePosixPath

from striate.elaborate.linked import reachable
from striate.host.catalogue import HostCatalogue
from striate.host.records import FileRecord
from striate.importing.name_map import Convention, read_name_map
from striate_dsl.reading import read_source
from striate_dsl.syntax import File

ENDING = ".names.toml"
"""Instead of `.cnn`: the map of `resnet.cnn` is `resnet.names.toml`."""


def conventions_of(file: File, catalogue: HostCatalogue) -> tuple[Convention, ...]:
    """Return the conventions for the networks of a file and of the files that it uses.

    Raises:
        DiagnosticError: E0666, one of the maps has mistakes.
    """
    packaged = {
        str(PurePosixPath(record.package.replace(".", "/")) / record.resource): record
        for name in catalogue.names(FileRecord)
        if (record := catalogue.find(FileRecord, name)) is not None and record.build is None
    }
    found: list[Convention] = []
    for part in reachable(file):
        name = part.span.file
        record = packaged.get(name)
        found += _beside(Path(name)) if record is None else _in_package(record)
    return tuple(found)


def read_names(path: Path) -> tuple[Convention, ...]:
    """Read a name map from the disk.

    Raises:
        DiagnosticError: it cannot be read; E0666, it is no name map.
    """
    return read_name_map(read_source(path).text, str(path))


def _beside(path: Path) -> tuple[Convention, ...]:
    place = path.with_name(path.stem + ENDING)
    return read_names(place) if place.is_file() else ()


def _in_package(record: FileRecord) -> tuple[Convention, ...]:
    resource = record.resource.removesuffix(".cnn") + ENDING
    place = files(record.package).joinpath(resource)
    if not place.is_file():
        return ()
    try:
        return read_name_map(place.read_text(encoding="utf-8"), f"{record.package}/{resource}")
    except (OSError, UnicodeDecodeError):  # an installation that is damaged; the network itself was read
        return ()
