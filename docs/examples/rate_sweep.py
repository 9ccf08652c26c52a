"""Choosing a learning rate: a sweep, judged on the validation split.

What it teaches: the learning rate is found by trying. Rates are tried on a logarithmic scale, since
what matters is the factor between them. Each run is judged on data that it has not trained on, the validation
split. The test split is looked at once, at the very end, for the chosen rate alone: had it chosen, its
result would be too good.

    rates 10⁻⁴, 10⁻³·⁵, …, 10¹          score: mean cross-entropy on the validation split

What to look at: the U of the validation loss. Rates that are too small have not arrived after 10 epochs.
Rates that are too large diverge, and a run that diverges must count as infinitely bad: NaN compares as
nothing at all, and `argmin` would pick it. The training loss alone would have chosen a larger rate.
"""

import numpy as np

import gradstep as gs
from gradstep.demo.digits import split
from gradstep.demo.network import Params, accuracy, initial_params, loss_and_grads

EPOCHS = 10
BATCH_SIZE = 32
RATES = 10 ** np.arange(-4, 1.5, 0.5)
DIVERGED = 100.0  # chance has a cross-entropy of log 10 = 2.3

digits = split()
order = np.random.default_rng(0).permutation(len(digits.train_labels))
validation, training = order[:300], order[300:]


def train(rate: float) -> tuple[Params, float, float]:
    """Train by SGD at a constant rate; return the network and its training and validation losses."""
    rng = np.random.default_rng(1)
    params = initial_params(rng, (64, 32, 10))
    opt = gs.SGD(params, lr=rate)
    for _ in range(EPOCHS):
        shuffled = rng.permutation(training)
        for start in range(0, len(shuffled), BATCH_SIZE):
            rows = shuffled[start : start + BATCH_SIZE]
            batch_loss, grads = loss_and_grads(params, digits.train_images[rows], digits.train_labels[rows])
            if batch_loss > DIVERGED:
                return params, np.inf, np.inf
            opt.step(grads)
    return params, loss(params, training), loss(params, validation)


def loss(params: Params, rows: np.ndarray) -> float:
    """Compute the mean cross-entropy on some rows of the training images."""
    value, _ = loss_and_grads(params, digits.train_images[rows], digits.train_labels[rows])
    return value


def main() -> dict[str, object]:
    """Try every rate; choose by the validation loss; test the chosen one."""
    print("    rate  training loss  validation loss")
    runs = [train(rate) for rate in RATES]
    for rate, (_, training_loss, validation_loss) in zip(RATES, runs, strict=True):
        print(f"{rate:8.5f}  {training_loss:13.4f}  {validation_loss:15.4f}")
    training_losses = [run[1] for run in runs]
    validation_losses = [run[2] for run in runs]
    chosen = int(np.argmin(validation_losses))
    test_accuracy = accuracy(runs[chosen][0], digits.test_images, digits.test_labels)
    print(f"chosen by the validation loss: {RATES[chosen]:.5f}, with a test accuracy of {test_accuracy:.2%}")
    print(f"the training loss would have chosen: {RATES[np.argmin(training_losses)]:.5f}")
    return {
        "rates": RATES.tolist(),
        "training losses": training_losses,
        "validation losses": validation_losses,
        "chosen": float(RATES[chosen]),
        "test accuracy": test_accuracy,
    }


if __name__ == "__main__":
    main()
