"""A process that saves without end is killed at random moments."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from faults.runs import loaded
from processes import HERE

ROWS = 20_000
SAVES = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
from faults.runs import save
number = int(sys.argv[2])
while True:
    number += 1
    save(sys.argv[1], number, rows={ROWS}, keep=2)
    print(number, flush=True)
"""


def kill(folder: Path, times: int, suffix: str = ".npz") -> dict[str, int]:
    """Kill so many processes, and look at what each has left. Give counts of what was found."""
    path, number = folder / f"run{suffix}", 0
    counts = {"kills": 0, "old": 0, "new": 0, "left behind": 0}
    for _ in range(times):
        command = [sys.executable, "-c", SAVES, str(path), str(number)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            first = process.stdout.readline()
            time.sleep(random.uniform(0, 0.05))
            process.kill()
            told = int((first + process.stdout.read()).split()[-1])
        number = loaded(path, ROWS)
        # What was told to be saved is there, or what came after.
        assert number in (told, told + 1)
        counts["kills"] += 1
        counts["new" if number > told else "old"] += 1
        before = path.with_name(f"run.1{suffix}")
        if before.exists():
            assert loaded(before, ROWS) in (number, number - 1)
        for left in folder.glob(".gradstep-*.tmp"):
            counts["left behind"] += 1
            left.unlink()
    return counts
