"""Gradient accumulation: a large batch in pieces, with `accumulate=`.

Of k calls of `step`, the first k−1 only take their gradients in, and return False; the last one makes an
update by the mean of all k, and returns True. Schedules, counts and limits see updates only. So the run is
that of batches k times as large, to within rounding, at the memory of a small one, and with no array of one's
own to add up in.
"""

import numpy as np

import gradstep as gs
from gradstep.demo.digits import Split, split
from gradstep.demo.network import Params, accuracy, arrays, initial_params, loss_and_grads

UPDATES, PIECES, BATCH_SIZE = 100, 8, 256


def train(data: Split, pieces: int) -> tuple[Params, gs.Optimizer, int]:
    """Train on batches in so many pieces; give the parameters, the optimizer, and how often they changed."""
    params, rng = initial_params(np.random.default_rng(0), (64, 32, 10), np.float64), np.random.default_rng(1)
    rate = gs.schedules.Cosine(0.01, steps=UPDATES).warmup(10)
    opt = gs.AdamW(params, lr=rate, clip_norm=1.0, accumulate=pieces)
    changed = 0
    for _ in range(UPDATES):
        batch = rng.permutation(len(data.train_labels))[:BATCH_SIZE]
        for rows in np.split(batch, pieces):
            _, grads = loss_and_grads(params, data.train_images[rows].astype(float), data.train_labels[rows])
            changed += opt.step(grads)
    return params, opt, changed


def main() -> dict[str, float]:
    """Train on whole batches, and on pieces."""
    data = split()
    whole, _, _ = train(data, 1)
    params, opt, changed = train(data, PIECES)
    pairs = zip(arrays(whole), arrays(params), strict=True)
    result = {
        "calls": UPDATES * PIECES,
        "updates": changed,
        "step_count": opt.step_count,
        "accuracy": accuracy(params, data.test_images, data.test_labels),
        "largest difference": max(float(np.abs(a - b).max()) for a, b in pairs),
    }
    for name, value in result.items():
        print(f"{name}: {value:g}")
    return result


if __name__ == "__main__":
    main()
