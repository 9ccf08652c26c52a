"""Every rule gets there: down a curved valley, down a narrow one, and to a network that reads digits.

And those that need no rate come as far without one as Adam at the best of twenty.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest

import gradstep as gs
from bits import Array
from drawings import OPTIMIZERS
from gradstep.demo import digits
from gradstep.demo.network import accuracy, initial_params, loss_and_grads
from gradstep.demo.training import SIZES, mini_batches, steps_per_epoch


class Rates(NamedTuple):
    """What a rule needs: a rate for each problem, from which it falls to 0 along half a cosine."""

    valley: float
    bowl: float
    digits: float
    options: dict[str, Any] = {}  # noqa: RUF012 (nobody writes into it)
    #: Of rules that find the length of their steps, or average them, and so want the same rate all the time.
    falls: bool = True
    #: Of rules that do not bear the noise of small batches.
    small_batches: bool = True


#: A new rule needs a line here.
RATES = {
    "ADOPT": Rates(0.5, 0.2, 5e-3),
    "AdEMAMix": Rates(0.2, 0.1, 5e-3),
    "AdaBelief": Rates(0.1, 0.05, 5e-3),
    "Adadelta": Rates(1.0, 2.0, 2.0),
    "Adagrad": Rates(0.5, 0.5, 0.05),
    "Adam": Rates(0.1, 0.1, 5e-3),
    "AdamW": Rates(0.1, 0.1, 5e-3),
    "Adamax": Rates(0.2, 0.1, 0.02),
    "Adan": Rates(0.02, 0.02, 0.01),
    "DoG": Rates(1.0, 1.0, 1.0, falls=False),
    "LAMB": Rates(0.05, 0.05, 5e-3),
    "LARS": Rates(2.0, 1.0, 2.0),
    "Lion": Rates(0.01, 5e-3, 2e-3),
    "NAdam": Rates(0.1, 0.1, 5e-3),
    "Prodigy": Rates(1.0, 1.0, 1.0, falls=False),
    # Its first steps are as long as the gradient.
    "RAdam": Rates(0.1, 0.1, 0.02, {"clip_norm": 10.0}),
    "RMSprop": Rates(0.01, 0.01, 5e-3),
    "Rprop": Rates(0.01, 0.01, 0.01, falls=False, small_batches=False),
    "SGD": Rates(2e-3, 1.0, 0.2),
    "ScheduleFreeAdamW": Rates(0.05, 0.1, 5e-3, falls=False),
    "ScheduleFreeSGD": Rates(1e-3, 1.0, 0.5, falls=False),
    "Yogi": Rates(0.2, 0.1, 0.01),
}

#: Steps down a valley, and passes over the digits.
STEPS, EPOCHS = 5000, 10

Maker = Callable[[Any], gs.Optimizer]


def made(name: str, rate: float, steps: int) -> Maker:
    lr = gs.schedules.Cosine(rate, steps) if RATES[name].falls else rate
    return lambda params: OPTIMIZERS[name](params, lr=lr, **RATES[name].options)


def where_it_is(opt: gs.Optimizer, params: Any) -> Any:
    """The point that counts: the average where the rule is about one."""
    if isinstance(opt, gs.ScheduleFreeSGD | gs.ScheduleFreeAdamW):
        return opt.averaged
    return params


def remaining(make: Maker, start: Array, loss: Callable[[Array], tuple[float, Array]]) -> float:
    """The share of the loss that is left in the end."""
    x = start.copy()
    opt = make(x)
    for _ in range(STEPS):
        opt.step(loss(x)[1])
    return loss(where_it_is(opt, x))[0] / loss(start)[0]


def rosenbrock(x: Array) -> tuple[float, Array]:
    """(1−a)² + 100(b−a²)², and its gradient."""
    a, b = map(float, x)
    off = b - a * a
    return (1 - a) ** 2 + 100 * off**2, np.array([-2 * (1 - a) - 400 * a * off, 200 * off])


@cache
def hessian() -> Array:
    """Of 20 eigenvalues from 0.001 to 1, in directions of no axis."""
    random = np.random.default_rng(0)
    directions = np.linalg.qr(random.normal(size=(20, 20)))[0]
    product: Array = (directions * np.logspace(-3, 0, 20)) @ directions.T
    return product


def bowl(x: Array) -> tuple[float, Array]:
    """A quadratic with its minimum at ones, and its gradient."""
    gradient = hessian() @ (x - 1)
    return float((x - 1) @ gradient) / 2, gradient


@pytest.fixture(scope="module")
def data() -> digits.Split:
    return digits.split()


def trained(make: Maker, data: digits.Split, *, epochs: int, seed: int, small_batches: bool = True) -> float:
    """The accuracy on the test set, after that many passes over the training set."""
    random = np.random.default_rng(seed)
    params = initial_params(random, SIZES)
    opt = make(params)
    n = len(data.train_labels)
    for _ in range(epochs):
        for rows in mini_batches(random, n) if small_batches else [np.arange(n)]:
            _, grads = loss_and_grads(params, data.train_images[rows], data.train_labels[rows])
            opt.step(grads)
    return accuracy(where_it_is(opt, params), data.test_images, data.test_labels)


def test_every_rule_has_its_rates() -> None:
    without = sorted(set(OPTIMIZERS) - set(RATES))
    assert not without, f"find rates for {without}"


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_down_a_curved_valley(name: str) -> None:
    make = made(name, RATES[name].valley, STEPS)
    assert remaining(make, np.array([-1.2, 1.0]), rosenbrock) < 1e-3


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_down_a_bowl_a_thousand_times_as_steep_one_way_as_another(name: str) -> None:
    make = made(name, RATES[name].bowl, STEPS)
    assert remaining(make, np.zeros(20), bowl) < 1e-4


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_to_a_network_that_reads_digits(name: str, data: digits.Split) -> None:
    small_batches = RATES[name].small_batches
    epochs = EPOCHS if small_batches else 10 * EPOCHS
    steps = epochs * (steps_per_epoch(data) if small_batches else 1)
    make = made(name, RATES[name].digits, steps)
    assert trained(make, data, epochs=epochs, seed=0, small_batches=small_batches) > 0.93


def mean_accuracy(make: Maker, data: digits.Split) -> float:
    """Of three networks: one image of the test set is 0.3 points."""
    return float(np.mean([trained(make, data, epochs=20, seed=seed) for seed in range(3)]))


@pytest.fixture(scope="module")
def best_of_adam(data: digits.Split) -> float:
    rates = np.logspace(-4, -1, 20)
    return max(mean_accuracy(lambda params, lr=lr: gs.Adam(params, lr=lr), data) for lr in rates)  # type: ignore[misc]


@pytest.mark.parametrize("name", ["ScheduleFreeSGD", "ScheduleFreeAdamW", "Prodigy", "DoG"])
def test_as_they_come_they_do_as_well_as_adam_at_the_best_rate(
    name: str, data: digits.Split, best_of_adam: float
) -> None:
    assert best_of_adam > 0.97
    assert mean_accuracy(OPTIMIZERS[name], data) > best_of_adam - 0.01
