"""Training a new head first, and then the whole: `freeze` and `unfreeze`.

What is frozen keeps its values, its state and its own count, by which Adam corrects for its start: the first
update after `unfreeze` is as the first of a run. Gradients for it may come or not; they are not read.
"""

import numpy as np

import gradstep as gs
from gradstep.demo.digits import split
from gradstep.demo.network import accuracy, initial_params, loss_and_grads


def main() -> dict[str, object]:
    """Train the head alone for 50 steps, and then everything for 50 more."""
    digits = split()
    rng = np.random.default_rng(1)
    params = initial_params(np.random.default_rng(0), (64, 32, 10))
    body = params["fc1"]["w"].copy()
    opt = gs.Adam(params, lr=0.01)
    opt.freeze("fc1.*")
    result: dict[str, object] = {"frozen": opt.frozen}
    for step in range(100):
        if step == 50:
            result |= {"body kept": bool(np.all(params["fc1"]["w"] == body)), "counts": opt.counts}
            result["accuracy of the head"] = accuracy(params, digits.test_images, digits.test_labels)
            opt.unfreeze("*")
        rows = rng.integers(len(digits.train_labels), size=128)
        _, grads = loss_and_grads(params, digits.train_images[rows], digits.train_labels[rows])
        opt.step(grads)
    result["accuracy of all"] = accuracy(params, digits.test_images, digits.test_labels)
    result["counts at the end"] = opt.counts
    for name, value in result.items():
        print(f"{name}: {value}")
    return result


if __name__ == "__main__":
    main()
