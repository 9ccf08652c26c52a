"""Muon, for the weight matrices between hidden layers: momentum made orthogonal.

A matrix is moved along the nearest orthogonal matrix to its momentum, so that all directions get steps of one
length. That takes products of matrices, which are NumPy's business; gradstep does the rest: the momentum, the
decay, the rate with its schedule, and AdamW for what is no hidden matrix.

    momentum  b ← μb + (1−μ)g,  d = (1−μ)g + μb          (`updates` of a momentum that ascends at a rate of 1)
    O         five steps X ← aX + (bG + cG²)X, G = XXᵀ, from X = d/‖d‖       (Newton and Schulz)
    step      p ← (1 − ηλ)p − η·√max(1, rows/columns)·O

Keller Jordan 2024, "Muon: An optimizer for hidden layers in neural networks". Computed as by
torch.optim.Muon, which does the five steps in bfloat16; here they are done in the dtype of the gradient.
"""

import numpy as np

import gradstep as gs
from gradstep.demo.digits import split
from gradstep.demo.network import accuracy, initial_params, loss_and_grads

STEPS, BATCH_SIZE = 100, 128
Arrays = dict[str, np.ndarray]


def orthogonal(matrix: np.ndarray, steps: int = 5) -> np.ndarray:
    """Replace all singular values by numbers near 1."""
    x: np.ndarray = matrix if len(matrix) <= len(matrix.T) else matrix.T
    x = x / max(np.linalg.norm(x), 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x if len(matrix) <= len(matrix.T) else x.T


class Muon:
    """Updates a dict of matrices in place."""

    def __init__(
        self,
        params: Arrays,
        lr: gs.Rate = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
    ) -> None:
        self.momentum = gs.SGD(
            lr=1.0, momentum=momentum, nesterov=nesterov, momentum_form="average", maximize=True
        )
        self.rule = gs.SGD(params, lr=lr, weight_decay=weight_decay, decoupled=True)

    def step(self, grads: Arrays) -> None:
        """Make one update."""
        directions = self.momentum.updates(grads)
        self.rule.step(
            {
                name: orthogonal(direction) * max(1.0, len(direction) / len(direction.T)) ** 0.5
                for name, direction in directions.items()
            }
        )


def train(muon: bool) -> dict[str, float]:
    """Train a network with two hidden layers, the matrix between them by Muon or by AdamW as the others."""
    digits = split()
    params = initial_params(np.random.default_rng(0), (64, 64, 64, 10))
    hidden = {"fc2": params["fc2"]["w"]}
    rest = {name: dict(layer) for name, layer in params.items()}
    if muon:
        del rest["fc2"]["w"]
    rate = gs.schedules.Cosine(1.0, steps=STEPS)
    for_hidden, for_rest = Muon(hidden, lr=0.05 * rate), gs.AdamW(rest, lr=0.003 * rate)
    rng = np.random.default_rng(1)
    for _ in range(STEPS):
        rows = rng.integers(len(digits.train_labels), size=BATCH_SIZE)
        _, grads = loss_and_grads(params, digits.train_images[rows], digits.train_labels[rows])
        if muon:
            for_hidden.step({"fc2": grads["fc2"].pop("w")})
        for_rest.step(grads)
    loss, _ = loss_and_grads(params, digits.train_images, digits.train_labels)
    return {"loss": loss, "test accuracy": accuracy(params, digits.test_images, digits.test_labels)}


def main() -> dict[str, dict[str, float]]:
    """Train with and without Muon."""
    results = {"AdamW": train(muon=False), "Muon and AdamW": train(muon=True)}
    for name, result in results.items():
        print(f"{name:15} training loss {result['loss']:.5f}, test accuracy {result['test accuracy']:.2%}")
    return results


if __name__ == "__main__":
    main()
