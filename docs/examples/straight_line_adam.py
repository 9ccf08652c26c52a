"""Adam finds y = 3x + 1 at a rate of 0.01, and does not care how the loss is scaled.

What it teaches: Adam divides the gradient's running mean by the root of its running mean square. The scale
of the gradient cancels, so the rate is nearly the length of a step in the parameter's own unit.

    m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²              with β₁ = 0.9, β₂ = 0.999
    p ← p − η·(m/(1−β₁ᵗ)) / (√(v/(1−β₂ᵗ)) + ε)          with η = 0.01, ε = 10⁻⁸

What to look at: in the first 100 epochs w and b move by about 0.01 an epoch, both alike, though their
gradients differ. With the loss multiplied by 1,000, SGD at the same rate is off the scale within 15 epochs,
while Adam's path hardly changes.
"""

import numpy as np

import gradstep as gs

EPOCHS = 1000
RATE = 0.01

x = np.linspace(-1, 1, 100)
y = 3 * x + 1


def train(optimizer: type[gs.Optimizer], scale: float, epochs: int = EPOCHS) -> list[np.ndarray]:
    """Minimise scale·(mean squared error); return the line (w, b) after each epoch, the start included."""
    line = np.zeros(2)
    opt = optimizer(line, lr=RATE)
    path = [line.copy()]
    for _ in range(epochs):
        error = line[0] * x + line[1] - y
        opt.step(scale * np.array([2 * np.mean(error * x), 2 * np.mean(error)]))
        path.append(line.copy())
    return path


def loss(line: np.ndarray) -> float:
    """Compute the mean squared error."""
    return float(np.mean((line[0] * x + line[1] - y) ** 2))


def main() -> dict[str, float]:
    """Train with Adam, with Adam on the scaled loss, and with SGD on the scaled loss."""
    path = train(gs.Adam, scale=1.0)
    scaled = train(gs.Adam, scale=1000.0)
    sgd = train(gs.SGD, scale=1000.0, epochs=15)
    print("                                        loss × 1000")
    print("epoch        loss        w        b        w        b")
    for epoch in range(0, EPOCHS + 1, 100):
        (w, b), (scaled_w, scaled_b) = path[epoch], scaled[epoch]
        print(f"{epoch:5}  {loss(path[epoch]):10.8f}  {w:7.4f}  {b:7.4f}  {scaled_w:7.4f}  {scaled_b:7.4f}")
    print(f"SGD on the loss × 1000 after 15 epochs: loss {loss(sgd[-1]):.1e}")
    return {
        "w": float(path[-1][0]),
        "b": float(path[-1][1]),
        "loss": loss(path[-1]),
        "first step of w": float(path[1][0]),
        "first step of b": float(path[1][1]),
        "largest difference under scaling": float(np.abs(np.array(path) - scaled).max()),
        "SGD's loss under scaling": loss(sgd[-1]),
    }


if __name__ == "__main__":
    main()
