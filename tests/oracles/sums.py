"""Sums and norms, in the order in which they are taken."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from oracles.types import Array

#: Elements whose squares are summed in one go, and the number of interleaved sums among them.
CHUNK, LANES = 32 * 1024, 32


def in_memory_order(array: Array) -> Array:
    """Its elements as they lie: in the order of the axes by stride."""
    return array.transpose(np.argsort([-stride for stride in array.strides], kind="stable")).reshape(-1)


def total(arrays: Sequence[Array]) -> float:
    """Σx over arrays that lie in memory in this order: float64 sums of chunks, added up in order."""
    total = 0.0
    for array in arrays:
        flat = in_memory_order(array)
        for start in range(0, flat.size, CHUNK):
            chunk = flat[start : start + CHUNK].astype(np.float64)
            rows = np.concatenate([chunk, np.zeros(-chunk.size % LANES)]).reshape(-1, LANES)
            lanes = np.add.accumulate(rows)[-1]
            while lanes.size > 1:
                lanes = lanes[: lanes.size // 2] + lanes[lanes.size // 2 :]
            total += float(lanes[0])
    return total


def global_norm(arrays: Sequence[Array]) -> float:
    """√Σx² over arrays."""
    return math.sqrt(total([np.square(array, dtype=np.float64) for array in arrays]))
