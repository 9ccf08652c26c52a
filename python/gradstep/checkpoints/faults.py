"""What is wrong with something that should be a state dict, whatever optimizer it is for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep.archives import Stored
from gradstep.checkpoints.records import FORMAT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PARTS: dict[str, type] = {
    "class": str,
    "rule": str,
    "step_count": int,
    "skipped": int,
    "parameters": dict,
    "groups": list,
    "feedback": list,
    "window": dict,
}
OF_PARAMETER: dict[str, type] = {
    "shape": list,
    "dtype": str,
    "group": int,
    "count": int,
    "frozen": bool,
    "waiting": bool,
    "slots": dict,
}
OF_GROUP: dict[str, type] = {"switches": dict, "hyperparameters": dict, "scalars": dict}
OF_WINDOW: dict[str, type] = {"count": int, "scale": float, "loss_sum": float, "losses": int}

#: What a thing is called in a message.
WORDS = {
    dict: "a dict",
    list: "a list",
    str: "a str",
    int: "an int",
    float: "a float",
    bool: "a bool",
}


def check(saved: object, slots: tuple[Any, str] = (np.ndarray | Stored, "an ndarray")) -> None:
    """Refuse what is no state dict, with all that is wrong in one message.

    Args:
        saved: what is to be one.
        slots: what stands in the place of the arrays, and what it is called.

    Raises:
        TypeError: something in it is of the wrong type.
        ValueError: something is missing or out of range, or it is of another version.
    """
    refuse(faults(saved, slots))


def check_parts(of: object, wanted: Mapping[str, type], label: str) -> None:
    """Refuse what is no dict with values of these types, as `check` does."""
    refuse(parts(of, wanted, label))


def refuse(faults: Iterator[Exception]) -> None:
    """Raise all of them as one, if there are any."""
    found = list(faults)
    if len(found) == 1:
        raise found[0]
    if found:
        kind = TypeError if any(isinstance(fault, TypeError) for fault in found) else ValueError
        raise kind("\n  ".join(["this is no state dict:", *map(str, found)]))


def faults(saved: object, slots: tuple[Any, str]) -> Iterator[Exception]:
    """Find what is wrong; of another version it says only that."""
    form = list(parts(saved, {"format": int}, "the state dict"))
    if form or not isinstance(saved, dict):
        yield from form
        return
    if saved["format"] != FORMAT:
        yield ValueError(
            f"format must be {FORMAT}, got {saved['format']}: made by another version of gradstep"
        )
        return
    yield from parts(saved, PARTS, "the state dict")
    for name, of_one in entries(saved, "parameters", dict):
        yield from of_parameter(name, of_one, slots)
    for i, group in entries(saved, "groups", list):
        yield from of_group(f"groups[{i}]", group)
    for i, state in entries(saved, "feedback", list):
        yield from parts(state, {}, f"feedback[{i}]")
    window = saved.get("window")
    if isinstance(window, dict):
        yield from parts(window, OF_WINDOW, "window")
        scale = window.get("scale")
        if isinstance(scale, float) and not math.isfinite(scale):
            yield ValueError(f"window['scale'] must be finite, got {scale}")


def of_parameter(name: object, of_one: object, slots: tuple[Any, str]) -> Iterator[Exception]:
    """Find what is wrong with a parameter."""
    label = f"parameters[{name!r}]"
    yield from wrong(name, str, f"{label}: its name")
    yield from parts(of_one, OF_PARAMETER, label)
    for i, length in entries(of_one, "shape", list):
        yield from wrong(length, int, f"{label}['shape'][{i}]")
    if isinstance(of_one, dict) and "order" in of_one:
        yield from wrong(of_one["order"], list, f"{label}['order']")
        for i, axis in entries(of_one, "order", list):
            yield from wrong(axis, int, f"{label}['order'][{i}]")
    for slot, array in entries(of_one, "slots", dict):
        yield from wrong(slot, str, f"{label}['slots']: the name {slot!r}")
        if not isinstance(array, slots[0]):
            yield TypeError(f"{label}['slots'][{slot!r}] must be {slots[1]}, got {type_name(array)}")


def of_group(label: str, group: object) -> Iterator[Exception]:
    """Find what is wrong with the options of a group."""
    yield from parts(group, OF_GROUP, label)
    for name, value in entries(group, "switches", dict):
        if type(value) not in (bool, int, float, str, type(None)):
            wanted = "a bool, a number, a str or None"
            yield TypeError(f"{label}['switches'][{name!r}] must be {wanted}, got {type_name(value)}")
    for name, text in entries(group, "hyperparameters", dict):
        if not isinstance(text, str | None):
            yield TypeError(
                f"{label}['hyperparameters'][{name!r}] must be a str or None, got {type_name(text)}"
            )


def entries(of: Any, key: str, kind: Any) -> list[tuple[Any, Any]]:
    """List what is in a part, if it is there and is a dict or a list as it should be."""
    part = of.get(key) if type(of) is dict else None
    if not isinstance(part, kind):
        return []
    return list(part.items() if isinstance(part, dict) else enumerate(part))


def parts(of: object, wanted: Mapping[str, type], label: str) -> Iterator[Exception]:
    """Find what is wrong with a dict that is to have values of these types."""
    if not isinstance(of, dict):
        yield TypeError(f"{label} must be a dict, got {type_name(of)}")
        return
    for key, of_value in wanted.items():
        if key not in of:
            yield ValueError(f"{label} has no {key!r}")
        else:
            yield from wrong(of[key], of_value, f"{label}[{key!r}]")


def wrong(value: Any, wanted: Any, label: str) -> Iterator[Exception]:
    """Say what is wrong with a value that is to be of a type, and in the range of counts."""
    if type(value) is not wanted:
        yield TypeError(f"{label} must be {WORDS[wanted]}, got {type_name(value)}")
    elif wanted is int and not 0 <= int(value) < 2**63:
        yield ValueError(f"{label} must be in [0, 2**63), got {value}")


def type_name(value: object) -> str:
    """Name the type of what was given."""
    return "None" if value is None else type(value).__name__
