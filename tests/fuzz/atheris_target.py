"""One fuzzing process, by atheris (libFuzzer): `python tests/fuzz/atheris_target.py TARGET CORPUS... [-option=...]`.

Coverage of the packages guides which texts are kept. Half of the changes are libFuzzer's own, half keep to tokens and
lines (`mutation.py`). `campaign.py` starts these processes; what they find is replayed by `test_corpus.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), *(str(ROOT / folder) for folder in ("dsl", "engine", "plugins"))]

import atheris  # noqa: E402  # the path comes first

with atheris.instrument_imports(include=["striate_dsl", "striate"]):
    from tests.fuzz.invariants import TARGETS
from tests.fuzz.mutation import mutated  # noqa: E402
from tests.fuzz.seeds import seeds  # noqa: E402

LONGEST = 6_000
"""Characters of a text: long enough for whole networks, short enough for many of them."""


def main(arguments: list[str]) -> None:
    """Fuzz one target until an option of libFuzzer ends it, or a fault is found."""
    target = TARGETS[arguments.pop(1)]
    others = seeds()

    def run(data: bytes) -> None:
        target(data.decode("utf-8", errors="replace").replace("\r\n", "\n"))

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        random = Random(seed)
        if random.random() < 0.2:
            return atheris.Mutate(data, most)
        text = mutated(data.decode("utf-8", errors="replace") or random.choice(others), random, others)
        return text[:LONGEST].encode("utf-8", errors="replace")[:most]

    atheris.Setup(arguments, run, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
