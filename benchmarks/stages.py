"""Run by `check_startup.py` in a fresh process: how long the stages of a check take inside, as JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

begin = time.perf_counter()

from striate.elaborate import elaborate  # noqa: E402  # the imports are what is measured first
from striate.host.catalogue import HostCatalogue  # noqa: E402
from striate_dsl.parser import parse  # noqa: E402
from striate_dsl.reading import read_source  # noqa: E402

imported = time.perf_counter()
result = parse(read_source(Path(sys.argv[1])))
parsed = time.perf_counter()
assert result.file is not None, "the benchmark's file has no mistakes"
built = elaborate(result.file, sys.argv[2], HostCatalogue(plugins=False))
elaborated = time.perf_counter()
assert built.graph is not None, "the benchmark's file has no mistakes"
again = time.perf_counter()
parse(read_source(Path(sys.argv[1])))
parsed_again = time.perf_counter()
elaborate(result.file, sys.argv[2], HostCatalogue(plugins=False))
elaborated_again = time.perf_counter()

print(
    json.dumps(
        {
            "imports": imported - begin,
            "parse, first": parsed - imported,
            "elaborate and infer, first": elaborated - parsed,
            "parse, again": parsed_again - again,
            "elaborate and infer, again": elaborated_again - parsed_again,
            "layers": len(built.graph.nodes),
        }
    )
)
