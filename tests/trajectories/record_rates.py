"""Writes rates.json: what the schedulers of four libraries give. Run by hand, where all are installed.

PYTHONPATH=python:tests/parity python tests/trajectories/record_rates.py
"""

from __future__ import annotations

import importlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rates import STEPS, Case

MODULES = {
    "keras": "against_keras_schedules",
    "optax": "against_optax_schedules",
    "torch": "against_torch_schedulers",
    "transformers": "against_transformers",
}
#: The first and the last steps, those about the boundaries that the cases have, and some others.
ALWAYS = {0, 1, 2, 10, 37, 123, 250, 333, 444, 567, 789, 950, STEPS - 2, STEPS - 1}


def integers(value: Any) -> set[int]:
    """Find all counts of steps among arguments."""
    if isinstance(value, dict):
        return integers([*value, *value.values()])
    if isinstance(value, list):
        return set().union(*map(integers, value))
    return {value} if isinstance(value, int) and not isinstance(value, bool) else set()


def steps(case: Case) -> list[int]:
    """Choose the steps to keep of a case."""
    counts = integers(case.arguments)
    warmup = case.arguments.get("num_warmup_steps", 0)
    around = {t + i for count in counts for t in (count, count + warmup) for i in (-1, 0, 1)}
    return sorted(t for t in ALWAYS | around if 0 <= t < STEPS)


def main() -> None:
    """Record all."""
    lines = []
    for library, name in MODULES.items():
        module = importlib.import_module(name)
        for case in module.CASES:
            values, kept = list(module.follow(case)), steps(case)
            of_case = {"library": library, "name": case.name, "arguments": repr(case.arguments)}
            lines.append(json.dumps(of_case | {"steps": kept, "rates": [values[t] for t in kept]}))
    versions = json.dumps({library: version(library) for library in MODULES})
    path = Path(__file__).with_name("rates.json")
    text = f'{{"written_by": {versions}, "cases": [\n' + ",\n".join(lines) + "\n]}\n"
    path.write_text(text, encoding="utf-8")
    print(f"{path}: {len(lines)} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
