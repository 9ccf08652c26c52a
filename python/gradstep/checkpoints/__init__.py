"""What an optimizer is between two steps: a dict to be saved and loaded, a file, a pickle, a copy.

`gradstep.Optimizer.state_dict` and ``load_state_dict``, `gradstep.save` and `gradstep.load` are its doors.
"""

from typing import TYPE_CHECKING

from gradstep.importing import later

if TYPE_CHECKING:
    from gradstep.checkpoints.loading import CheckpointWarning, load
    from gradstep.checkpoints.pickles import empty, reduced, restore
    from gradstep.checkpoints.records import record
else:  # every optimizer can be saved, and few are
    __getattr__ = later(
        __name__,
        {
            "CheckpointWarning": "loading",
            "empty": "pickles",
            "load": "loading",
            "record": "records",
            "reduced": "pickles",
            "restore": "pickles",
        },
    )

__all__ = ["CheckpointWarning", "empty", "load", "record", "reduced", "restore"]
