"""Three rules and six rates, each with three seeds: a sweep on all cores, judged on the validation split.

What it teaches: a comparison of rules is one of their best rates, and of several seeds. `gs.sweep` takes the
training as a function that reports as it goes, and calls it with every setting and seed. A run that diverges
or fails is a row of the table, and harms no other.

    score of (rule, rate) = mean over the seeds of the validation loss after 8 epochs

What to look at: every rule has a valley, each in another place. RMSprop and Adam at their best rates differ
by less than their seeds do. With `rungs`, two thirds of the settings are given up after two epochs, and what
wins is the same. As a script this trains in as many processes as there are cores.

    python docs/examples/sweep_rules.py --plot docs/images/sweep_rules.png
"""

import argparse
from collections.abc import Callable

import numpy as np

import gradstep as gs
from gradstep.demo.digits import split
from gradstep.demo.network import initial_params, loss_and_grads

EPOCHS, BATCH_SIZE = 8, 32
RATES = [1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0]
digits = split()
order = np.random.default_rng(0).permutation(len(digits.train_labels))
validation, training = order[:300], order[300:]
STEPS = -(-len(training) // BATCH_SIZE)


def run(report: Callable[..., None], rule: type[gs.Optimizer], lr: float, seed: int) -> None:
    """Train one network; report the validation loss of each epoch."""
    rng = np.random.default_rng(seed)
    params = initial_params(rng, (64, 32, 10))
    opt = rule(params, lr=lr)
    for _ in range(EPOCHS):
        shuffled = rng.permutation(training)
        for start in range(0, len(shuffled), BATCH_SIZE):
            rows = shuffled[start : start + BATCH_SIZE]
            opt.step(loss_and_grads(params, digits.train_images[rows], digits.train_labels[rows])[1])
        loss, _ = loss_and_grads(params, digits.train_images[validation], digits.train_labels[validation])
        report(opt.step_count, val_loss=loss)


def main(workers: int | None = 0, plot: str | None = None) -> dict[str, object]:
    """Sweep, once whole and once by successive halving."""
    grid = {"rule": [gs.SGD, gs.RMSprop, gs.Adam], "lr": RATES}
    table = gs.sweep(run, grid, seeds=3, workers=workers)
    halved = gs.sweep(run, grid, seeds=3, workers=workers, rungs=[2 * STEPS])
    print(f"{table}\n\nby successive halving\n{halved}")
    if plot:
        figure = table.plot("lr").get_figure(root=True)
        assert figure is not None
        figure.savefig(plot, dpi=90)
    scores = {(one.setting["rule"].__name__, one.setting["lr"]): one.score for one in table.settings}
    return {
        # A rate that diverges has no score, and what is not a number equals nothing.
        "scores": {setting: score for setting, score in scores.items() if np.isfinite(score)},
        "best": table.best,
        "best of the halved": halved.best,
        "steps": sum(trial.step or 0 for trial in table.trials),
        "statuses": [trial.status for trial in halved.trials],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Sweep three rules and six rates.")
    parser.add_argument("--plot", metavar="FILE", help="draw the table to FILE, such as sweep.png")
    main(workers=None, plot=parser.parse_args().plot)
