"""No module of the three packages takes part in an import cycle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import networkx as nx
import pytest

from tests.architecture.sources import Module, all_modules, modules_below, target_of


def cycles(modules: Mapping[str, Module]) -> list[list[str]]:
    """Return the groups of modules that need each other to be loaded."""
    graph = nx.DiGraph()
    for module in modules.values():
        targets = {target_of(each, modules) for each in module.imports if each.at_load}
        graph.add_edges_from((module.name, target) for target in targets if target in modules)
    rings = [sorted(group) for group in nx.strongly_connected_components(graph) if len(group) > 1]
    return sorted(rings + [[name] for name in nx.nodes_with_selfloops(graph)])


def test_the_packages_have_no_import_cycle():
    found = cycles(all_modules())
    assert not found, "import cycles:\n" + "\n".join(" <-> ".join(ring) for ring in found)


def package(folder: Path, **files: str) -> dict[str, Module]:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return modules_below(folder, "p")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"a": "import p.b", "b": "from p import a"}, [["p.a", "p.b"]]),
        ({"a": "from p.b import x", "b": "import p.c", "c": "from p.a import y"}, [["p.a", "p.b", "p.c"]]),
        ({"__init__": "from p.a import x", "a": "from p import y"}, [["p", "p.a"]]),
        ({"a": "import p.a"}, [["p.a"]]),
        ({"a": "import p.b", "b": "import json"}, []),
        ({"a": "import p.b", "b": "def f():\n    import p.a"}, []),
        ({"a": "import p.b", "b": "if TYPE_CHECKING:\n    import p.a"}, []),
        ({"a": "import p.b", "b": "if TYPE_CHECKING:\n    import json\nelse:\n    import p.a"}, [["p.a", "p.b"]]),
        ({"a": "import p.b", "b": "try:\n    import p.a\nexcept ImportError:\n    pass"}, [["p.a", "p.b"]]),
        ({"a": "import p.b", "b": "class C:\n    import p.a"}, [["p.a", "p.b"]]),
    ],
)
def test_cycles_are_found(tmp_path, files, expected):
    assert cycles(package(tmp_path, **files)) == expected
