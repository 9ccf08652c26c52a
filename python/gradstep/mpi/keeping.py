"""What an optimizer of many ranks keeps in files, and goes on from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradstep.mpi import checkpoints, exchanges
from gradstep.mpi.attributes import Attributes

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from typing import SupportsIndex


class Kept(Attributes):
    """The part of `Sharded` that is about files."""

    def save(self, path: str | os.PathLike[str], /, *, keep: SupportsIndex = 1, **extra: Any) -> None:
        """Save optimizer and parameters to the file that `gradstep.save` writes. Collective.

        Rank 0 writes it, and is sent one array of the state after the other; so it needs memory for the
        largest one. Nothing in the file is about ranks: `load`, on any number of them, and `gradstep.load`
        go on with it.

        Args:
            path: as of `gradstep.save`.
            keep: as of `gradstep.save`.
            extra: as of `gradstep.save`. What rank 0 says counts.

        Raises:
            TypeError, ValueError, OSError: as by `gradstep.save`, on rank 0.
            RankError: that happened there. The old file is then as it was.
        """
        checkpoints.save(self._team, path, keep, extra)

    def load(
        self,
        path: str | os.PathLike[str],
        /,
        *,
        strict: bool = True,
        rename: Mapping[str, str] | None = None,
        hyperparameters: bool = False,
        convert: bool = False,
    ) -> dict[str, Any]:
        """Go on from what `save` wrote on any number of ranks, or `gradstep.save` on none. Collective.

        Every rank reads its own stretches, once all arrays have been verified, each by one of the ranks. For
        the bits of a run that was not interrupted, ``parts`` has to be what it was.

        Args:
            path: where all ranks find the file.
            strict: as of `gradstep.load`.
            rename: as of `gradstep.load`.
            hyperparameters: as of `gradstep.load`.
            convert: as of `gradstep.load`.

        Returns:
            What was saved as ``extra``.

        Raises:
            CheckpointError, OSError: as by `gradstep.load`; on a rank that found it out.
            RankError: on the others. Unless the message says otherwise, nothing was changed.
        """
        self._team.changed()
        return checkpoints.load(
            self._team,
            path,
            strict=strict,
            rename=rename,
            hyperparameters=hyperparameters,
            convert=convert,
        )

    @property
    def state_dir(self) -> str | None:
        """The directory whose files hold the state of this rank; None where memory holds it."""
        return self._team.inner.state_dir

    def flush(self) -> None:
        """Bring the state in ``state_dir`` to the disk, on all ranks; see `gradstep.Optimizer`. Collective.

        Until the next step, as many ranks go on with it, bit for bit, by optimizers made as this one was.

        Raises:
            OSError: the system could not write.
            RankError: that happened on another rank.
        """
        self._team.changed()
        exchanges.attempted(self._comm, self._team.inner.flush)
