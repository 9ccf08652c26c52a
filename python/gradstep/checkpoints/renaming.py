"""Names of parameters that have changed since a state dict was made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def renamed(parameters: Mapping[str, Any], patterns: Mapping[str, str]) -> dict[str, Any]:
    """Give parameters their new names: those of the first pattern that matches, or else their old ones.

    Args:
        parameters: anything by the old names.
        patterns: ``{old: new}``; what a ``*`` of the old one stands for takes the place of the new one's.

    Raises:
        ValueError: a pattern matches nothing or has another number of ``*`` than the new one, or two
            parameters would have the same name.

    Example:
        >>> from gradstep.checkpoints.renaming import renamed
        >>> renamed({"fc1.w": 1, "fc1.b": 2, "out": 3}, {"fc1.*": "layers.0.*"})
        {'layers.0.w': 1, 'layers.0.b': 2, 'out': 3}
    """
    rules = [(old, compiled(old, new), new.split("*")) for old, new in patterns.items()]
    used, result = set(), {}
    for name, value in parameters.items():
        target = name
        for old, pattern, (first, *others) in rules:
            if match := pattern.fullmatch(name):
                used.add(old)
                pairs = zip(match.groups(), others, strict=True)
                target = first + "".join(star + other for star, other in pairs)
                break
        if target in result:
            raise ValueError(f"rename has two parameters for the name {target!r}, {name!r} is one of them")
        result[target] = value
    if unused := [old for old in patterns if old not in used]:
        raise ValueError(f"rename[{unused[0]!r}] matches no parameter; there are {', '.join(parameters)}")
    return result


def compiled(old: str, new: str) -> re.Pattern[str]:
    """Make a pattern with a group for each star."""
    if old.count("*") != new.count("*"):
        raise ValueError(f"rename[{old!r}] must have as many * as {old!r}, got {new!r}")
    return re.compile("(.*)".join(map(re.escape, old.split("*"))), re.DOTALL)
