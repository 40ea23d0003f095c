"""The table of who may import whom; the tests beside it hold the three packages to it.

A room is a folder of `striate`. `version` is a module of one line that everybody may read, `facade` stands for the
other modules directly in `striate`, `dsl` and `plugins` for the other two packages. Moving a wall means changing a row
here, and saying why in the commit.
"""

from __future__ import annotations

FOUNDATION = frozenset({"version", "dsl", "dims", "graph", "ops"})
MIDDLE = FOUNDATION | {"host", "analysis", "elaborate", "passes"}
LOWERED = MIDDLE | {"fusion", "lower", "onnx", "runtime"}

ROOMS: dict[str, frozenset[str]] = {
    "version": frozenset(),
    "dsl": frozenset(),
    "codes": frozenset(),  # texts about codes; whoever shows them reads them
    "dims": frozenset({"dsl", "graph"}),
    "graph": frozenset({"dsl", "dims"}),
    "ops": frozenset({"dsl", "dims", "graph"}),
    "host": FOUNDATION,
    "analysis": FOUNDATION,
    "elaborate": FOUNDATION | {"host", "analysis"},  # analysis: the contracts `assert macs < ...` of a file
    "project": FOUNDATION | {"host", "elaborate"},  # elaborate: the linked file is what it makes for it
    "passes": FOUNDATION | {"host", "analysis"},
    "lint": MIDDLE,  # elaborate: the wording of block trails
    "fusion": FOUNDATION | {"analysis"},
    "lower": MIDDLE | {"fusion"},
    "onnx": MIDDLE,
    "runtime": MIDDLE | {"fusion", "lower", "onnx"},
    "formats": LOWERED,  # onnx: what OpenVINO is given, and how files are compared; lower: what torch records
    "importing": MIDDLE
    | {"onnx", "runtime", "expand", "project"},  # expand: values as text; onnx: comparing; project: texts within files
    "view": LOWERED | {"compare"},  # the looks of a comparison
    "compare": MIDDLE,
    "expand": MIDDLE,  # elaborate: it is told what is made there, and writes it down
    "editor": MIDDLE | {"view", "lint", "project", "codes", "facade"},  # facade: a check, and what its sections hold
    "train": LOWERED | {"view"},  # view: the report that training writes
    "search": LOWERED | {"train"},  # train: recipes, and the runs of the trials
    "reference": LOWERED
    | {"view", "train", "project", "codes", "facade"},  # everything that has a page; facade: hooks'
    "conformance": LOWERED
    | {"project", "reference", "train", "formats", "facade"},  # facade: as users do; train: batches
    "facade": LOWERED
    | {
        "view",
        "train",
        "lint",
        "project",
        "codes",
        "search",
        "expand",
        "compare",
        "importing",
        "formats",
    },  # lint: a check ends with it
    "cli": LOWERED
    | {
        "view",
        "train",
        "lint",
        "project",
        "codes",
        "reference",
        "search",
        "expand",
        "compare",
        "importing",
        "formats",
        "facade",
        "editor",
        "conformance",
    },
    "plugins": frozenset({"facade"}),  # and of the facade only the public names
}
"""The rooms that the modules of a room may import, beside their own."""

PLUGIN_FACADE = ("striate", "striate.plugin", "striate.data", "striate.factories")
"""The modules of which plugins may import the names listed in `__all__`."""

HOMES: dict[str, tuple[str, ...]] = {
    "captum": ("striate_plugins",),
    "click": ("striate.cli", "striate.conformance"),
    "faster_coco_eval": ("striate_plugins",),
    "kornia": ("striate_plugins",),
    "lark": ("striate_dsl",),
    "lightning": ("striate.train",),
    "matplotlib": ("striate.train", "striate.view", "striate_plugins"),
    "networkx": ("striate.graph",),
    "onnx": ("striate.onnx", "striate.importing", "striate.importer", "striate.cli"),
    "onnxruntime": ("striate.onnx", "striate.cli", "striate_plugins"),  # a back end of the collection
    "openvino": ("striate.formats",),
    "lsprotocol": ("striate.editor.server",),
    "pluggy": ("striate.host",),
    "pygls": ("striate.editor.server",),
    "pygments": ("striate.editor",),
    "pytest": ("striate.conformance.pytest_cases", "striate.conformance.pytest_plugin"),
    "rich": ("striate.cli", "striate.train", "striate.view"),
    "safetensors": ("striate.onnx", "striate.runtime", "striate.train"),
    "sklearn": ("striate_plugins",),
    "torch": (
        "striate.conformance",
        "striate.formats",
        "striate.importer",
        "striate.importing.aten",
        "striate.lower",
        "striate.reference.pictures",
        "striate.runtime",
        "striate.train",
        "striate_plugins",
    ),
    "torchmetrics": ("striate.train", "striate_plugins"),
    "triton": ("striate.lower.triton",),
    "yaml": ("striate.importing.ultralytics",),
}
"""Packages that only some modules (these and what lies below them) may import."""

VAGUE_NAMES = frozenset({"common", "helper", "helpers", "misc", "stuff", "util", "utilities", "utils"})
"""Names under which anything could be filed, so that nothing is found."""


def room_of(module: str) -> str:
    """Return the room of a module, e.g. `ops` for `striate.ops.conv`."""
    package, _, rest = module.partition(".")
    if package != "striate":
        return {"striate_dsl": "dsl", "striate_plugins": "plugins"}[package]
    folder, _, _ = rest.partition(".")
    if folder == "__main__":
        return "cli"
    return folder if folder in ROOMS else "facade"


def is_below(module: str, homes: tuple[str, ...]) -> bool:
    """Whether a module is one of the homes or lies below one."""
    return any(module == home or module.startswith(home + ".") for home in homes)
