"""Trains a small network in child processes and kills them; run by test_resume.py as a program of its own.

Usage: killing.py FOLDER. Prints one JSON object: the digest of the weights of an uninterrupted run, and for every way
of dying the digest after the run was resumed. Everything is imported once; the children are forks.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from striate.train.fit import train
from striate.train.run_folder import RunFolder
from striate.train.subject import Subject, assemble
from tests.engine.train.networks import load_with_recipe


def subject() -> Subject:
    model, recipe = load_with_recipe(settings={"train.epochs": "3", "train.batch": "16"})
    return assemble(model, recipe)


def in_child(work: Callable[[], object]) -> int:
    """Run something in a fork and return the process's number."""
    number = os.fork()
    if number == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return number


def run(folder: Path, interval: float = 0.0) -> None:
    train(SUBJECT, RunFolder(folder), resume=True, save_interval=interval)


def run_and_die(folder: Path, call: int, after: bool) -> None:
    """Run until this process kills itself at the so-manieth order to bring a file to the disk, before or after it."""
    sync, counted = os.fsync, [0]

    def deadly(handle: Any) -> None:
        counted[0] += 1
        if counted[0] == call and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        sync(handle)
        if counted[0] == call:
            os.kill(os.getpid(), signal.SIGKILL)

    os.fsync = deadly  # type: ignore[assignment]  # the parameter has another name
    run(folder)


def digest(folder: Path) -> str:
    """Return a digest of all weights that a run has left; their descriptions hold nothing that varies."""
    content = b"".join((folder / name).read_bytes() for name in ("best.safetensors", "last.safetensors"))
    return hashlib.sha256(content).hexdigest()


def finished(folder: Path) -> str:
    """Resume a run in a child until it ends, and return the digest of its weights."""
    number = in_child(partial(run, folder))
    _, status = os.waitpid(number, 0)
    return digest(folder) if status == 0 else f"the resumed run failed with status {status}"


def main(folder: Path) -> None:
    chance = random.Random(int(os.environ.get("KILLING_SEED", "0")))
    begun = time.monotonic()
    results = {"uninterrupted": finished(folder / "whole")}
    needed = time.monotonic() - begun
    for call, after in [(1, False), (2, True), *((chance.randint(3, 60), chance.random() < 0.5) for _ in range(5))]:
        place = folder / f"write-{call}-{after}"
        os.waitpid(in_child(partial(run_and_die, place, call, after)), 0)
        results[place.name] = finished(place)
    for turn in range(3):
        place = folder / f"time-{turn}"
        number = in_child(partial(run, place, 0.02))
        for _ in range(2):  # killed, resumed, and killed again
            time.sleep(chance.uniform(0.0, 0.8) * needed)
            os.kill(number, signal.SIGKILL)
            os.waitpid(number, 0)
            number = in_child(partial(run, place, 0.02))
        os.kill(number, signal.SIGKILL)
        os.waitpid(number, 0)
        results[place.name] = finished(place)
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    SUBJECT = subject()
    main(Path(sys.argv[1]))
