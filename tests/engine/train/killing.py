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
from pathlib import Path

from striate.host.catalogue import HostCatalogue
from striate.model import load_source
from striate.train.fit import train
from striate.train.overrides import read_overrides
from striate.train.recipe import KEYS, read_recipe
from striate.train.run_folder import RunFolder
from striate.train.sections import choose_section
from striate.train.subject import assemble
from striate_dsl.source import Source

NET = """model Net {
  input image: 1 x 8 x 8
  conv(4, 3, bias = false) -> bn -> relu -> conv(8, 3) -> relu -> flatten -> dropout(0.2) -> dense(10)
  output logits
}
train Net {
  data = digits(limit = 120); loss = cross_entropy; optimizer = adam(lr = 0.01); schedule = cosine(warmup = 1)
  epochs = 3; batch = 16; metrics = [accuracy]; seed = 5
}
"""


def subject():
    model = load_source(Source("net.cnn", NET), "Net", {}, HostCatalogue())
    overrides = read_overrides({}, model.file, "Net", KEYS)
    return assemble(model, read_recipe(choose_section(model.file, "Net"), "Net", model.catalogue, overrides.recipe))


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


def die_at(call: int, after: bool) -> None:
    """Let this process kill itself at the so-manieth order to bring a file to the disk, before or after it."""
    sync, counted = os.fsync, [0]

    def deadly(handle: int) -> None:
        counted[0] += 1
        if counted[0] == call and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        sync(handle)
        if counted[0] == call:
            os.kill(os.getpid(), signal.SIGKILL)

    os.fsync = deadly


def digest(folder: Path) -> str:
    """Return a digest of all weights that a run has left; their descriptions hold nothing that varies."""
    content = b"".join((folder / name).read_bytes() for name in ("best.safetensors", "last.safetensors"))
    return hashlib.sha256(content).hexdigest()


def finished(folder: Path) -> str:
    """Resume a run in a child until it ends, and return the digest of its weights."""
    number = in_child(lambda: run(folder))
    _, status = os.waitpid(number, 0)
    return digest(folder) if status == 0 else f"the resumed run failed with status {status}"


def main(folder: Path) -> None:
    chance = random.Random(int(os.environ.get("KILLING_SEED", "0")))
    begun = time.monotonic()
    results = {"uninterrupted": finished(folder / "whole")}
    needed = time.monotonic() - begun
    for call, after in [(1, False), (2, True), *((chance.randint(3, 60), chance.random() < 0.5) for _ in range(5))]:
        place = folder / f"write-{call}-{after}"
        os.waitpid(in_child(lambda call=call, after=after, place=place: (die_at(call, after), run(place))), 0)
        results[place.name] = finished(place)
    for turn in range(3):
        place = folder / f"time-{turn}"
        number = in_child(lambda place=place: run(place, 0.02))
        for _ in range(2):  # killed, resumed, and killed again
            time.sleep(chance.uniform(0.0, 0.8) * needed)
            os.kill(number, signal.SIGKILL)
            os.waitpid(number, 0)
            number = in_child(lambda place=place: run(place, 0.02))
        os.kill(number, signal.SIGKILL)
        os.waitpid(number, 0)
        results[place.name] = finished(place)
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    SUBJECT = subject()
    main(Path(sys.argv[1]))
