"""The state of an optimizer in the files of a directory, for what is larger than memory.

``state_dir=`` of every optimizer and `gradstep.Optimizer.flush` are the doors to it.
"""

from typing import TYPE_CHECKING

from gradstep.importing import later

if TYPE_CHECKING:
    from gradstep.directories.directory import StateDirectory, opened
    from gradstep.directories.flushing import flush
    from gradstep.directories.resuming import resume
else:  # few optimizers have one
    __getattr__ = later(
        __name__,
        {"StateDirectory": "directory", "flush": "flushing", "opened": "directory", "resume": "resuming"},
    )

__all__ = ["StateDirectory", "flush", "opened", "resume"]
