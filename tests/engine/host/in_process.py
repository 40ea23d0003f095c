"""Plugins as files in a folder, found and imported in this process, and forgotten again."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from striate.host.kinds import KINDS


@contextmanager
def installed(
    folder: Path, code: str, name: str = "my-plugin", provides: Mapping[str, list[str]] | None = None
) -> Iterator[None]:
    """Have a distribution `striate-NAME` with one plugin whose module is `code`, its manifest as it should be.

    The module is `name` with `-` as `_`. The names that the manifest lists are asked of the module's hooks here, unless
    they are given.
    """
    module = name.replace("-", "_")
    package, information = folder / module, folder / f"striate_{module}-1.0.dist-info"
    package.mkdir(parents=True)
    information.mkdir()
    (package / "__init__.py").write_text(code)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: striate-{name}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[striate.plugins]\n{name} = {module}\n")
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        names = provided(module) if provides is None else provides
        listed = "".join(f"{kind} = {json.dumps(items)}\n" for kind, items in names.items())
        (package / "striate-plugin.toml").write_text(f'summary = "An example"\n[provides]\n{listed}')
        forget(module)
        yield
    finally:
        sys.path.remove(str(folder))
        forget(module)
        importlib.invalidate_caches()


def provided(module: str) -> dict[str, list[str]]:
    """Return the names that the hooks of a module give, by kind."""
    from striate.plugin import PluginContext

    plugin = importlib.import_module(module)
    hooks = ((kind, getattr(plugin, kind.hook, None)) for kind in KINDS)
    return {kind.plural: [item.name for item in hook(PluginContext())] for kind, hook in hooks if hook is not None}


def forget(module: str) -> None:
    """Take a module and those below it out of Python's list, so that it is imported anew."""
    for known in list(sys.modules):
        if known == module or known.startswith(f"{module}."):
            del sys.modules[known]
