"""Gradients of some rows, drawn; and what they are as whole ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from bits import Array
from drawings import OPTIMIZERS

#: Those whose update of a row depends on other rows, or comes without a gradient.
WHOLE = {"LAMB", "LARS", "Prodigy", "DoG", "ScheduleFreeSGD", "ScheduleFreeAdamW"}
BY_ROWS = [name for name in OPTIMIZERS if name not in WHOLE]
#: Those to which a row without a gradient is as one with a gradient of 0.
EXACT: dict[str, dict[str, Any]] = {"SGD": {"maximize": True}, "Adagrad": {"eps": 1e-10}}

SHAPES = [(1, 1), (7,), (40, 3), (5, 2, 3), (9, 40), (30, 64), (4, 1100), (6, 0), (300, 17)]


def summed(indices: Array, values: Array, p: Array) -> tuple[Array, Array]:
    """The rows that are named, each once, and their gradients: added up in order of appearance."""
    rows = indices % max(len(p), 1)
    named = np.unique(rows)
    rounded = values.astype(p.dtype)
    sums = []
    for row in named:
        first, *others = rounded[rows == row]
        total = first.copy()
        for other in others:
            total = total + other
        sums.append(total)
    return named, np.array(sums, p.dtype).reshape(len(named), *p.shape[1:])


def dense(indices: Array, values: Array, p: Array) -> Array:
    g = np.zeros_like(p)
    rows, sums = summed(indices, values, p)
    g[rows] = sums
    return g


def drawn_indices(random: np.random.Generator, rows: int) -> Array:
    """Some rows, in any order; or none, one, all, some of them often."""
    dtype = random.choice(["int64", "int32", "uint8", ">i8", "intp", "uint64"])
    unsigned = dtype.startswith("u")
    drawn: Array
    match random.integers(6):
        case 0:
            drawn = np.zeros(0)
        case 1:
            drawn = random.integers(0, rows, 1)
        case 2:
            drawn = np.arange(rows)
        case 3:
            drawn = random.permutation(rows)[: rows // 2]
        case 4:
            drawn = random.integers(0, rows, 3 * rows)
        case _:
            drawn = random.integers(0 if unsigned else -rows, rows, rows)
    drawn = np.where(drawn > 255, drawn % 256, drawn) if dtype == "uint8" else drawn
    return np.repeat(drawn, 2)[::2].astype(dtype)


def drawn_values(random: np.random.Generator, count: int, row: tuple[int, ...], dtype: str) -> Array:
    """Values in some memory order."""
    values = np.asarray(
        10 ** random.uniform(-4, 3, (count, *row)) * random.choice([-1, 1], (count, *row)), dtype
    )
    match random.integers(4):
        case 0:
            return np.asfortranarray(values)
        case 1:
            return np.ascontiguousarray(values[::-1])[::-1]
        case 2:
            return np.repeat(values, 2, axis=0)[::2]
    return values


def parameter(random: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    """A view of a larger buffer, whose rows lie one after the other; the axes of a row in any order."""
    axes = [0, *(1 + random.permutation(len(shape) - 1))]
    size = int(np.prod(shape))
    buffer = random.normal(size=size + 3).astype(dtype)[2 : 2 + size]
    return buffer.reshape([shape[axis] for axis in axes]).transpose(np.argsort(axes))
