"""Fast in-place optimizer steps and learning-rate schedules for NumPy training code."""

from gradstep import feedback, functional, schedules
from gradstep._core import __version__
from gradstep.optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from gradstep.threads import get_num_threads, num_threads, set_num_threads

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSprop",
    "__version__",
    "feedback",
    "functional",
    "get_num_threads",
    "num_threads",
    "schedules",
    "set_num_threads",
]
