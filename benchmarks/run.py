"""All benchmarks, one after the other: `python benchmarks/run.py --save`."""

from __future__ import annotations

import argparse

import check_scaling
import check_startup
import editor_keystrokes
import export_speed
import fault_table
import hostile
import memory_forecast
import plugin_startup
import summary_vs_peers
import text_size
from arguments import add_options, choices

BENCHMARKS = {
    "check_startup": check_startup.run,
    "check_scaling": check_scaling.run,
    "summary_vs_peers": summary_vs_peers.run,
    "text_size": text_size.run,
    "fault_table": fault_table.run,
    "editor_keystrokes": editor_keystrokes.run,
    "export_speed": export_speed.run,
    "hostile": hostile.run,
    "memory_forecast": memory_forecast.run,
    "plugin_startup": plugin_startup.run,
}


def main() -> None:
    """Run the benchmarks that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(BENCHMARKS)}; all if left out")
    add_options(parser)
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(BENCHMARKS)}")
    for name in given.names or BENCHMARKS:
        BENCHMARKS[name](choices(given))


if __name__ == "__main__":
    main()
