"""A project folder with several files."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from striate.checking import Checked, check_file

Project = Callable[..., Checked]

BLOCKS = "block Unit(out) { Inner(out) -> relu }\nblock Inner(out) { conv(out, 3, pad = 1) }\n"
BODY = "{ input i: 3 x 8 x 8; %s; output y }\n"


def net(flow: str, name: str = "Net") -> str:
    """Return a model with this flow."""
    return f"model {name} {BODY % flow}"


@pytest.fixture
def project(tmp_path, monkeypatch) -> Project:
    """Write files into a project and check `nets/main.cnn`."""
    root = tmp_path / "project"
    (root / "nets").mkdir(parents=True)
    (root / "striate.toml").touch()
    monkeypatch.chdir(root)

    def write(main: str, /, **files: str) -> Checked:
        for name, text in {"nets/main": main, **files}.items():
            path = root / f"{name.replace('__', '/')}.cnn"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return check_file(root.joinpath("nets/main.cnn").relative_to(root))

    return write
