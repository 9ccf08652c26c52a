"""Gradients on their way: checked, converted and added up in memory that can be sent as it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep import _core
from gradstep.mpi.memories import Apart
from gradstep.mpi.orders import are_siblings
from gradstep.optimizers import SGD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gradstep.mpi.layouts import Layout
    from gradstep.mpi.orders import Block
    from gradstep.types import Grads, Params

FOREVER = 1 << 62
"""More gradients than are ever added up."""


class Room:
    """Memory that an optimizer takes for its state, as it takes a directory's files."""

    resumed = False
    seal = Path("gradstep-has-no-seal")

    def __init__(self, pieces: Sequence[NDArray[np.uint8]]) -> None:
        self.pieces = list(pieces)

    def arrays(self, wanted: Sequence[Any]) -> list[NDArray[np.uint8]]:
        """Give the memory of each array: for each parameter there is one, of what was added up."""
        if len(wanted) != len(self.pieces):
            raise ValueError(f"there are {len(self.pieces)} arrays, but {len(wanted)} are wanted")
        return self.pieces


class Intake(SGD):
    """The sum of gradients, one behind the other in memory; an optimizer that never comes to its update.

    Args:
        params: the parameters, without options of groups.
        memory: as many bytes as the layout has, behind ``ahead`` others.
        layout: where each array is.
        arrays: those of the parameters.
        ahead: bytes in front for others.
    """

    def __init__(
        self, params: Params, layout: Layout, arrays: Sequence[NDArray[Any]], ahead: int = 0
    ) -> None:
        memory = np.zeros(ahead + layout.nbytes, np.uint8)
        flat = memory[ahead:]
        pieces = [
            flat[start : start + array.nbytes] for start, array in zip(layout.starts, arrays, strict=False)
        ]
        given: dict[str, Any] = dict.fromkeys(("lr", "momentum", "dampening", "weight_decay"), 0.0)
        given |= {"nesterov": False, "momentum_form": "torch", "accumulate": FOREVER}
        _core.Optimizer.__init__(self, self.rule, params, Room(pieces), **given)
        self._memory, self._flat = memory, flat
        self._views = layout.views(flat, arrays)
        self._whole = self._structured(self._views)
        window = {"count": 1, "scale": 1.0, "loss_sum": 0.0, "losses": 0}
        self._some = self._progress | {"waiting": [True] * len(arrays), "window": window}

    @property
    def memory(self) -> NDArray[np.uint8]:
        """All bytes, with those in front."""
        return self._memory

    @property
    def flat(self) -> NDArray[np.uint8]:
        """The bytes of the sum."""
        return self._flat

    @property
    def views(self) -> list[NDArray[Any]]:
        """The same as arrays."""
        return self._views

    @property
    def whole(self) -> Params:
        """The same in the structure of the parameters."""
        return self._whole

    def fill(self) -> None:
        """Take what is in memory for a gradient."""
        self._resume(self._some)

    def empty(self) -> None:
        """Forget what was added up."""
        _core.Optimizer.step_count.__set__(self, 0)  # type: ignore[attr-defined]


class Intakes:
    """Sums of gradients, as many as it takes to add up one part after the other in the order of the tree.

    Attributes:
        stack: the sums that wait for others, each with its block of parts.
        absent: the arrays of which no part has had a gradient, by their numbers.
        borrowed: the gradients of the only part, where they are, if they were not taken.
        any: one of the sums, which knows the structure.
    """

    def __init__(self, params: Params, layout: Layout, arrays: Sequence[NDArray[Any]], ahead: int) -> None:
        self.params, self.layout, self.arrays, self.ahead = params, layout, arrays, ahead
        self.free: list[Intake] = []
        self.stack: list[tuple[Block, Intake]] = []
        self.lent: Intake | None = None
        self.absent: set[int] | None = None
        self.borrowed: Apart | None = None
        self.any = self.one()
        self.free.append(self.any)

    def one(self) -> Intake:
        """Give an empty one."""
        return self.free.pop() if self.free else Intake(self.params, self.layout, self.arrays, self.ahead)

    def lend(self) -> Params:
        """Give arrays to compute the gradients of the next part into."""
        if self.lent is None:
            self.lent = self.one()
        return self.lent.whole

    def take(self, grads: Grads, part: int) -> None:
        """Add the gradients of the next part, or nothing if they are not as they should be."""
        block, lent = (part, part + 1), self.lent
        if lent is not None and grads is lent.whole:
            absent: set[int] = set()
            lent._verify()
            lent.fill()
            self.lent = None
            self.stack.append((block, lent))
        else:
            top = self.stack[-1] if self.stack else None
            adds = top is not None and are_siblings(top[0], block)
            into = top[1] if top is not None and adds else self.one()
            try:
                given, absent = self.complete(into, grads)
                into.step(given)
            except BaseException:
                if not adds:
                    self.free.append(into)
                raise
            if adds:
                self.stack[-1] = ((part - 1, part + 1), into)
            else:
                self.stack.append((block, into))
        self.absent = absent if self.absent is None else self.absent & absent
        while len(self.stack) > 1 and are_siblings(self.stack[-2][0], self.stack[-1][0]):
            (right_block, right), (left_block, left) = self.stack.pop(), self.stack.pop()
            left.step(right.whole)
            self.stack.append(((left_block[0], right_block[1]), left))
            self.release(right)

    def borrow(self, grads: Grads) -> bool:
        """Leave the gradients of the only part where they are, if they lie as parameters do; tell whether."""
        if self.lent is not None and grads is self.lent.whole:
            return False
        listed = self.any._listed(grads)
        if not all(is_alike(gradient, own) for gradient, own in zip(listed, self.arrays, strict=True)):
            return False
        self.any._verify()
        self.borrowed, self.absent = Apart(self.layout, listed), set()
        return True

    def complete(self, intake: Intake, grads: Grads) -> tuple[Grads, set[int]]:
        """Put zeros where there is no gradient: others may have one. Tell where that is.

        Raises:
            ValueError: one has some rows only.
        """
        listed = intake._listed(grads)
        absent = set()
        for i, gradient in enumerate(listed):
            if gradient is None:
                absent.add(i)
            elif isinstance(gradient, _core.Rows):
                name = intake._parameters[i][0]
                raise ValueError(
                    f"grads[{name!r}] has some rows, but ranks add up whole arrays: give it whole, or "
                    "give its parameter another optimizer, as docs/mpi.md does"
                )
        if not absent:
            return grads, absent
        for i in absent:
            listed[i] = np.zeros_like(self.arrays[i])
        return intake._structured(listed), absent

    def release(self, intake: Intake) -> None:
        """Take one back."""
        intake.empty()
        self.free.append(intake)

    def clear(self) -> None:
        """Forget all gradients."""
        for _, intake in self.stack:
            self.release(intake)
        self.stack, self.absent, self.borrowed = [], None, None


def is_alike(gradient: object, own: NDArray[Any]) -> bool:
    """Tell whether a gradient is an array of the dtype, the shape and the memory order of its parameter."""
    if type(gradient) is not np.ndarray or not gradient.flags.aligned:
        return False
    alike = (gradient.dtype, gradient.shape) == (own.dtype, own.shape)
    return alike and (gradient.strides == own.strides or not own.size)
