"""Clipping against exploding gradients in a small recurrent network, with backpropagation through time.

What it teaches: a recurrent network multiplies the gradient by the same matrix once for each step in time. If
that matrix stretches, the gradient grows like its T-th power, and one step along it throws the weights so far
away that nothing is learned any more. Clipping shortens the step and keeps its direction.

    network   hₜ = max(0, hₜ₋₁·W + xₜ·U + c),   y = h_T·v + d              (W begins as the identity)
    backward  ∂L/∂hₜ₋₁ = (∂L/∂hₜ where hₜ > 0)·Wᵀ                          (through time, from T down to 1)
    clipping  g ← g·min(1, 1/‖g‖), ‖g‖ the norm of all gradients together  (clip_norm=1.0)

The task is the adding problem: 20 pairs (number, mark) go in, one after the other; two of them are marked;
the answer is the sum of the marked numbers. Always to answer 1, the mean, has a loss of 1/6 = 0.1667.

What to look at: the first hundred steps. Without clipping, the gradient's norm and the loss explode, and the
step kills every unit: from there on the network answers 1, whatever goes in. With clipping large
gradients come again and again, and the loss falls all the same.
"""

import numpy as np

import gradstep as gs

HIDDEN, LENGTH, BATCH_SIZE, STEPS = 20, 20, 50, 2000
RATE = 0.05
Params = dict[str, np.ndarray]


def loss_and_grads(params: Params, inputs: np.ndarray, targets: np.ndarray) -> tuple[float, Params]:
    """Run forward over inputs (LENGTH, n, 2), then backward through time."""
    states = [np.zeros((inputs.shape[1], HIDDEN))]
    for x in inputs:
        states.append(np.maximum(0, states[-1] @ params["W"] + x @ params["U"] + params["c"]))
    error = states[-1] @ params["v"] + params["d"] - targets

    grads = {name: np.zeros_like(p) for name, p in params.items()}
    d_output = 2 * error / len(error)
    grads["v"] += states[-1].T @ d_output
    grads["d"] += d_output.sum()
    d_state = np.outer(d_output, params["v"])
    for x, before, after in zip(inputs[::-1], states[-2::-1], states[::-1], strict=False):
        d_sum = d_state * (after > 0)
        grads["W"] += before.T @ d_sum
        grads["U"] += x.T @ d_sum
        grads["c"] += d_sum.sum(axis=0)
        d_state = d_sum @ params["W"].T
    return float(np.mean(error**2)), grads


def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw sequences of (number, mark), one mark in each half, and the sums of the marked numbers."""
    numbers = rng.uniform(size=(LENGTH, BATCH_SIZE))
    marks = np.zeros((LENGTH, BATCH_SIZE))
    columns = np.arange(BATCH_SIZE)
    marks[rng.integers(LENGTH // 2, size=BATCH_SIZE), columns] = 1
    marks[rng.integers(LENGTH // 2, LENGTH, size=BATCH_SIZE), columns] = 1
    return np.stack([numbers, marks], axis=-1), (numbers * marks).sum(axis=0)


def initial_params(rng: np.random.Generator) -> Params:
    """Draw the weights: the identity from state to state, small numbers elsewhere."""
    return {
        "W": np.eye(HIDDEN),
        "U": 0.1 * rng.normal(size=(2, HIDDEN)),
        "c": np.zeros(HIDDEN),
        "v": 0.1 * rng.normal(size=HIDDEN),
        "d": np.zeros(1),
    }


def train(clip_norm: float | None) -> dict[str, list[float]]:
    """Train, and return the loss and the gradient norm of every step."""
    rng = np.random.default_rng(0)
    params = initial_params(rng)
    opt = gs.SGD(params, lr=RATE, clip_norm=clip_norm)
    losses, norms = [], []
    for _ in range(STEPS):
        loss, grads = loss_and_grads(params, *draw(rng))
        losses.append(loss)
        norms.append(float(np.sqrt(sum(np.sum(g**2) for g in grads.values()))))
        opt.step(grads)
    return {"losses": losses, "norms": norms}


def main() -> dict[str, dict[str, list[float]]]:
    """Train without and with clipping."""
    results = {"without clipping": train(None), "clip_norm=1.0": train(1.0)}
    for name, run in results.items():
        print(name)
        print("    steps    mean loss  largest loss  largest norm")
        for start in range(0, len(run["losses"]), 100):
            losses, norms = run["losses"][start : start + 100], run["norms"][start : start + 100]
            span = f"{start:4}–{start + len(losses) - 1:4}"
            print(f"{span}  {np.mean(losses):11.4g}  {max(losses):12.4g}  {max(norms):12.4g}")
    return results


if __name__ == "__main__":
    main()
