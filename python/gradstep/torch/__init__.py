"""Optimizers of torch's kind with the steps of gradstep: ``gradstep.torch.Adam(model.parameters())``.

Each class is a ``torch.optim.Optimizer`` with the arguments of torch's class of its name, where there is
one, and takes its place. Parameters are dense tensors on the CPU, and are updated where they are.
``import gradstep`` imports none of this; it needs torch.
"""

from gradstep.torch.adam import Adam, AdamW
from gradstep.torch.base import Optimizer
from gradstep.torch.descent import SGD, Lion, Rprop
from gradstep.torch.moments import ADOPT, AdaBelief, Adan, AdEMAMix, Yogi
from gradstep.torch.norms import LAMB, LARS, DoG, Prodigy
from gradstep.torch.schedule_free import ScheduleFreeAdamW, ScheduleFreeSGD
from gradstep.torch.squares import Adadelta, Adagrad, RMSprop
from gradstep.torch.variants import Adamax, NAdam, RAdam

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
