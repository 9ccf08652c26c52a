"""Slots in fewer bits in a state dict: arrays of plain dtypes, and what they are made of again."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep import _core
from gradstep.archives import Stored

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

PARTS = {"bits", "codes", "exponents"}
"""What the name of a slot may end in, after a dot."""


FORMS = {frozenset({""}): "float", frozenset({"bits"}): "bfloat16", frozenset({"codes", "exponents"}): "8bit"}
"""What slots are kept in, by their parts."""
BLOCK = 128
"""Elements that share an exponent."""


def spread(slots: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give the arrays of a parameter; a part of a slot in fewer bits has a name of its own: ``v.codes``."""
    for name, slot in slots.items():
        if isinstance(slot, _core.Packed):
            yield from ((f"{name}.{part}", array) for part, array in slot.parts.items())
        else:
            yield name, slot


def gathered(slots: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Bring the parts of each slot together; one that is an array has the only part ``""``."""
    found: dict[str, dict[str, Any]] = {}
    for name, array in slots.items():
        slot, _, part = name.rpartition(".")
        if slot and part in PARTS:
            found.setdefault(slot, {})[part] = array
        else:
            found.setdefault(name, {})[""] = array
    return found


def decoded(slots: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Give the numbers of each slot."""
    return {name: np.asarray(packed(parts)) for name, parts in gathered(slots).items()}


def form(parts: Mapping[str, Any]) -> str:
    """Tell what a slot with these parts is kept in."""
    return FORMS.get(frozenset(parts), f"the parts {', '.join(map(repr, parts))}")


class Converted:
    """A slot of a state dict that is to be written in another format than it has.

    Args:
        parts: its arrays, or what is stored of them.
        order: of the axes that are longer than 1, from the outermost in the memory that it was made in to the
            innermost.
        shape, dtype: of its parameter.
    """

    def __init__(self, parts: Mapping[str, Any], order: list[int], shape: list[int], dtype: str) -> None:
        self.parts, self.order, self.shape, self.dtype = parts, order, shape, dtype

    def faults(self) -> Iterator[str]:
        """Say what is wrong with its parts."""
        count = math.prod(self.shape)
        axes = [axis for axis, length in enumerate(self.shape) if length != 1]
        wanted = {
            "": (self.shape, [self.dtype]),
            "bits": (self.shape, ["uint16"]),
            "codes": (self.shape, ["int8", "uint8"]),
            "exponents": ([-(-count // BLOCK)], ["uint8"]),
        }
        if form(self.parts) not in FORMS.values():
            yield f"is made of {form(self.parts)}, but one has values, 'bits', or 'codes' and 'exponents'"
        elif "codes" in self.parts and count and sorted(self.order) != axes:
            yield f"has its axes in the order {self.order}, but they are {axes}"
        else:
            for part, array in self.parts.items():
                shape, dtypes = wanted[part]
                if list(array.shape) != shape or array.dtype.name not in dtypes:
                    yield (
                        f"has {part or 'values'} of {array.dtype} of shape {array.shape}, but "
                        f"{' or '.join(dtypes)} of shape {tuple(shape)} is wanted"
                    )

    def read(self) -> NDArray[Any]:
        """Give the numbers."""
        arrays = {
            part: a.read() if isinstance(a, Stored) else np.asarray(a) for part, a in self.parts.items()
        }
        if "" in arrays:
            return arrays[""]
        if "bits" in arrays:
            return np.asarray(_core.Packed("bfloat16", arrays))
        # The blocks are in the order of the memory in which the codes were.
        axes = [*(axis for axis, length in enumerate(self.shape) if length == 1), *self.order]
        axes = axes if len(axes) == len(self.shape) else list(range(len(self.shape)))
        codes = np.ascontiguousarray(arrays["codes"].transpose(axes)).transpose(np.argsort(axes))
        return np.asarray(_core.Packed("8bit", {**arrays, "codes": codes}, signed=codes.dtype == np.int8))


def packed(parts: Mapping[str, Any]) -> Any:
    """Make one of the live arrays of an optimizer's slot again: they take what is assigned."""
    if "" in parts:
        return parts[""]
    if "bits" in parts:
        return _core.Packed("bfloat16", dict(parts))
    return _core.Packed("8bit", dict(parts), signed=parts["codes"].dtype == np.int8)
