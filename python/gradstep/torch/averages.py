"""The averages that an optimizer keeps of its parameters."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from torch.autograd.graph import increment_version

from gradstep.torch.tensors import tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradstep.torch.engine import Engine


class Averaging:
    """An optimizer with averages of its parameters, if its options or its rule say so."""

    _engine: Engine

    @property
    def averaged(self) -> list[list[Any]]:
        """The averages of the parameters, copies, a list for each group: with ``ema``, and of ScheduleFree.

        Raises:
            ValueError: the optimizer keeps no averages.
        """
        averaged: Any = self._engine.native.averaged
        groups = [group.values() if isinstance(group, dict) else group for group in averaged]
        return [[*map(tensor, group)] for group in groups]

    @contextmanager
    def swap_averaged(self) -> Iterator[None]:
        """Put the averages into the parameters for the length of a ``with`` block, to evaluate a model.

        Raises:
            ValueError: the optimizer keeps no averages.
            RuntimeError: they are in the parameters already; or a step is made inside.
        """
        tensors = self._engine.tensors
        try:
            with self._engine.native.swap_averaged():
                increment_version(tensors)
                yield
        finally:
            increment_version(tensors)
