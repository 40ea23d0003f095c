"""Run by `measure.py`: start one command, wait for it, write what it took to a file as JSON.

A process of its own, and a small one: the peak memory that the system reports for a command begins with that of the
process that started it. Usage: `python -I -S launch.py RESULT OUTPUT COMMAND...`
"""

import json
import os
import sys
import time

_, result, output, *command = sys.argv
with open(output, "wb") as stream:  # noqa: PTH123  # no module more than needed is loaded here
    actions = [(os.POSIX_SPAWN_DUP2, stream.fileno(), 1), (os.POSIX_SPAWN_DUP2, stream.fileno(), 2)]
    start = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - start
with open(result, "w", encoding="utf-8") as stream:  # noqa: PTH123
    json.dump([seconds, usage.ru_maxrss, os.waitstatus_to_exitcode(status)], stream)
