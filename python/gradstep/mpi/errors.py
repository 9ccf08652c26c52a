"""The error for what went wrong on another rank."""

from __future__ import annotations

from collections.abc import Mapping


class RankError(RuntimeError):
    """What another rank could not do, or what ranks differ in. Nothing was changed, on any rank.

    Attributes:
        ranks: ``{rank: message}``.

    Example:
        >>> from gradstep.mpi.errors import RankError
        >>> print(RankError({2: "ValueError: grads has no 'w'"}))
        rank 2: ValueError: grads has no 'w'
    """

    def __init__(self, ranks: Mapping[int, str], message: str = "") -> None:
        self.ranks = dict(ranks)
        told = "; ".join(f"rank {rank}: {text}" for rank, text in self.ranks.items())
        super().__init__(message or told)
