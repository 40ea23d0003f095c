"""What the page about cfg files and YAML shows is what the commands print, and it names everything that is read."""

from __future__ import annotations

import re

from striate.importing.darknet.activations import LAYERS
from striate.importing.darknet.cfg_file import ENDS, READERS
from striate.importing.ultralytics.rows import MODULES
from tests.docs.consoles import sessions

PAGE = "import-descriptions.md"


def test_every_session_prints_what_the_page_shows(repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = repository / "docs" / PAGE
    found = sessions(page, tmp_path)
    assert len(found) == 2
    for session in found:
        assert session.printed() == session.shown, session.arguments
    for name in ("tiny.cnn", "small.cnn"):
        assert f"```cnn\n{(tmp_path / name).read_text(encoding='utf-8')}```" in page.read_text(encoding="utf-8")


def test_everything_that_is_read_is_named(repository):
    page = (repository / "docs" / PAGE).read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and line.count("|") == 3]
    named = {word.strip() for row in rows for word in row.split("|")[2].split(",")}
    assert named - {"sections", "modules"} == {*READERS, *ENDS, *MODULES}
    (listed,) = re.findall(r"^Activations: (.*)\.$", page, re.MULTILINE)
    assert listed.split(", ") == list(LAYERS)
