"""The rest of a training loop: passes through a network, which leave gradients where the step wants them."""

from collections.abc import Callable
from itertools import cycle

import numpy as np

from gradstep.bench.workloads import Floats

BATCHES = 16
"""Drawn once and trained on in turns."""


def batches(samples: int, inputs: int, outputs: int) -> list[tuple[Floats, Floats]]:
    """Draw the mini-batches, each of inputs and targets."""
    rng = np.random.default_rng(3)

    def draw(size: int) -> Floats:
        return rng.standard_normal((samples, size), np.float32)

    return [(draw(inputs), draw(outputs)) for _ in range(BATCHES)]


def passes(params: list[Floats], grads: list[Floats], batch: int) -> Callable[[], object]:
    """Make a call that computes the gradients of a multilayer perceptron on the next mini-batch.

    The loss is half the squared error of a network with ReLU, against random targets. The gradients of the
    weights are written by matrix products, as everywhere.

    Args:
        params: weights and biases in turns: (inputs, outputs), (outputs,), …; the step updates them.
        grads: where to write the gradients.
        batch: samples in a mini-batch.
    """
    weights, biases = params[::2], params[1::2]
    weight_grads, bias_grads = grads[::2], grads[1::2]
    # He's initial weights: under those of N(0, 1) the outputs would be in the hundreds.
    for w in weights:
        w *= np.float32(np.sqrt(2 / len(w)))
    data = cycle(batches(batch, len(weights[0]), len(biases[-1])))

    def run() -> None:
        x, targets = next(data)
        layers: list[Floats] = [x]
        for i, (w, b) in enumerate(zip(weights, biases, strict=True), start=1):
            z: Floats = layers[-1] @ w
            z += b
            layers.append(np.maximum(z, 0, out=z) if i < len(weights) else z)
        delta = (layers.pop() - targets) / np.float32(batch)
        for i in reversed(range(len(weights))):
            a = layers[i]
            np.matmul(a.T, delta, out=weight_grads[i])
            np.sum(delta, axis=0, out=bias_grads[i])
            if i:
                delta = (delta @ weights[i].T) * (a > 0)

    return run
