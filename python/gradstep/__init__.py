"""Fast in-place optimizer steps and learning-rate schedules for NumPy training code."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gradstep import starting as starting  # isort: skip  (first: it is at work while the others are imported)
from gradstep import feedback, functional, optimizers, schedules
from gradstep._core import DetachedParameterWarning, NonFiniteError, Packed, Rows, __version__
from gradstep.archives import CheckpointError
from gradstep.checkpoints import CheckpointWarning
from gradstep.checkpoints.restoring import load
from gradstep.checkpoints.saving import save
from gradstep.early_stopping import EarlyStopping
from gradstep.finding import LRCurve, find_lr
from gradstep.history import History
from gradstep.minimizing import minimize, scipy_method
from gradstep.optimizers import *  # noqa: F403
from gradstep.plots import plot_schedules
from gradstep.pytorch import from_torch_state_dict, to_torch_state_dict
from gradstep.sweeps import SweepTable, sweep
from gradstep.threads import get_num_threads, num_threads, set_num_threads
from gradstep.types import Grads, Params, Rate

if TYPE_CHECKING:
    from gradstep import mpi as mpi

__all__ = [
    "CheckpointError",
    "CheckpointWarning",
    "DetachedParameterWarning",
    "EarlyStopping",
    "Grads",
    "History",
    "LRCurve",
    "NonFiniteError",
    "Packed",
    "Params",
    "Rate",
    "Rows",
    "SweepTable",
    "__version__",
    "feedback",
    "find_lr",
    "from_torch_state_dict",
    "functional",
    "get_num_threads",
    "load",
    "minimize",
    "num_threads",
    "plot_schedules",
    "save",
    "schedules",
    "scipy_method",
    "set_num_threads",
    "sweep",
    "to_torch_state_dict",
]
__all__ += optimizers.__all__


if not TYPE_CHECKING:  # for whom every name would be there

    def __getattr__(name: str) -> Any:
        """Import what few programs want, when they want it."""
        if name == "mpi":
            return import_module("gradstep.mpi")
        raise AttributeError(f"module 'gradstep' has no attribute {name!r}")
