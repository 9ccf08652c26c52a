"""How long a round of the training loop takes with gradstep's step, and with that of textbook NumPy."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle, islice
from statistics import median

import numpy as np
import numpy.typing as npt

from gradstep.demo.digits import Split
from gradstep.demo.network import Params, arrays, initial_params, loss_and_grads
from gradstep.demo.recipes import Recipe
from gradstep.demo.training import SIZES, mini_batches

WARM_UP_ROUNDS = 50
MEASURED_ROUNDS = 400

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class LoopTimes:
    """Median times of the two parts of a loop.

    Attributes:
        passes: of the forward and the backward pass, in µs.
        step: of the optimizer's step, in µs.
    """

    passes: float
    step: float

    @property
    def whole(self) -> float:
        """The time of a round, in µs."""
        return self.passes + self.step

    @property
    def share(self) -> float:
        """The step's share of it, from 0 to 1."""
        return self.step / self.whole


@dataclass(frozen=True)
class Comparison:
    """The loop with gradstep, and with textbook NumPy."""

    gradstep: LoopTimes
    numpy: LoopTimes

    @property
    def step_ratio(self) -> float:
        """How many times longer textbook NumPy's step takes."""
        return self.numpy.step / self.gradstep.step

    @property
    def loop_ratio(self) -> float:
        """How many times longer the whole loop takes with it."""
        return self.numpy.whole / self.gradstep.whole


class Loop:
    """A training loop with a stopwatch.

    Args:
        digits: what is trained on.
        params: what is trained.
        step: takes a step with these gradients and this learning rate.
    """

    def __init__(self, digits: Split, params: Params, step: Callable[[Params, float], object]) -> None:
        self.digits, self.params, self.step = digits, params, step
        self.nanoseconds: list[tuple[int, int]] = []

    def run(self, rows: Rows, rate: float) -> None:
        """Go round once."""
        begin = time.perf_counter_ns()
        images, labels = self.digits.train_images[rows], self.digits.train_labels[rows]
        _, grads = loss_and_grads(self.params, images, labels)
        middle = time.perf_counter_ns()
        self.step(grads, rate)
        end = time.perf_counter_ns()
        self.nanoseconds.append((middle - begin, end - middle))

    def times(self) -> LoopTimes:
        """Sum up the rounds after the warm-up."""
        passes, steps = zip(*self.nanoseconds[WARM_UP_ROUNDS:], strict=True)
        return LoopTimes(median(passes) / 1e3, median(steps) / 1e3)


def compare(recipe: Recipe, digits: Split, *, seed: int) -> tuple[Comparison, Params, Params]:
    """Train with a recipe's step and with the textbook's, in turns: whatever else the machine does hits both.

    Both start from equal parameters and see the same mini-batches. gradstep evaluates its schedule in every
    step; the textbook finds its learning rates computed.

    Returns:
        The times, and the parameters that gradstep and the textbook ended at.
    """
    rng = np.random.default_rng(seed)
    params = initial_params(rng, SIZES)
    own = {name: {key: array.copy() for key, array in layer.items()} for name, layer in params.items()}
    schedule = recipe.schedule(WARM_UP_ROUNDS + MEASURED_ROUNDS)
    opt, textbook = recipe.optimizer(params, schedule), recipe.textbook(arrays(own))
    loops = [
        Loop(digits, params, lambda grads, _: opt.step(grads)),
        Loop(digits, own, lambda grads, rate: textbook.step(arrays(grads), rate)),
    ]
    batches = cycle(list(mini_batches(rng, len(digits.train_labels))))
    for t, rows in enumerate(islice(batches, WARM_UP_ROUNDS + MEASURED_ROUNDS)):
        for loop in loops if t % 2 else reversed(loops):
            loop.run(rows, schedule(t))
    gradstep, numpy = (loop.times() for loop in loops)
    return Comparison(gradstep, numpy), params, own
