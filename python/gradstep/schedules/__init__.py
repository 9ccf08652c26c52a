"""Learning-rate schedules: pure, immutable functions of the number of updates done.

``s(t)`` takes an integer and returns a float, or takes an integer array and returns a float64 array of
the same shape, the same bits as one by one. t = 0 is the first update. A schedule has no state: what it
gives at t depends on t alone, so training resumes anywhere exactly. Schedules compare by value, hash,
copy and pickle, and ``eval(repr(s), vars(gradstep.schedules)) == s``.

Lists of numbers are kept as tuples, those of more than 1,000 as read-only arrays. Compositions nest at most
64 deep. At most 1,000 schedules may be evaluated for one t, so that a value never takes long, and at most
10,000,000 may make up one schedule, each counted as often as it occurs. What is more is a ValueError.

Past its end a schedule holds its last value exactly. All steps are counts of updates; a boundary n
belongs to what begins there (t ≥ n).

Example:
    >>> import numpy as np
    >>> from gradstep.schedules import Cosine
    >>> lr = Cosine(0.1, steps=1000).warmup(100)
    >>> lr(100)
    0.1
    >>> lr(np.array([0, 600, 1100])).round(6).tolist()
    [0.00099, 0.05, 0.0]
    >>> lr
    Warmup(schedule=Cosine(start=0.1, steps=1000, end=0.0, periodic=False), steps=100, \
start=0.009900990099009901, shape='linear')
"""

from gradstep.schedules.base import Schedule
from gradstep.schedules.compositions import (
    Clip,
    Constant,
    Every,
    Power,
    Product,
    Repeat,
    Shift,
    Stride,
    Sum,
)
from gradstep.schedules.decays import (
    Exponential,
    InverseSqrt,
    InverseTime,
    Linear,
    Polynomial,
    StepDecay,
)
from gradstep.schedules.dialects import like
from gradstep.schedules.functions import Lambda
from gradstep.schedules.joins import Cooldown, Join, Warmup
from gradstep.schedules.layers import layerwise
from gradstep.schedules.milestones import Interpolated, MultiStep, Piecewise, Table
from gradstep.schedules.phases import OneCycle, WarmupStableDecay
from gradstep.schedules.waves import Cosine, CosineRestarts, Cyclic

__all__ = [
    "Clip",
    "Constant",
    "Cooldown",
    "Cosine",
    "CosineRestarts",
    "Cyclic",
    "Every",
    "Exponential",
    "Interpolated",
    "InverseSqrt",
    "InverseTime",
    "Join",
    "Lambda",
    "Linear",
    "MultiStep",
    "OneCycle",
    "Piecewise",
    "Polynomial",
    "Power",
    "Product",
    "Repeat",
    "Schedule",
    "Shift",
    "StepDecay",
    "Stride",
    "Sum",
    "Table",
    "Warmup",
    "WarmupStableDecay",
    "layerwise",
    "like",
]
