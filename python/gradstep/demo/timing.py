"""How long an optimizer step takes, against the same step in textbook NumPy."""

import time
from dataclasses import dataclass
from statistics import median

import numpy as np

from gradstep.demo.digits import Split
from gradstep.demo.network import Params, arrays, initial_params, loss_and_grads
from gradstep.demo.recipes import Recipe
from gradstep.demo.training import BATCH_SIZE, SIZES

WARM_UP_STEPS = 50
MEASURED_STEPS = 400


@dataclass(frozen=True)
class StepTimes:
    """Median time of one optimizer step, in µs: gradstep's, and textbook NumPy's."""

    gradstep: float
    numpy: float

    @property
    def ratio(self) -> float:
        """How many times longer textbook NumPy takes."""
        return self.numpy / self.gradstep


def compare(recipe: Recipe, digits: Split, *, seed: int) -> tuple[StepTimes, Params, Params]:
    """Time a recipe's step and the textbook's in turns, so that whatever else the machine does hits both.

    Both start from equal parameters and get the gradients of one mini-batch. gradstep evaluates its schedule
    in every step; the textbook finds its learning rates computed.

    Returns:
        The times, and the parameters that gradstep and the textbook ended at, which agree but for rounding.
    """
    rng = np.random.default_rng(seed)
    params = initial_params(rng, SIZES)
    rows = rng.choice(len(digits.train_labels), BATCH_SIZE, replace=False)
    _, grads = loss_and_grads(params, digits.train_images[rows], digits.train_labels[rows])
    grad_list = arrays(grads)
    own = {name: {key: array.copy() for key, array in layer.items()} for name, layer in params.items()}

    steps = WARM_UP_STEPS + MEASURED_STEPS
    schedule = recipe.schedule(steps)
    rates = [schedule(t) for t in range(steps)]
    opt = recipe.optimizer(params, schedule)
    textbook = recipe.textbook(arrays(own))
    gradstep_ns, numpy_ns = [], []
    for rate in rates:
        begin = time.perf_counter_ns()
        opt.step(grads)
        middle = time.perf_counter_ns()
        textbook.step(grad_list, rate)
        end = time.perf_counter_ns()
        gradstep_ns.append(middle - begin)
        numpy_ns.append(end - middle)
    times = StepTimes(median(gradstep_ns[WARM_UP_STEPS:]) / 1e3, median(numpy_ns[WARM_UP_STEPS:]) / 1e3)
    return times, params, own
