"""Fast in-place optimizer steps and learning-rate schedules for NumPy training code."""

from gradstep import starting as starting  # isort: skip  (first: it is at work while the others are imported)
from gradstep import feedback, functional, optimizers, schedules
from gradstep._core import DetachedParameterWarning, NonFiniteError, __version__
from gradstep.archives import CheckpointError
from gradstep.checkpoints import CheckpointWarning
from gradstep.checkpoints.restoring import load
from gradstep.checkpoints.saving import save
from gradstep.early_stopping import EarlyStopping
from gradstep.history import History
from gradstep.optimizers import *  # noqa: F403
from gradstep.plots import plot_schedules
from gradstep.threads import get_num_threads, num_threads, set_num_threads
from gradstep.types import Grads, Params, Rate

__all__ = [
    "CheckpointError",
    "CheckpointWarning",
    "DetachedParameterWarning",
    "EarlyStopping",
    "Grads",
    "History",
    "NonFiniteError",
    "Params",
    "Rate",
    "__version__",
    "feedback",
    "functional",
    "get_num_threads",
    "load",
    "num_threads",
    "plot_schedules",
    "save",
    "schedules",
    "set_num_threads",
]
__all__ += optimizers.__all__
