"""Parameters in one stretch of memory, which can be sent as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from gradstep.mpi.layouts import Layout, Leaf
from gradstep.optimizers import SGD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradstep.types import Params

P = TypeVar("P", bound="Params")


def flatten(params: P) -> P:
    """Give parameters as views of one stretch of memory, so that ranks exchange them without copying.

    Args:
        params: an array, or a list, tuple or dict of arrays, or groups, as an optimizer takes them.

    Returns:
        The same structure with other arrays of the same values, shapes, dtypes and order of the axes.

    Raises:
        TypeError, ValueError: as of `gradstep.Optimizer`.

    Example:
        >>> import numpy as np
        >>> from gradstep.mpi.flattening import flatten
        >>> params = flatten({"w": np.ones((2, 2)), "b": np.zeros(2)})
        >>> params["w"].base is params["b"].base
        True
    """
    given = groups_of(params)
    probe = SGD(without_options(params, given))
    arrays = [np.asarray(array) for array in probe._arrays]
    layout = Layout.of([Leaf.of(array) for array in arrays], 1)
    views = layout.views(np.zeros(layout.nbytes, np.uint8), arrays)
    for view, array in zip(views, arrays, strict=True):
        view[...] = array
    made: P = with_options(probe._structured(views), given)
    return made


def groups_of(params: Params) -> list[Mapping[str, Any]]:
    """Give the groups that parameters come in, or nothing."""
    if not isinstance(params, list | tuple):
        return []
    found: list[Mapping[str, Any]] = []
    found += [entry for entry in params if isinstance(entry, dict) and "params" in entry]
    return found if len(found) == len(params) else []


def without_options(params: Params, given: list[Mapping[str, Any]]) -> Params:
    """Give the parameters as groups that say nothing else, if they come in groups."""
    return [{"params": group["params"]} for group in given] if given else params


def with_options(structure: Any, given: list[Mapping[str, Any]]) -> Any:
    """Put the options of the groups back."""
    if not given:
        return structure
    return [{**group, "params": part} for group, part in zip(given, structure, strict=True)]
