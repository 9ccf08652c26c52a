"""Saving and loading ResNet-50's Adam state with its parameters beside `numpy.savez` and `numpy.load`.

    python benches/checkpoints.py [ROUNDS] [FOLDER]

Both sides take turns, and each has the same arrays. A save ends when the file is on the disk (fsync);
loading begins with a file that the system has in its memory. The ratios are of NumPy's time to ours, the
median over rounds of two neighbours each: above 1, gradstep is faster. It exits with 1 if one is below 0.8.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import gradstep as gs
from gradstep.bench.workloads import WORKLOADS
from gradstep.tables import as_text

TARGET = 0.8


def main(rounds: int, folder: str | None) -> int:
    """Measure, and print the table."""
    workload = WORKLOADS["resnet50"]
    params: Any = workload.draw(0)
    opt = gs.Adam(params)
    opt.step(workload.draw(1))
    arrays = {f"params/{i}": p for i, p in enumerate(params)}
    arrays |= {f"state/{name}/{slot}": a for name, slots in opt.state.items() for slot, a in slots.items()}
    rows, missed = [], False
    with tempfile.TemporaryDirectory(dir=folder) as place:
        for form in (".npz", ".safetensors"):
            own, theirs = Path(place, f"own{form}"), Path(place, "theirs.npz")
            races: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
                f"save, {form}": (partial(gs.save, own, opt), partial(savez, theirs, arrays)),
                f"load, {form}": (partial(gs.load, own, opt), partial(load, theirs)),
            }
            for name, (ours, numpys) in races.items():
                times = [(seconds(ours), seconds(numpys)) for _ in range(rounds + 1)][1:]
                a, b = (statistics.median(column) for column in zip(*times, strict=True))
                ratio = statistics.median(numpy / mine for mine, numpy in times)
                missed = missed or ratio < TARGET
                rows.append((name, f"{a * 1e3:.0f}", f"{b * 1e3:.0f}", f"{ratio:.2f}"))
            own.unlink()
    size = sum(array.nbytes for array in arrays.values()) / 1e6
    print(f"{workload.label}, Adam: {len(arrays)} arrays, {size:.0f} MB; medians of {rounds} rounds")
    print(as_text(("", "gradstep, ms", "NumPy, ms", "ratio"), rows))
    print(f"target: at least {TARGET}{' MISSED' if missed else ', reached'}")
    return int(missed)


def seconds(action: Callable[[], object]) -> float:
    """Time one call."""
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def savez(path: Path, arrays: dict[str, Any]) -> None:
    """Save as NumPy does, and wait for the disk."""
    with path.open("wb") as file:
        np.savez(file, **arrays)
        file.flush()
        os.fsync(file.fileno())


def load(path: Path) -> dict[str, Any]:
    """Load as NumPy does."""
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7, sys.argv[2] if len(sys.argv) > 2 else None))
