"""The directory in which an optimizer has its state."""

from __future__ import annotations

import errno
import json
import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep.checkpoints.faults import check
from gradstep.directories import maps
from gradstep.directories.locks import Lock
from gradstep.directories.names import SEAL, SUFFIX, file_name, is_file_name
from gradstep.orders import header, order_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

Wanted = tuple[str, str, "Sequence[int]", "Sequence[int]", str]
"""Parameter, slot, shape, strides in bytes, dtype."""


class StateDirectory:
    """The files that hold an optimizer's state, one for each slot of each parameter, and the seal.

    The seal, ``state.json``, is there while the files hold what one step has left: it is written by `flush`,
    tells what is in which file and all that the optimizer remembers besides, and is removed before the next
    write. So files without a seal may be a mix of two steps.

    Args:
        path: of the directory; made with its parents if it is not there.

    Attributes:
        path: as it was given.
        seal: where the seal is, or will be.
        saved: what the seal says, None where there is none.
        files: the name of the file of each slot, by parameter and slot.
        orders: the axes of each parameter from the outermost to the innermost.

    Raises:
        FileExistsError: the directory has arrays, but no seal.
        BlockingIOError: another optimizer has its state there.
        OSError: it cannot be made or read.
        ValueError: the seal is none.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        folder = Path(os.path.abspath(path))
        self.seal = str(folder / SEAL)
        self.files: dict[tuple[str, str], str] = {}
        self.orders: dict[str, list[int]] = {}
        self.saved: dict[str, Any] | None = None
        self._arrays: list[NDArray[np.uint8]] = []
        self._made: list[Path] = []
        self._lock: Lock | None = None
        try:
            self._make(folder)
            self._lock = Lock(folder)
            self.saved = sealed(Path(self.seal))
            self._folder = folder
            if self.saved is None and any(name.endswith(SUFFIX) for name in os.listdir(folder)):
                message = (
                    "its arrays are of an optimizer that made a step after its last flush(), and may be a "
                    "mix of two steps; remove them, or take another directory"
                )
                raise FileExistsError(errno.EEXIST, message, str(path))
        except BaseException:
            self.abandon()
            raise

    @property
    def resumed(self) -> bool:
        """Whether an earlier run is gone on with."""
        return self.saved is not None

    def arrays(self, wanted: Sequence[Wanted]) -> list[NDArray[np.uint8]]:
        """Make the files, or open them; give the bytes of each."""
        numbers: dict[str, int] = {}
        for parameter, slot, shape, strides, dtype in wanted:
            order = order_of(shape, strides)
            part = slot.rpartition(".")[2] if "." in slot else ""
            if part != "exponents":
                self.orders[parameter] = order
            form = header(shape, order, dtype)
            if self.saved is None:
                name = file_name(numbers.setdefault(parameter, len(numbers)), parameter, slot)
                path = self._folder / name
                if not path.exists():
                    self._made.append(path)
                array = maps.made(path, form)
            else:
                known = self.saved["parameters"].get(parameter, {})
                like = slot in known.get("slots", {}) and (
                    part == "exponents" or known["shape"] == list(shape)
                )
                if not like or (not part and known["dtype"] != dtype):
                    # `resume` will refuse it, with all that does not fit. Zeros take no memory until written.
                    self._arrays.append(np.zeros(maps.size_of(form), np.uint8))
                    continue
                if part != "exponents" and known["order"] != order:
                    raise ValueError(
                        f"params[{parameter!r}] has its axes in the order {order}, from the outermost in "
                        f"memory to the innermost, but its state in {self.path} has {known['order']}"
                    )
                name = known["slots"][slot]
                array = maps.opened(self._folder / name, form)
            self.files[parameter, slot] = name
            self._arrays.append(array)
        return self._arrays

    def flush(self) -> None:
        """Bring all arrays to the disk."""
        for memory in maps.maps_below(self._arrays):
            memory.flush()

    def keep(self) -> None:
        """Say that all that was made is to stay."""
        self._made = []

    def abandon(self) -> None:
        """Remove what was made, and let others have the directory."""
        self._arrays = []
        for path in reversed(self._made):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        if self._lock is not None:
            self._lock.release()

    def _make(self, folder: Path) -> None:
        if not folder.exists():
            self._make(folder.parent)
            folder.mkdir(exist_ok=True)
            self._made.append(folder)


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[StateDirectory]:
    """Open a directory for an optimizer made in a ``with`` block; if that fails, leave nothing behind."""
    directory = StateDirectory(path)
    try:
        yield directory
    except BaseException:
        directory.abandon()
        raise
    directory.keep()


def sealed(path: Path) -> dict[str, Any] | None:
    """Read a seal, if it is there."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        saved: dict[str, Any] = json.loads(text)
        check(saved, (str, "the name of a file"))
        for name, of_one in saved["parameters"].items():
            order = of_one.get("order")
            if not isinstance(order, list) or not all(map(is_file_name, of_one["slots"].values())):
                raise ValueError(f"parameters[{name!r}] has no order, or names no files")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} is not the seal of a state: {error}") from error
    return saved
