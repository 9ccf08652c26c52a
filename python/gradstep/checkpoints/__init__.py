"""What an optimizer is between two steps: as a dict to be saved and loaded, and as a pickle or a copy.

`gradstep.Optimizer.state_dict` and ``load_state_dict`` are the doors to it.
"""

from gradstep.checkpoints.loading import CheckpointWarning, load
from gradstep.checkpoints.pickles import empty, reduced, restore
from gradstep.checkpoints.records import record

__all__ = ["CheckpointWarning", "empty", "load", "record", "reduced", "restore"]
