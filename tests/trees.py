"""Structures of parameters for tests that are about more than one, and what can be done to each leaf."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from bits import Array


class Layer(NamedTuple):
    """A named tuple, as other libraries return it."""

    w: Array
    b: Array


def leaves(tree: Any) -> list[Any]:
    """The arrays of a structure, in order of appearance."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    return [leaf for item in tree for leaf in leaves(item)] if isinstance(tree, list | tuple) else [tree]


def mapped(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """A structure like the first one with function(leaf, its counterparts)."""
    if isinstance(tree, dict):
        return {
            key: mapped(function, value, *(other[key] for other in others)) for key, value in tree.items()
        }
    if isinstance(tree, list | tuple):
        items = [mapped(function, *of_one) for of_one in zip(tree, *others, strict=True)]
        if isinstance(tree, Layer):
            return Layer(*items)
        return tuple(items) if isinstance(tree, tuple) else items
    return function(tree, *others)


def copied(tree: Any) -> Any:
    """The same structure with copies, in the same memory order."""
    return mapped(lambda leaf: leaf.copy(order="K"), tree)


def normal(seed: int, *shape: int, dtype: Any = np.float64, order: Any = "C") -> Array:
    """An array drawn from the normal distribution; of complex numbers, both parts are."""
    random = np.random.default_rng(seed)
    values = random.normal(size=shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * random.normal(size=shape)
    return np.asarray(values, dtype, order=order)


def like(tree: Any, seed: int) -> Any:
    """Random gradients for a structure of parameters."""
    seeds = iter(range(seed * 1000, seed * 1000 + 1000))
    return mapped(lambda leaf: normal(next(seeds), *leaf.shape, dtype=leaf.dtype), tree)


#: Structures, each a function that makes it anew.
STRUCTURES: dict[str, Callable[[], Any]] = {
    "lone": lambda: normal(1, 3, 4),
    "no axes": lambda: normal(1),
    "list": lambda: [normal(1, 3, 4), normal(2, 5)],
    "tuple": lambda: (normal(1, 2), normal(2)),
    "dict": lambda: {"w": normal(1, 7, 3), "b": normal(2, 3)},
    "nested": lambda: {
        "layers": [Layer(normal(1, 4, 2), normal(2, 2)), ({"w": normal(3, 600)},)],
        "b": normal(4),
    },
    "float32": lambda: {"w": normal(1, 40, 33, dtype=np.float32), "b": normal(2, 33, dtype=np.float32)},
    "mixed": lambda: [normal(1, 9, dtype=np.float32), normal(2, 9)],
    "orders": lambda: {
        "f": normal(1, 5, 6, order="F"),
        "c": normal(2, 5, 6),
        "axes": normal(3, 2, 3, 4).transpose(1, 0, 2),
    },
    "views": lambda: {"a": normal(1, 100)[3:40], "b": normal(2, 6, 5)[2:]},
    "empty": lambda: [normal(1, 0), normal(2, 3)],
    "complex": lambda: {"z": normal(1, 4, 3, dtype=np.complex128), "w": normal(2, 3)},
}
