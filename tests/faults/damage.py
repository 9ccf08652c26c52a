"""Files with a bit that is another one, or without their end."""

from __future__ import annotations

import io
import random
from pathlib import Path

import gradstep as gs
from faults.runs import loaded, save


def damage(folder: Path, times: int, suffix: str = ".npz") -> dict[str, int]:
    """Flip a bit so many times, and cut the file as often. Give counts of what came of it."""
    path = folder / f"run{suffix}"
    save(path, 5)
    good = path.read_bytes()
    counts = {"flips": 0, "truncations": 0, "refused": 0, "loaded whole": 0}
    for _ in range(times):
        bit = random.randrange(8 * len(good))
        flipped = bytearray(good)
        flipped[bit // 8] ^= 1 << bit % 8
        counts["flips"] += 1
        counts[outcome(bytes(flipped))] += 1
        counts["truncations"] += 1
        assert outcome(good[: random.randrange(len(good))]) == "refused"
        counts["refused"] += 1
    return counts


def outcome(content: bytes) -> str:
    """Load a file: refused with nothing changed, or the whole run; everything else is an error."""
    try:
        assert loaded(io.BytesIO(content)) == 5
    except gs.CheckpointError:
        return "refused"
    return "loaded whole"
