"""What the files of a state are called."""

from __future__ import annotations

import re

UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
"""What some file system does not take, or takes for something else."""
LONGEST = 100
"""Characters of a parameter's name; 255 bytes is the least that file systems take."""
SEAL = "state.json"
SUFFIX = ".npy"


def file_name(number: int, parameter: str, slot: str) -> str:
    """Name the file of a slot, by the number and the name of its parameter.

    The number tells parameters apart whose names are alike without capitals, or once they are cut and what is
    no letter, digit, dot, dash or underscore has become an underscore.

    Example:
        >>> from gradstep.directories.names import file_name
        >>> file_name(0, "fc1.w", "exp_avg"), file_name(1, "../a b", "exp_avg")
        ('0-fc1.w-exp_avg.npy', '1-.._a_b-exp_avg.npy')
    """
    return f"{number}-{UNSAFE.sub('_', parameter)[:LONGEST]}-{slot}{SUFFIX}"


def is_file_name(name: object) -> bool:
    """Tell whether something may be what `file_name` gave: the name of a file here, not of one elsewhere."""
    return isinstance(name, str) and name.endswith(SUFFIX) and not UNSAFE.search(name)
