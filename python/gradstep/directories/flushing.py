"""State and parameters that are brought to the disk."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradstep.checkpoints.records import record
from gradstep.directories.maps import maps_below
from gradstep.files import replacing

if TYPE_CHECKING:
    from gradstep import _core
    from gradstep.directories.directory import StateDirectory


def flush(optimizer: _core.Optimizer, rule: str) -> None:
    """Bring the files of an optimizer to the disk; see `Optimizer.flush`."""
    arrays, directory = optimizer._seal(), optimizer._directory
    said = b"" if directory is None else contents(optimizer, rule, directory)
    for memory in maps_below(arrays):
        memory.flush()
    if directory is None:
        return
    directory.flush()
    with replacing(directory.seal) as file:
        file.write(said)
        file.write(b"\n")
    if not optimizer._sealed:
        with suppress(FileNotFoundError):
            Path(directory.seal).unlink()
        raise RuntimeError("this optimizer has made a step in another thread while it was flushed")


def contents(optimizer: _core.Optimizer, rule: str, directory: StateDirectory) -> bytes:
    """Write down what is in which file, and all that is in none."""
    saved: dict[str, Any] = record(optimizer, rule, live=True)
    for name, of_one in saved["parameters"].items():
        of_one["slots"] = {slot: directory.files[name, slot] for slot in of_one["slots"]}
        of_one["order"] = directory.orders.get(name, [])
    return json.dumps(saved, indent=1).encode()
