"""Trees of plain values and arrays, as JSON and arrays by name."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep.archives.errors import CheckpointError
from gradstep.archives.later import Later
from gradstep.archives.stored import is_plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gradstep.archives.stored import Stored

    Path = tuple[str | int, ...]
    Tree = Any
    Arrays = dict[str, NDArray[Any] | Later]

MOST_DEEP = 100
"""Dicts and lists within each other."""
ARRAY, FLOAT, DICT = "$array", "$float", "$dict"
"""What stands for an array, for a float that JSON has not, and for a dict that looks like one of these."""


def flattened(tree: Tree, name_of: Callable[[Path], str]) -> tuple[Tree, Arrays]:
    """Take a tree apart into what JSON can hold, and arrays.

    Args:
        tree: dicts with str keys, lists, str, int, float, bool, None and ndarrays. Tuples become lists, and
            NumPy's numbers become Python's.
        name_of: names the array at a path of keys and indices.

    Raises:
        TypeError: there is something else in it.
        ValueError: it is nested too deeply, or two arrays would have one name.

    Example:
        >>> from gradstep.archives.trees import flattened
        >>> flattened({"a": [1.0, float("inf")]}, str)
        ({'a': [1.0, {'$float': 'inf'}]}, {})
    """
    arrays: Arrays = {}

    def flat(value: Any, path: Path) -> Any:
        if len(path) > MOST_DEEP:
            raise ValueError(f"{label(path[:3])} is nested more than {MOST_DEEP} deep")
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str):
                    raise TypeError(f"a key of {label(path)} must be a str, got {type(key).__name__}")
            made = {key: flat(part, (*path, key)) for key, part in value.items()}
            return {DICT: made} if tag(made) else made
        if isinstance(value, list | tuple):
            return [flat(part, (*path, i)) for i, part in enumerate(value)]
        if type(value) in (np.ndarray, np.memmap, Later):
            if not is_plain(value.dtype):
                raise TypeError(f"{label(path)} has dtype {value.dtype}, which no file can say")
            name = name_of(path)
            if name in arrays:
                raise ValueError(f"{label(path)} and another array would both be {name!r}")
            arrays[name] = value
            return {ARRAY: name}
        if isinstance(value, np.bool_ | np.integer | np.floating):
            value = value.item()
        if isinstance(value, float) and not math.isfinite(value):
            return {FLOAT: repr(float(value))}
        if value is None or isinstance(value, str | int | float):
            return value
        raise TypeError(f"{label(path)} must be a JSON value or an ndarray, got {type(value).__name__}")

    return flat(tree, ()), arrays


def rebuilt(tree: Tree, arrays: dict[str, Stored], depth: int = 0) -> Tree:
    """Make a tree again, with the arrays in their places, and take those out of ``arrays``.

    Raises:
        CheckpointError: it is none that `flattened` gives.
    """
    if depth > 2 * MOST_DEEP:
        raise CheckpointError("its header is nested too deeply")
    if isinstance(tree, list):
        return [rebuilt(part, arrays, depth + 1) for part in tree]
    if not isinstance(tree, dict):
        return tree
    kind = tag(tree)
    if not kind:
        return {key: rebuilt(part, arrays, depth + 1) for key, part in tree.items()}
    value = tree[kind]
    if kind == FLOAT and value in ("inf", "-inf", "nan"):
        return float(value)
    if kind == ARRAY and isinstance(value, str) and value in arrays:
        return arrays.pop(value)
    if kind == DICT and isinstance(value, dict) and tag(value):
        return {key: rebuilt(part, arrays, depth + 1) for key, part in value.items()}
    raise CheckpointError(f"its header has {kind} {str(value)[:80]!r}, which is nothing or nowhere")


def tag(made: dict[str, Any]) -> str:
    """Give the only key of a dict if it says that something else is meant, or else nothing."""
    return next(iter(made)) if len(made) == 1 and not made.keys().isdisjoint((ARRAY, FLOAT, DICT)) else ""


def label(path: Path) -> str:
    """Name a place: ``extra['a'][0]``."""
    first, *rest = path or ("tree",)
    return f"{first}{''.join(f'[{part!r}]' for part in rest)}"
