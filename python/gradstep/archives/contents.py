"""What a file holds: a tree, and arrays that are still in the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradstep.archives.errors import CheckpointError
from gradstep.archives.trees import rebuilt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradstep.archives.stored import Stored


@dataclass(frozen=True)
class Content:
    """What a file holds.

    Attributes:
        kind: the name of its form.
        header: what is no array.
        arrays: the arrays by the names that the file has for them.
    """

    kind: str
    header: dict[str, Any]
    arrays: Mapping[str, Stored]

    def tree(self) -> Any:
        """Make the tree again, with what is stored in the places of the arrays.

        Raises:
            CheckpointError: header and arrays do not belong together.
        """
        left = dict(self.arrays)
        tree = rebuilt(self.header.get("tree"), left)
        if left:
            raise CheckpointError(f"it has an array {next(iter(left))!r} that belongs nowhere")
        return tree
