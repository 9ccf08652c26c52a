"""One target of `make fuzz`: `python fuzz.py expressions 60 build/fuzz/expressions`.

The folder is libFuzzer's corpus: seeds are written into it, and what it finds stays there for the next time.
A file in its place is tried alone. More arguments are libFuzzer's options.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from hashlib import sha1
from importlib import import_module
from pathlib import Path

import atheris


def main() -> None:
    """Try inputs for so many seconds, or until one does what none may do."""
    name, seconds, place, *options = sys.argv[1:]
    with atheris.instrument_imports(include=["gradstep"]):
        target = import_module(f"fuzz_{name}")
    outcomes: Counter[str] = Counter()
    end = time.monotonic() + float(seconds)

    def count(data: bytes) -> None:
        outcomes[target.check(data)] += 1
        if time.monotonic() > end:
            counts = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(outcomes.items()))
            print(f"{name}: {outcomes.total():,} inputs: {counts}", flush=True)
            os._exit(0)

    if not Path(place).is_file():
        Path(place).mkdir(parents=True, exist_ok=True)
        for seed in target.seeds():
            Path(place, sha1(seed, usedforsecurity=False).hexdigest()).write_bytes(seed)

    def mutate(data: bytes, longest: int, seed: int) -> bytes:
        if seed % 2 or not hasattr(target, "mutate"):
            mutated: bytes = atheris.Mutate(data, longest)
            return mutated
        return target.mutate(data, longest, seed)  # type: ignore[no-any-return]

    atheris.Setup([sys.argv[0], place, *options], count, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
