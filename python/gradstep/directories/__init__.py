"""The state of an optimizer in the files of a directory, for what is larger than memory.

``state_dir=`` of every optimizer and `gradstep.Optimizer.flush` are the doors to it.
"""

from gradstep.directories.directory import StateDirectory, opened
from gradstep.directories.flushing import flush
from gradstep.directories.resuming import resume

__all__ = ["StateDirectory", "flush", "opened", "resume"]
