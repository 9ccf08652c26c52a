"""State dicts in torch's form, which its own class of the same name takes."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from gradstep.checkpoints import CheckpointWarning
from gradstep.schedules import Schedule

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The key of what torch has no place for; its classes do not look at it.
OURS = "gradstep"


def packed(state_dict: dict[str, Any], progress: dict[str, Any]) -> dict[str, Any]:
    """Make a dict of torch's of plain dicts and numbers, with how far the run has come."""
    t = progress["step_count"]
    return {
        "state": {key: dict(entries) for key, entries in state_dict["state"].items()},
        "param_groups": [
            {key: settled(value, t) for key, value in group.items()} for group in state_dict["param_groups"]
        ],
        OURS: {
            "step_count": t,
            "skipped": progress["skipped"],
            "counts": list(progress["counts"].values()),
            "scalars": [dict(numbers) for numbers in progress["scalars"]],
            "feedback": [dict(state) for state in progress["feedback"]],
        },
    }


def settled(value: Any, t: int) -> Any:
    """Give what a schedule is at step t; torch's classes know numbers only."""
    if isinstance(value, Schedule):
        return float(value(t))
    if isinstance(value, tuple) and any(isinstance(part, Schedule) for part in value):
        return tuple(settled(part, t) for part in value)
    return value


def unpacked(state_dict: Mapping[str, Any], tensors: list[Any]) -> dict[str, Any]:
    """Give how far a run had come when `packed` was called; nothing of a dict of torch's own."""
    found = state_dict.get(OURS)
    if found is None:
        return {}
    count = sum(len(group["params"]) for group in state_dict["param_groups"])
    if not isinstance(found, dict) or len(found.get("counts", ())) != count:
        raise ValueError(f"state_dict[{OURS!r}] has not got a count for each of the {count} parameters")
    return {
        "step_count": found["step_count"],
        "skipped": found["skipped"],
        "counts": dict(zip(tensors, found["counts"], strict=False)),  # torch says it if they are not so many
        "scalars": tuple(found["scalars"]),
        "feedback": tuple(found["feedback"]),
    }


def merged(group: dict[str, Any], before: dict[str, Any]) -> None:
    """Keep what a group had and a loaded one does not tell: schedules, and options that torch has not got."""
    for key, value in before.items():
        if key not in group or is_scheduled(value):
            group[key] = value


def is_scheduled(value: Any) -> bool:
    """Tell whether a value, or one of a tuple, is a schedule."""
    return any(isinstance(part, Schedule) for part in (value if isinstance(value, tuple) else (value,)))


def warn_of_counts(groups: list[dict[str, Any]], step_count: int, stacklevel: int) -> None:
    """Say where schedules go on if the dict does not count steps, as torch's SGD does not."""
    if any(is_scheduled(value) for group in groups for value in group.values()):
        message = f"torch's dict does not count the steps, and schedules go on at {step_count}"
        warnings.warn(message, CheckpointWarning, stacklevel)
