"""Numbers for pages and pictures, all of them from docs/benchmarks.md, which `gradstep bench` writes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parent.parent
FILE = DOCS / "benchmarks.md"
RIVALS = ("NumPy, textbook", "NumPy, in place", "torch, fused")


@dataclass(frozen=True)
class Workload:
    """The times of a workload: of gradstep in µs, of the others as multiples of that, by rule."""

    title: str
    size: str
    times: dict[str, dict[str, float]]

    def of(self, who: str, rule: str) -> float:
        """Give gradstep's time in µs, or how many times that somebody else takes."""
        return self.times[who][rule]

    def best_numba(self, rule: str) -> float:
        """Give the least of all that numba was asked for."""
        return min(row[rule] for who, row in self.times.items() if who.startswith("numba") and rule in row)


def workloads() -> list[Workload]:
    """Read the tables of steps.

    Raises:
        ValueError: there are none.
    """
    found = []
    text = FILE.read_text(encoding="utf-8")
    for title, body in re.findall(r"^## ([^\n]*)\n\n(.*?)(?=^## |\Z)", text, flags=re.M | re.S):
        name, _, size = title.partition(": ")
        rows = [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in body.splitlines()
            if line.startswith("|")
        ]
        if rows and any(row[0] == "gradstep, µs" for row in rows):
            times = {
                row[0].removesuffix(", µs"): {
                    rule: float(cell.removesuffix("×").replace(",", ""))
                    for rule, cell in zip(rows[0][1:], row[1:], strict=True)
                    if cell != "–"
                }
                for row in rows[2:]
            }
            if "Adam" in rows[0]:
                found.append(Workload(name, size, times))
    if not found:
        raise ValueError(f"{FILE} has no table of steps")
    return found


def shown(time: float) -> str:
    """Write a time with two or three digits.

    Example:
        >>> shown(5.02), shown(73.8), shown(12310.0)
        ('5.0 µs', '74 µs', '12.3 ms')
    """
    if time >= 1000:
        return f"{time / 1000:.3g} ms"
    return f"{time:.{2 if time < 1 else 1 if time < 10 else 0}f} µs"


def machine() -> str:
    """Give the machine that it was measured on."""
    found = re.search(r"^> (.*?)\s*$", FILE.read_text(encoding="utf-8"), flags=re.M)
    return found[1] if found else ""
