"""JAX: gradients by a compiled function, parameters in NumPy, nothing copied in between.

`jax.value_and_grad` gives JAX's arrays; `np.asarray` of one on the CPU is a read-only view of the same
memory, which `step` reads. So parameters stay ndarrays, which other code reads and changes, and need no
donation.

JAX computes in the background, and may read NumPy's memory there: gradients have to be there before a step
changes the parameters that they come from. `np.asarray` waits for them.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import gradstep as gs
from gradstep.demo.digits import split
from gradstep.demo.network import Params, accuracy, initial_params, loss_and_grads

STEPS, BATCH_SIZE = 300, 128


def loss(params: Params, images: Any, labels: Any) -> Any:
    """Compute the cross-entropy of a network with one hidden layer, in JAX's NumPy."""
    hidden = jnp.maximum(images @ params["fc1"]["w"] + params["fc1"]["b"], 0)
    z = hidden @ params["fc2"]["w"] + params["fc2"]["b"]
    return jnp.mean(jax.nn.logsumexp(z, axis=1) - z[jnp.arange(len(z)), labels])


def main() -> dict[str, Any]:
    """Train on mini-batches."""
    data = split()
    rng = np.random.default_rng(1)
    params = initial_params(np.random.default_rng(0), (64, 64, 10))
    value_and_grad = jax.jit(jax.value_and_grad(loss))
    opt = gs.Adam(params, lr=gs.schedules.Cosine(0.01, steps=STEPS))
    losses, difference, copied = [], 0.0, False
    for step in range(STEPS):
        rows = rng.integers(len(data.train_labels), size=BATCH_SIZE)
        images, labels = data.train_images[rows], data.train_labels[rows]
        value, of_jax = value_and_grad(params, images, labels)
        grads = jax.tree.map(np.asarray, of_jax)
        if step == 0:
            _, by_hand = loss_and_grads(params, images, labels)
            pairs = list(zip(jax.tree.leaves(grads), jax.tree.leaves(by_hand), strict=True))
            difference = max(float(np.abs(a - b).max()) for a, b in pairs)
            copied = any(array.flags.owndata for array in jax.tree.leaves(grads))
        opt.step(grads)
        losses.append(float(value))
    result = {
        "first loss": losses[0],
        "last loss": losses[-1],
        "accuracy": accuracy(params, data.test_images, data.test_labels),
        "difference to gradients by hand": difference,
        "copied": copied,
    }
    for name, value in result.items():
        print(f"{name}: {value:.3g}" if isinstance(value, float) else f"{name}: {value}")
    return result


if __name__ == "__main__":
    main()
