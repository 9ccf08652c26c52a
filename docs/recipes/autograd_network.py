"""HIPS autograd: gradients of anything nested, and a step that flattens nothing.

autograd's own `adam` makes one vector of all parameters at each step and cuts it up again, and makes new
arrays. gradstep takes the nested gradients as they come and changes the arrays in place. `like("autograd")`
has autograd's formula, so that both end at the same numbers; the loop is shorter by what the step no longer
takes.
"""

import time
from functools import partial
from itertools import pairwise

import autograd.numpy as anp
import numpy as np
from autograd import grad
from autograd.misc.optimizers import adam
from autograd.scipy.special import logsumexp

import gradstep as gs
from gradstep.demo.digits import Split, split

STEPS, BATCH_SIZE, RATE = 400, 64, 0.003
SIZES = (64, 64, 32, 10)
Params = list[tuple[np.ndarray, np.ndarray]]


def start() -> Params:
    """Draw new weights."""
    rng = np.random.default_rng(0)
    return [
        (rng.normal(size=(inputs, outputs)) * np.sqrt(2 / inputs), np.zeros(outputs))
        for inputs, outputs in pairwise(SIZES)
    ]


def logits(params: Params, images: np.ndarray) -> np.ndarray:
    """Compute the network, in autograd's NumPy."""
    x = images
    for w, b in params[:-1]:
        x = anp.tanh(x @ w + b)  # pyright: ignore[reportAttributeAccessIssue]
    w, b = params[-1]
    return x @ w + b


def loss(params: Params, step: int, data: Split) -> float:
    """Compute the cross-entropy of the mini-batch of a step."""
    rows = np.random.default_rng(step).integers(len(data.train_labels), size=BATCH_SIZE)
    z = logits(params, data.train_images[rows].astype(float))
    right: float = anp.mean(logsumexp(z, axis=1) - z[np.arange(BATCH_SIZE), data.train_labels[rows]])
    return right


def main() -> dict[str, float]:
    """Train with autograd's Adam and with gradstep's."""
    data = split()
    gradient = grad(partial(loss, data=data))  # pyright: ignore[reportCallIssue]

    begin = time.perf_counter()
    theirs: Params = adam(gradient, start(), num_iters=STEPS, step_size=RATE)
    of_theirs = time.perf_counter() - begin

    params = start()
    opt = gs.Adam.like("autograd", params, lr=RATE)
    begin = time.perf_counter()
    for step in range(STEPS):
        opt.step(gradient(params, step))
    of_ours = time.perf_counter() - begin

    largest = max(
        np.abs(a - b).max()
        for one, other in zip(params, theirs, strict=True)
        for a, b in zip(one, other, strict=True)
    )
    found = logits(params, data.test_images.astype(float)).argmax(axis=1)
    result = {
        "accuracy": float(np.mean(found == data.test_labels)),
        "largest difference": float(largest),
        "seconds with autograd's adam": of_theirs,
        "seconds with gradstep": of_ours,
    }
    for name, value in result.items():
        print(f"{name}: {value:.3g}")
    return result


if __name__ == "__main__":
    main()
