"""What the page about plugins shows and says holds."""

from __future__ import annotations

import re
import tomllib

from striate.host.kinds import PLURALS
from striate.host.manifest import KEYS, manifest_of
from striate.host.policy import DEFAULT_SECONDS, NONE, SECONDS, STRICT
from striate.host.trust import TRUST
from tests.docs.consoles import sessions


def test_the_sessions_print_what_the_page_shows(repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STRIATE_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("COLUMNS", "200")
    found = sessions(repository / "docs" / "plugins.md", tmp_path)
    assert [session.arguments[1] for session in found] == ["list", "which", "doctor", "new"]
    for session in found:
        printed, shown = (re.sub(r"\d+", "#", text) for text in (session.printed(), session.shown))
        assert printed.startswith(shown.partition("\n  ...")[0]), session.arguments


def test_the_manifest_of_the_page_is_one_and_the_page_names_everything(repository):
    page = (repository / "docs" / "plugins.md").read_text(encoding="utf-8")
    manifest, project = sorted(re.findall(r"```toml\n(.*?)```", page, re.DOTALL), key=len, reverse=True)
    assert tomllib.loads(project) == {"plugins": ["./my_layers.py"]}
    assert manifest_of(tomllib.loads(manifest)).works_with("1.3")
    for word in (*PLURALS, *KEYS, NONE, STRICT, SECONDS, TRUST):
        assert word in page, word
    assert f"{DEFAULT_SECONDS:g} seconds" in page
