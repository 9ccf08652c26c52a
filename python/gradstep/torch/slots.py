"""The state of a parameter as tensors: of what its arrays hold, and copied into them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gradstep import _core
from gradstep.torch.tensors import tensor

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping


def tensors(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Give the state of a parameter as tensors of the same memory.

    What is kept in bfloat16 is a tensor of that dtype; what is kept in 8 bits are two, of codes and of the
    exponents of their blocks, by the names that checkpoints have for them.
    """
    given: dict[str, Any] = {}
    for slot, values in slots.items():
        if not isinstance(values, _core.Packed):
            given[slot] = tensor(values)
        elif values.format == "bfloat16":
            given[slot] = tensor(values.parts["bits"].view("int16")).view(torch.bfloat16)
        else:
            given |= {f"{slot}.{part}": tensor(array) for part, array in values.parts.items()}
    return given


def decoded(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Give the same as tensors of the parameter's dtype, copies where fewer bits are kept."""
    return {
        slot: tensor(np.asarray(values) if isinstance(values, _core.Packed) else values)
        for slot, values in slots.items()
    }


def moved(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Give tensors of their own."""
    return {
        name: value.clone() if isinstance(value, torch.Tensor) else value for name, value in entries.items()
    }


def fill(label: str, entry: Mapping[str, Any], slots: Mapping[str, Any], numbers: Container[str]) -> bool:
    """Copy tensors into the arrays of a parameter's state. Tell whether there were any.

    Args:
        label: what errors call the state.
        entry: tensors by name, and the ``numbers``, which are not looked at.
        slots: the arrays.
        numbers: names of what is no tensor of the parameter's size.

    Raises:
        TypeError, ValueError: a tensor does not belong there.
    """
    own, found = tensors(slots), set()
    for slot, value in entry.items():
        if slot in numbers or value is None:
            continue
        if slot not in own and slot not in slots:
            hint = "; state_dict(decoded=True) has none of 8 bits" if "." in slot else ""
            raise ValueError(f"{label} has {slot!r}, but with these options there is {listed(own)}{hint}")
        if not isinstance(value, torch.Tensor):
            raise TypeError(f"{label}[{slot!r}] must be a tensor, got {type(value).__name__}")
        wanted = tuple((own[slot] if slot in own else slots[slot]).shape)
        if tuple(value.shape) != wanted:
            what = "the parameter has shape" if slot in slots else "there are blocks for"
            raise ValueError(f"{label}[{slot!r}] has shape {tuple(value.shape)}, but {what} {wanted}")
        if slot in own:
            own[slot].copy_(value.detach())
        else:
            slots[slot][...] = value.detach().float().contiguous().numpy()
        found.add(slot)
    for slot in slots:
        parts = {key for key in own if key.startswith(f"{slot}.")}
        if 0 < len(parts & found) < len(parts):
            raise ValueError(f"{label} has {listed(parts & found)}, but not {listed(parts - found)}")
    return bool(found)


def listed(names: Iterable[str]) -> str:
    """Name what there is."""
    return ", ".join(map(repr, sorted(names))) or "none"
