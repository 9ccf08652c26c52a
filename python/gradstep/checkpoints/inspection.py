"""What is in a file, without an optimizer: read, verified, compared with another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep import archives
from gradstep.archives import CheckpointError, Stored
from gradstep.archives.trees import label
from gradstep.checkpoints.faults import check, check_parts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

LARGEST = 64 << 20
"""Bytes of the largest header that is read; that of an optimizer with 100,000 parameters has fewer."""


@dataclass(frozen=True)
class Inspection:
    """A file that is whole.

    Attributes:
        kind: ``".npz"`` or ``".safetensors"``.
        writer: the program that wrote it.
        optimizers: their state dicts by name, with what is stored in the places of arrays.
        extra: likewise.
        arrays: all arrays by their names in the file.
    """

    kind: str
    writer: str
    optimizers: dict[str, dict[str, Any]]
    extra: dict[str, Any]
    arrays: dict[str, Stored]

    @property
    def nbytes(self) -> int:
        """The number of bytes of all arrays."""
        return sum(stored.form.nbytes for stored in self.arrays.values())


def inspect(file: BinaryIO) -> Inspection:
    """Read a file, and verify all of it.

    Raises:
        CheckpointError: it is no checkpoint, or damaged.
    """
    content = archives.read(file, LARGEST)
    tree = content.tree()
    try:
        check_parts(tree, {"optimizers": dict, "extra": dict}, "its tree")
        for state_dict in tree["optimizers"].values():
            check(state_dict)
    except (TypeError, ValueError) as error:
        raise CheckpointError(str(error)) from None
    for stored in content.arrays.values():
        stored.verify()
    writer = str(content.header.get("writer"))
    return Inspection(content.kind, writer, tree["optimizers"], tree["extra"], dict(content.arrays))


def differences(one: Inspection, other: Inspection) -> Iterator[tuple[str, str, str]]:
    """Give each place where two files differ, and what is there in the one and in the other."""
    mine, theirs = (dict(leaves({"optimizers": x.optimizers, "extra": x.extra}, ())) for x in (one, other))
    for path in dict.fromkeys([*mine, *theirs]):
        a, b = mine.get(path), theirs.get(path)
        if isinstance(a, Stored) and isinstance(b, Stored):
            if a.form._replace(order="C") != b.form._replace(order="C") and (told := unlike(a, b)):
                yield (a.name, *told)
        elif path not in mine or path not in theirs or repr(a) != repr(b):
            yield label(path), shown(a, path in mine), shown(b, path in theirs)


def leaves(tree: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Give all values that have no others in them, with the ways to them."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, part in items:
        yield from leaves(part, (*path, key))
    if not isinstance(tree, dict | list) or not tree:
        yield path, tree


def unlike(a: Stored, b: Stored) -> tuple[str, str] | None:
    """Tell how two arrays differ, if they do."""
    forms = [f"{stored.dtype} of shape {stored.shape}" for stored in (a, b)]
    if forms[0] != forms[1]:
        return forms[0], forms[1]
    mine, theirs = a.read(), b.read()
    if mine.tobytes() == theirs.tobytes():  # in another order of the axes
        return None
    count = np.count_nonzero(mine != theirs)
    if mine.dtype.kind not in "fc":
        return forms[0], f"{count:,} elements differ"
    with np.errstate(all="ignore"):
        largest = np.max(np.abs(mine - theirs), initial=0.0)
    return forms[0], f"{count:,} of {mine.size:,} elements differ, by {largest:.3g} at the most"


def shown(value: Any, there: bool) -> str:
    """Write a value, or that there is none."""
    if not there:
        return "-"
    return f"{value.dtype} of shape {value.shape}" if isinstance(value, Stored) else repr(value)
