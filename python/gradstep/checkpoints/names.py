"""What the arrays of a checkpoint are called in a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradstep.archives.trees import Path

ESCAPED = re.compile(r"[%/\\\x00-\x1f\x7f\ud800-\udfff]|^\.+$|\.(?=npy$)")
"""What no name may have as it is: others would take it for a folder, or for the name's end."""
LONGEST = 300
"""Characters of a name; of a longer one there is the beginning, and a number."""


class Names:
    """Names for the arrays at the paths of a checkpoint's tree.

    ``params/fc1.w``, ``state/fc1.w/exp_avg``, ``extra/best/0``; of several optimizers,
    ``actor/params/fc1.w``. Each part is escaped as in URLs where it has a ``%``, a slash, a backslash or
    what is not printed, is all dots, or ends in ``.npy``.

    Example:
        >>> from gradstep.checkpoints.names import Names
        >>> names = Names()
        >>> names.name(("optimizers", "", "parameters", "fc1.w", "slots", "exp_avg"))
        'state/fc1.w/exp_avg'
        >>> names.name(("optimizers", "actor", "parameters", "dense/kernel", "array"))
        'actor/params/dense%2Fkernel'
    """

    def __init__(self) -> None:
        self.shortened = 0

    def name(self, path: Path) -> str:
        """Name the array at a path."""
        parts: Path
        match path:
            case ("optimizers", str(key), "parameters", parameter, "array"):
                parts = (key, "params", parameter)
            case ("optimizers", str(key), "parameters", parameter, "slots", slot):
                parts = (key, "state", parameter, slot)
            case _:
                parts = ("", *path)
        name = "/".join(map(escaped, parts)).removeprefix("/")
        if len(name) > LONGEST:
            self.shortened += 1
            return f"{name[:LONGEST]}%~{self.shortened}"
        return name


def escaped(part: str | int) -> str:
    """Write one part of a name."""
    return ESCAPED.sub(lambda match: "".join(map(code, match[0])), str(part))


def code(character: str) -> str:
    """Escape a character as in URLs."""
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
