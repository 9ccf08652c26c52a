"""The training loop: one recipe on the digits."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

import gradstep as gs
from gradstep.demo.digits import Split
from gradstep.demo.network import accuracy, initial_params, loss_and_grads
from gradstep.demo.recipes import Recipe

SIZES = (64, 64, 32, 10)
BATCH_SIZE = 32


@dataclass(frozen=True)
class Run:
    """What a training run did.

    Attributes:
        schedule: the schedule's `repr`.
        history: the columns "lr", of each step; and "training_loss", the mean of an epoch's mini-batches in
            nats, and "test_accuracy", from 0 to 1, both of each epoch.
        seconds: wall-clock time of training alone, without the evaluations.
    """

    schedule: str
    history: gs.History
    seconds: float

    def curve(self, column: str) -> list[float]:
        """Give the values of a column."""
        return self.history.series(column)[1]

    @property
    def test_accuracy(self) -> float:
        """The accuracy after the last epoch, which is the result: the test set chooses nothing."""
        return self.curve("test_accuracy")[-1]


def steps_per_epoch(digits: Split) -> int:
    """Count the mini-batches of an epoch; the last one may be short."""
    return -(-len(digits.train_labels) // BATCH_SIZE)


def mini_batches(rng: np.random.Generator, n: int) -> Iterator[npt.NDArray[np.intp]]:
    """Yield the rows 0…n−1 in a new order, a mini-batch at a time."""
    order = rng.permutation(n)
    for start in range(0, n, BATCH_SIZE):
        yield order[start : start + BATCH_SIZE]


def train(
    recipe: Recipe, digits: Split, *, epochs: int, seed: int, on_epoch: Callable[[], None] = lambda: None
) -> Run:
    """Train the network from scratch by one recipe.

    Args:
        recipe: the rule and its schedule.
        digits: the training and test sets.
        epochs: passes over the training set.
        seed: of the initial weights and the order of the mini-batches, the same for every recipe.
        on_epoch: called after each epoch.
    """
    rng = np.random.default_rng(seed)
    params = initial_params(rng, SIZES)
    steps = epochs * steps_per_epoch(digits)
    schedule = recipe.schedule(steps)
    opt = recipe.optimizer(params, schedule)
    history = gs.History(capacity=max(2, steps))
    seconds = 0.0
    for _ in range(epochs):
        begin = time.perf_counter()
        losses = []
        for rows in mini_batches(rng, len(digits.train_labels)):
            loss, grads = loss_and_grads(params, digits.train_images[rows], digits.train_labels[rows])
            history.record(opt)
            opt.step(grads)
            losses.append(loss)
        seconds += time.perf_counter() - begin
        history.record(
            step=opt.step_count,
            training_loss=np.mean(losses),
            test_accuracy=accuracy(params, digits.test_images, digits.test_labels),
        )
        on_epoch()
    return Run(repr(schedule), history, seconds)
