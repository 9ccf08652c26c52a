"""A rate that was found, against the best one of a sweep: four rules on the digits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

import gradstep as gs
from gradstep.demo import digits
from gradstep.demo.network import Params, accuracy, initial_params, loss_and_grads
from gradstep.demo.training import BATCH_SIZE, SIZES, mini_batches
from gradstep.tables import as_text

RULES: dict[str, Callable[..., gs.Optimizer]] = {
    "SGD": gs.SGD,
    "SGD, momentum 0.9": lambda params, **options: gs.SGD(params, momentum=0.9, **options),
    "RMSprop": gs.RMSprop,
    "Adam": gs.Adam,
}
RATES = tuple(float(f"{rate:.3g}") for rate in np.geomspace(1e-5, 3.0, 20))
"""Those of the sweep: far too small and far too large for every rule among them."""
MOST_BEHIND = 0.01
"""How much accuracy a found rate may lack."""

split = cache(digits.split)


def find(rule: str, seed: int) -> gs.LRCurve:
    """Find a rate for a rule by its name."""
    data = split()
    rng = np.random.default_rng(seed)

    def gradients(params: Params, _: int) -> tuple[float, Params]:
        rows = rng.choice(len(data.train_labels), BATCH_SIZE, replace=False)
        return loss_and_grads(params, data.train_images[rows], data.train_labels[rows])

    return gs.find_lr(initial_params(rng, SIZES), gradients, rule=RULES[rule])


def train(report: Callable[..., None], rule: str, lr: float, epochs: int, seed: int) -> None:
    """Train at a constant rate; report the test accuracy of each epoch."""
    data = split()
    rng = np.random.default_rng(seed)
    params = initial_params(rng, SIZES)
    opt = RULES[rule](params, lr=lr)
    for _ in range(epochs):
        for rows in mini_batches(rng, len(data.train_labels)):
            loss, grads = loss_and_grads(params, data.train_images[rows], data.train_labels[rows])
            if not np.isfinite(loss):
                report(opt.step_count, accuracy=loss)
            opt.step(grads)
        report(opt.step_count, accuracy=accuracy(params, data.test_images, data.test_labels))


@dataclass(frozen=True)
class Found:
    """What one rule came to.

    Attributes:
        rule: its name.
        lr: the rate that was found.
        reached: the test accuracy with it, a mean over the seeds.
        best_lr: the best rate of the sweep.
        best: the test accuracy with that.
    """

    rule: str
    lr: float
    reached: float
    best_lr: float
    best: float

    @property
    def behind(self) -> float:
        """How much accuracy the found rate lacks; negative if it is better than all of the sweep."""
        return self.best - self.reached


def compare(rule: str, *, epochs: int, seeds: int, workers: int | None = None) -> Found:
    """Find a rate for a rule, and try it beside those of the sweep."""
    lr = find(rule, seed=0).suggestion
    swept, found = (
        gs.sweep(
            train,
            {"rule": [rule], "lr": tried, "epochs": [epochs]},
            maximize="accuracy",
            seeds=seeds,
            workers=workers,
        )
        for tried in (RATES, [lr])
    )
    if len(swept) < swept.planned or len(found) < found.planned:
        raise KeyboardInterrupt
    best = swept.ranked()[0]
    return Found(rule, lr, found.settings[0].score, best.setting["lr"], best.score)


def table(rows: list[Found], width: int | None = None) -> str:
    """Lay out what the rules came to, in a width if it is given."""
    return as_text(
        ("rule", "found", "accuracy", f"best of {len(RATES)}", "accuracy", "behind by"),
        [
            (
                row.rule,
                f"{row.lr:.3g}",
                f"{row.reached:.2%}",
                f"{row.best_lr:.3g}",
                f"{row.best:.2%}",
                f"{100 * row.behind:.2f} points",
            )
            for row in rows
        ],
        width=width,
    )
