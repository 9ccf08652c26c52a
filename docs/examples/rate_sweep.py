"""Choosing a learning rate: a sweep, judged on the validation split.

What it teaches: the learning rate is found by trying. Rates are tried on a logarithmic scale, since
what matters is the factor between them. Each run is judged on data that it has not trained on, the validation
split. The test split is looked at once, at the very end, for the chosen rate alone: had it chosen, its
result would be too good.

    rates 10⁻⁴, 10⁻³·⁵, …, 10¹          score: mean cross-entropy on the validation split

What to look at: the U of the validation loss. Rates that are too small have not arrived after 10 epochs,
rates that are too large jump about or throw the network out of its course for good. The training loss
looks best at about the same rate here; what it hides is how well the digits are told apart that nobody has
trained on.
"""

import numpy as np

import gradstep as gs
from gradstep.demo.digits import split
from gradstep.demo.network import Params, accuracy, initial_params, loss_and_grads

EPOCHS = 10
BATCH_SIZE = 32
RATES = 10 ** np.arange(-4, 1.5, 0.5)

digits = split()
order = np.random.default_rng(0).permutation(len(digits.train_labels))
validation, training = order[:300], order[300:]


def train(rate: float) -> Params:
    """Train a network with one hidden layer by SGD at a constant rate."""
    rng = np.random.default_rng(1)
    params = initial_params(rng, (64, 32, 10))
    opt = gs.SGD(params, lr=rate)
    for _ in range(EPOCHS):
        shuffled = rng.permutation(training)
        for start in range(0, len(shuffled), BATCH_SIZE):
            rows = shuffled[start : start + BATCH_SIZE]
            _, grads = loss_and_grads(params, digits.train_images[rows], digits.train_labels[rows])
            opt.step(grads)
    return params


def loss(params: Params, rows: np.ndarray) -> float:
    """Compute the mean cross-entropy on some rows of the training images."""
    value, _ = loss_and_grads(params, digits.train_images[rows], digits.train_labels[rows])
    return value


def main() -> dict[str, object]:
    """Try every rate; choose by the validation loss; test the chosen one."""
    print("    rate  training loss  validation loss  validation accuracy")
    networks, validation_losses = [], []
    for rate in RATES:
        params = train(rate)
        networks.append(params)
        validation_losses.append(loss(params, validation))
        share = accuracy(params, digits.train_images[validation], digits.train_labels[validation])
        print(
            f"{rate:8.5f}  {loss(params, training):13.4f}  {validation_losses[-1]:15.4f}  {share:19.2%}"
        )
    chosen = int(np.argmin(validation_losses))
    test_accuracy = accuracy(networks[chosen], digits.test_images, digits.test_labels)
    print(f"chosen: {RATES[chosen]:.5f}, test accuracy {test_accuracy:.2%}")
    return {
        "rates": RATES.tolist(),
        "validation losses": validation_losses,
        "chosen": float(RATES[chosen]),
        "test accuracy": test_accuracy,
    }


if __name__ == "__main__":
    main()
