"""The optimizers: one class a rule. All that happens in a step is native; a class here is its signature.

Every optimizer takes

- ``params``: an ndarray, or a list, tuple or dict of them, nested as deep as you like; or a list of
  groups ``[{"params": ..., "lr": ...}, ...]`` as in torch, each with its own hyperparameters. Arrays are
  float32, float64, complex64 or complex128, writeable, aligned, dense in memory (C or F order or a transpose
  of these), and share no memory. They are changed in place: after ``params["w"] = new`` or ``w = w - ...``
  the optimizer would update an array that nobody sees, and says so.
- hyperparameters: each a float or a `gradstep.schedules` schedule of the update number.
- ``clip_norm``, ``clip_value``: limits on the gradients of all groups together; see `Optimizer`.

Parameters are numbered and named by their path: ``"fc1.w"``, ``"blocks.3.bias"``, ``"0"``.
"""

from gradstep.optimizers.adabelief import AdaBelief
from gradstep.optimizers.adadelta import Adadelta
from gradstep.optimizers.adagrad import Adagrad
from gradstep.optimizers.adam import Adam, AdamW
from gradstep.optimizers.adamax import Adamax
from gradstep.optimizers.adan import Adan
from gradstep.optimizers.ademamix import AdEMAMix
from gradstep.optimizers.adopt import ADOPT
from gradstep.optimizers.base import Optimizer
from gradstep.optimizers.dog import DoG
from gradstep.optimizers.lamb import LAMB
from gradstep.optimizers.lars import LARS
from gradstep.optimizers.lion import Lion
from gradstep.optimizers.nadam import NAdam
from gradstep.optimizers.prodigy import Prodigy
from gradstep.optimizers.radam import RAdam
from gradstep.optimizers.rmsprop import RMSprop
from gradstep.optimizers.rprop import Rprop
from gradstep.optimizers.schedule_free import ScheduleFreeAdamW, ScheduleFreeSGD
from gradstep.optimizers.sgd import SGD
from gradstep.optimizers.yogi import Yogi

__all__ = [
    "ADOPT",
    "LAMB",
    "LARS",
    "SGD",
    "AdEMAMix",
    "AdaBelief",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Adan",
    "DoG",
    "Lion",
    "NAdam",
    "Optimizer",
    "Prodigy",
    "RAdam",
    "RMSprop",
    "Rprop",
    "ScheduleFreeAdamW",
    "ScheduleFreeSGD",
    "Yogi",
]
