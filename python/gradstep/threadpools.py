"""gradstep's threads under threadpoolctl, which then sees and limits them beside all other pools.

The import registers `Controller`; it needs threadpoolctl, and ``import gradstep`` does not do it.
"""

from __future__ import annotations

import threadpoolctl

from gradstep import _core

__all__ = ["Controller"]


class Controller(threadpoolctl.LibController):
    """What threadpoolctl asks about the compiled core, and tells it.

    Example:
        >>> import threadpoolctl
        >>> import gradstep as gs
        >>> import gradstep.threadpools
        >>> with threadpoolctl.threadpool_limits(1, user_api="gradstep"):
        ...     gs.get_num_threads()
        1
        >>> found = [one for one in threadpoolctl.threadpool_info() if one["user_api"] == "gradstep"]
        >>> found[0]["version"] == gs.__version__
        True
    """

    user_api = "gradstep"
    internal_api = "gradstep"
    filename_prefixes = ("_core.",)
    check_symbols = ("gradstep_get_num_threads", "gradstep_set_num_threads")

    def get_num_threads(self) -> int:
        """Give the number of threads that a large step may use."""
        return int(self.dynlib.gradstep_get_num_threads())

    def set_num_threads(self, num_threads: int) -> None:
        """Set it, for the whole process.

        Raises:
            ValueError: it is not from 1 to 1024.
        """
        if self.dynlib.gradstep_set_num_threads(num_threads) != 0:
            raise ValueError(f"num_threads must be from 1 to 1024, got {num_threads}")

    def get_version(self) -> str:
        """Give the version of gradstep."""
        return _core.__version__


threadpoolctl.register(Controller)
