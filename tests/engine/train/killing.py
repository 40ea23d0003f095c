"""Trains a small network in child processes and kills them; run by test_resume.py as a program of its own.

Usage: killing.py FOLDER. Prints one JSON object by recipe: the digest of the weights of an uninterrupted run, and for
every way of dying the digest after the run was resumed. Everything is imported once; the children are forks.
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

RECIPES = {
    "plain": {"train.epochs": "3", "train.batch": "16"},
    "averaged": {
        "train.epochs": "3",
        "train.batch": "8",
        "train.accumulate": "2",
        "train.optimizer": "muon(weight_decay = 0.1)",
        "train.wrap": "[lookahead(k = 3), sam]",
        "train.average": "ema(decay = 0.9)",
        "train.schedule": "plateau(patience = 0, threshold = 0.9)",
        "train.groups": '[group("conv1.*", rate = 0.5)]',
        "train.no_decay": "biases_and_norms",
        "train.clip_value": "0.5",
    },
    "swa": {
        "train.loss": "sum(cosface(scale = 8), centre, weights = [1, 0.1])",
        "train.epochs": "3",
        "train.batch": "16",
        "train.optimizer": "lamb(lr = 0.01)",
        "train.average": "swa(start = 0.3)",
        "train.schedule": "warm_restarts(first = 1)",
    },
}
"""The second has a state in everything that can have one, the third a loss with weights of its own."""


def subject(name: str) -> Subject:
    return assemble(*load_with_recipe(settings=RECIPES[name]))


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


def run(subject: Subject, folder: Path, interval: float = 0.0) -> None:
    train(subject, RunFolder(folder), resume=True, save_interval=interval)


def run_and_die(subject: Subject, folder: Path, call: int, after: bool) -> None:
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
    run(subject, folder)


def digest(folder: Path) -> str:
    """Return a digest of all weights that a run has left; their descriptions hold nothing that varies."""
    content = b"".join((folder / name).read_bytes() for name in ("best.safetensors", "last.safetensors"))
    return hashlib.sha256(content).hexdigest()


def finished(subject: Subject, folder: Path) -> str:
    """Resume a run in a child until it ends, and return the digest of its weights."""
    number = in_child(partial(run, subject, folder))
    _, status = os.waitpid(number, 0)
    return digest(folder) if status == 0 else f"the resumed run failed with status {status}"


def killed(subject: Subject, folder: Path, chance: random.Random, writes: int, times: int) -> dict[str, str]:
    """Return the digest of an uninterrupted run and of some that were killed.

    Args:
        subject: what is trained.
        folder: where the runs are to be.
        chance: says when.
        writes: how many of them are killed while they write, beside the first two writes.
        times: how many of them are killed twice at any time.
    """
    begun = time.monotonic()
    results = {"uninterrupted": finished(subject, folder / "whole")}
    needed = time.monotonic() - begun
    chosen = [(chance.randint(3, 60), chance.random() < 0.5) for _ in range(writes)]
    for call, after in [(1, False), (2, True), *chosen]:
        place = folder / f"write-{call}-{after}"
        os.waitpid(in_child(partial(run_and_die, subject, place, call, after)), 0)
        results[place.name] = finished(subject, place)
    for turn in range(times):
        place = folder / f"time-{turn}"
        number = in_child(partial(run, subject, place, 0.02))
        for _ in range(2):  # killed, resumed, and killed again
            time.sleep(chance.uniform(0.0, 0.8) * needed)
            os.kill(number, signal.SIGKILL)
            os.waitpid(number, 0)
            number = in_child(partial(run, subject, place, 0.02))
        os.kill(number, signal.SIGKILL)
        os.waitpid(number, 0)
        results[place.name] = finished(subject, place)
    return results


def main(folder: Path) -> None:
    chance = random.Random(int(os.environ.get("KILLING_SEED", "0")))
    results = {}
    for name in RECIPES:
        writes, times = (5, 3) if name == "plain" else (2, 1)
        results[name] = killed(subject(name), folder / name, chance, writes, times)
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
