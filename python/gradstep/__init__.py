"""Fast in-place optimizer steps and learning-rate schedules for NumPy training code."""

from typing import TYPE_CHECKING

from gradstep import starting as starting  # isort: skip  (first: it is at work while the others are imported)
from gradstep import feedback, functional, optimizers, schedules
from gradstep._core import DetachedParameterWarning, NonFiniteError, Packed, Rows, __version__
from gradstep.early_stopping import EarlyStopping
from gradstep.importing import later
from gradstep.optimizers import *  # noqa: F403
from gradstep.threads import get_num_threads, num_threads, set_num_threads
from gradstep.types import Grads, Params, Rate

if TYPE_CHECKING:
    from gradstep import mpi as mpi
    from gradstep.archives import CheckpointError
    from gradstep.checkpoints import CheckpointWarning
    from gradstep.checkpoints.restoring import load
    from gradstep.checkpoints.saving import save
    from gradstep.finding import LRCurve, find_lr
    from gradstep.history import History
    from gradstep.minimizing import minimize, scipy_method
    from gradstep.plots import plot_schedules
    from gradstep.pytorch import from_torch_state_dict, to_torch_state_dict
    from gradstep.sweeps import SweepTable
    from gradstep.sweeps.sweep import sweep
else:  # what few programs want; type checkers would find every name there
    MODULES = (
        "archives",
        "checkpoints",
        "finding",
        "history",
        "minimizing",
        "mpi",
        "plots",
        "pytorch",
        "sweeps",
    )
    __getattr__ = later(
        __name__,
        {
            **dict(zip(MODULES, MODULES, strict=True)),
            "CheckpointError": "archives",
            "CheckpointWarning": "checkpoints",
            "History": "history",
            "LRCurve": "finding",
            "SweepTable": "sweeps",
            "find_lr": "finding",
            "from_torch_state_dict": "pytorch",
            "load": "checkpoints.restoring",
            "minimize": "minimizing",
            "plot_schedules": "plots",
            "save": "checkpoints.saving",
            "scipy_method": "minimizing",
            "sweep": "sweeps",
            "to_torch_state_dict": "pytorch",
        },
    )

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__, *MODULES} - {"MODULES", "TYPE_CHECKING", "later"})


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
