"""Batch, mini-batch and single-sample gradient descent on the same data, side by side.

What it teaches: all three take the gradient of the mean squared error, of more or fewer points at a time.

    batch           all n points for one step                       1 step an epoch
    mini-batch      k points drawn without repetition for a step    n/k steps an epoch
    single sample   1 point for a step (stochastic descent proper)  n steps an epoch

    (w, b) ← (w, b) − η·(2/k)·Σ (w·xᵢ + b − yᵢ)·(xᵢ, 1)             η = 0.1 for all three

What to look at: after one epoch, all three have seen the same points. Single-sample descent is near the
least-squares line, and batch descent has hardly begun. But single-sample descent never settles: its distance
keeps jumping, while batch descent goes there smoothly. Mini-batches are the compromise that everybody uses.
"""

import numpy as np

import gradstep as gs

EPOCHS = 40
RATE = 0.1
N = 200
BATCH_SIZES = {"batch": N, "mini-batch": 20, "single sample": 1}

rng = np.random.default_rng(1)
x = rng.uniform(-1, 1, size=N)
y = 2 * x + 1 + 0.5 * rng.normal(size=N)
best_line = np.polyfit(x, y, deg=1)  # least squares, in closed form


def train(batch_size: int) -> list[float]:
    """Return the distance of (w, b) from the least-squares line after each epoch."""
    order_rng = np.random.default_rng(2)
    line = np.zeros(2)
    opt = gs.SGD(line, lr=RATE)
    distances = []
    for _ in range(EPOCHS):
        order = order_rng.permutation(N)
        for start in range(0, N, batch_size):
            rows = order[start : start + batch_size]
            error = line[0] * x[rows] + line[1] - y[rows]
            opt.step(np.array([2 * np.mean(error * x[rows]), 2 * np.mean(error)]))
        distances.append(float(np.linalg.norm(line - best_line)))
    return distances


def main() -> dict[str, list[float]]:
    """Train all three, and print their distances in one table."""
    results = {name: train(batch_size) for name, batch_size in BATCH_SIZES.items()}
    print(f"least squares: y = {best_line[0]:.4f}x + {best_line[1]:.4f}")
    print("distance from it after each epoch:")
    print("epoch  " + "  ".join(f"{name:>13}" for name in results))
    for epoch in [1, 2, 3, 5, *range(10, EPOCHS + 1, 5)]:
        print(f"{epoch:5}  " + "  ".join(f"{distances[epoch - 1]:13.6f}" for distances in results.values()))
    print("steps  " + "  ".join(f"{EPOCHS * N // BATCH_SIZES[name]:13}" for name in results))
    return results


if __name__ == "__main__":
    main()
