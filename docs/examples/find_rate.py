"""Finding a learning rate in one short run, and training with it.

What it teaches: the range test. The rate rises from far too small to far too large while the network trains
for 200 steps, and the loss tells the story: it stays as it is, falls, and rises again. Where it falls fastest
is a rate to train with. The search works on copies, so the network is as fresh afterwards as it was.

    η(t) = 10⁻⁷·(10/10⁻⁷)^(t/199)            suggestion: η where d loss / d log η is least

What to look at: the suggestions for SGD and for Adam lie far apart, and either trains well. A tenth of it is
slow. Ten times as much is too much for Adam; plain SGD bears it, on a problem as easy as this one. On labels
that have nothing to do with the images there is nothing to be learned in so short a run, and instead of a
number there is the reason why.

    python docs/examples/find_rate.py --plot docs/images/find_rate.png
"""

import argparse

import numpy as np

import gradstep as gs
from gradstep.demo.digits import split
from gradstep.demo.network import Params, accuracy, initial_params, loss_and_grads

EPOCHS, BATCH_SIZE = 10, 32
digits = split()
count = len(digits.train_labels)
shuffled = np.random.default_rng(0).permutation(digits.train_labels)


def gradients(params: Params, t: int, labels: np.ndarray = digits.train_labels) -> tuple[float, Params]:
    """Compute the loss and the gradients on the mini-batch of step t."""
    rows = np.random.default_rng(t).integers(count, size=BATCH_SIZE)
    return loss_and_grads(params, digits.train_images[rows], labels[rows])


def train(rule: type[gs.Optimizer], rate: float) -> float:
    """Train from the same start at a constant rate; return the test accuracy."""
    params = initial_params(np.random.default_rng(1), (64, 32, 10))
    opt = rule(params, lr=rate)
    with np.errstate(over="ignore", invalid="ignore"):  # ten times too large is too large
        for t in range(EPOCHS * count // BATCH_SIZE):
            opt.step(gradients(params, t)[1])
        return accuracy(params, digits.test_images, digits.test_labels)


def main(plot: str | None = None) -> dict[str, object]:
    """Find a rate for two rules, and try it beside a tenth of it and ten times as much."""
    params = initial_params(np.random.default_rng(1), (64, 32, 10))
    curves, results = {}, {}
    for rule in (gs.SGD, gs.Adam):
        curve = curves[rule.__name__] = gs.find_lr(params, gradients, rule=rule)
        print(f"{rule.__name__}\n{curve}")
        results[rule.__name__] = {
            name: train(rule, factor * curve.suggestion)
            for name, factor in (("a tenth", 0.1), ("found", 1.0), ("ten times", 10.0))
        }
        for name, reached in results[rule.__name__].items():
            print(f"{name:>10}: {reached:.2%} of the test images after {EPOCHS} epochs")
    nothing = gs.find_lr(params, lambda params, t: gradients(params, t, shuffled), rule=gs.Adam, high=1e-3)
    print(f"labels at random: {nothing.trouble}")
    if plot:
        draw(curves, plot)
    return {"accuracy": results, "trouble": nothing.trouble}


def draw(curves: dict[str, gs.LRCurve], path: str) -> None:
    """Draw the curves side by side."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    for axes, (name, curve) in zip(figure.subplots(1, 2), curves.items(), strict=True):
        curve.plot(ax=axes).set_title(name)
    figure.savefig(path, dpi=90)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Find a learning rate, and train with it.")
    parser.add_argument("--plot", metavar="FILE", help="draw the curves to FILE, such as curves.png")
    main(parser.parse_args().plot)
