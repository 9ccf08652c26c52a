"""Rates of a thousand steps: a scheduler of a library beside what `gs.schedules.like` makes of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import gradstep as gs

STEPS = 1000
#: The largest difference over the rate, or over the largest rate times CANCELLED where the rate is less.
TOLERANCES = {"float64": 1e-12, "float32": 2e-6}
#: 1 + cos πx is what is left of two ones: so much of the largest rate is rounding.
CANCELLED = {"float64": 1e-3, "float32": 1.0}


PAGE = Path(__file__).parent.parent.parent / "docs" / "schedulers.md"


class Case(NamedTuple):
    """A scheduler with its arguments, in the library's words."""

    name: str
    arguments: dict[str, Any]

    def __str__(self) -> str:
        arguments = ", ".join(f"{name}={value}" for name, value in self.arguments.items())
        return f"{self.name}({arguments})"


def cases(name: str, *arguments: dict[str, Any], **common: Any) -> list[Case]:
    """Make a case of each of the arguments of a scheduler."""
    return [Case(name, common | given) for given in arguments]


def compare(
    library: str,
    name: str,
    ours: gs.schedules.Schedule,
    theirs: Iterable[float],
    record: Callable[[str, object], None],
    dtype: str = "float64",
) -> None:
    """Compare each step, and record the largest difference for the table."""
    want = np.fromiter(theirs, float)
    got = ours(np.arange(len(want)))
    scale = np.maximum(np.abs(want), CANCELLED[dtype] * np.max(np.abs(want)))
    error = np.abs(got - want) / scale
    t = int(np.argmax(error))
    assert error[t] <= TOLERANCES[dtype], f"step {t} of {ours}: ours {got[t]!r}, theirs {want[t]!r}"
    of_case = {"library": library, "rule": name, "dtype": dtype, "error": float(error[t])}
    for key, value in of_case.items():
        record(key, value)


def adapter(library: str) -> dict[str, Any]:
    """Run what the page shows of our schedules in a library, and give its names."""
    snippets = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    (code,) = [snippet for snippet in snippets if f"import {library}\n" in snippet]
    names: dict[str, Any] = {}
    exec(compile(code, f"schedulers.md, {library}", "exec"), names)
    return names
