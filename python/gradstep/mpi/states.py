"""State of stretches of arrays: what is seen of it, and the arrays that it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradstep import _core
from gradstep.checkpoints import narrow
from gradstep.mpi.layouts import in_order
from gradstep.optimizers.states import Slots, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

EXPONENTS = ".exponents"
"""How the part of a slot ends that has an element for each block of the others."""


def seen(state: Mapping[str, Mapping[str, Any]]) -> State:
    """Give views of the state of an optimizer, with one axis, in the order of memory."""
    return State(
        {
            name: Slots(name, {slot: one_axis(array) for slot, array in slots.items()})
            for name, slots in state.items()
        }
    )


def one_axis(slot: Any) -> Any:
    """View a slot in the order of memory."""
    if not isinstance(slot, _core.Packed):
        return in_order(slot)
    parts = {part: in_order(array) for part, array in slot.parts.items()}
    return _core.Packed(slot.format, parts, signed=slot.signed)


def parts(slots: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Give the arrays of one parameter, as they are named in a file."""
    return dict(narrow.spread(slots))


def shape(part: str, array: NDArray[Any]) -> tuple[int, ...]:
    """Tell the shape that a part has whose parameter is whole.

    Example:
        >>> import numpy as np
        >>> from gradstep.mpi.states import shape
        >>> shape("v.codes", np.empty((50, 100))), shape("v.exponents", np.empty((50, 100)))
        ((50, 100), (40,))
    """
    return (blocks(array.size),) if part.endswith(EXPONENTS) else array.shape


def elements(part: str, stretch: slice) -> slice:
    """Tell which elements of a part go with some of its parameter, in the order of memory.

    Example:
        >>> from gradstep.mpi.states import elements
        >>> elements("v.bits", slice(256, 400)), elements("v.exponents", slice(256, 400))
        (slice(256, 400, None), slice(2, 4, None))
    """
    if not part.endswith(EXPONENTS):
        return stretch
    return slice(blocks(stretch.start), blocks(stretch.stop))


def blocks(count: int) -> int:
    """Count the blocks of so many elements."""
    return -(-count // narrow.BLOCK)
