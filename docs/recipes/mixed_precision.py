"""Mixed precision by hand: a network computed in float16, its parameters kept in float32.

Forward and backward pass run on a float16 copy of the parameters; `step` takes the float16 gradients as they
come, and moves the float32 ones. The loss is scaled so that small gradients do not vanish in float16:
`scale=` takes the factor out again, in float32; what overflows all the same is skipped by `nonfinite="skip"`,
and the factor is halved. The float16 copy alone would not do: an update of 1e-4 of a weight is lost in it, as
the last line shows. loss_scaling.py has the factor by itself.
"""

import numpy as np

import gradstep as gs
from gradstep.demo.digits import Split, split
from gradstep.demo.network import Params, accuracy, activations, initial_params

STEPS, BATCH_SIZE, PATIENCE = 400, 64, 100


def as_half(params: Params) -> Params:
    """Round all parameters to float16."""
    return {layer: {name: p.astype(np.float16) for name, p in of.items()} for layer, of in params.items()}


def scaled_gradients(half: Params, images: np.ndarray, labels: np.ndarray, factor: float) -> Params:
    """Compute the gradients of factor·loss in float16, the softmax in float32 as everywhere."""
    *hidden, logits = activations(half, images.astype(np.float16))
    z = logits.astype(np.float32)
    exponentials = np.exp(z - z.max(axis=1, keepdims=True))
    delta = exponentials / exponentials.sum(axis=1, keepdims=True)
    delta[np.arange(len(labels)), labels] -= 1
    with np.errstate(over="ignore", invalid="ignore"):
        back = (delta * np.float32(factor / len(labels))).astype(np.float16)
        grads: Params = {}
        for layer, a in zip(reversed(half), reversed(hidden), strict=True):
            grads[layer] = {"w": a.T @ back, "b": back.sum(axis=0)}
            back = (back @ half[layer]["w"].T) * (a > 0)
    return dict(reversed(grads.items()))


def train(data: Split, factor: float) -> dict[str, float]:
    """Train with a loss scale that follows what happens."""
    params, rng = initial_params(np.random.default_rng(0), (64, 32, 10)), np.random.default_rng(1)
    opt = gs.Adam(params, lr=gs.schedules.Cosine(0.01, steps=STEPS), nonfinite="skip")
    since = calls = 0
    while opt.step_count < STEPS:
        rows = rng.integers(len(data.train_labels), size=BATCH_SIZE)
        grads = scaled_gradients(as_half(params), data.train_images[rows], data.train_labels[rows], factor)
        since = since + 1 if opt.step(grads, scale=1 / factor) else 0
        if since in (0, PATIENCE):
            factor, since = factor * (2 if since else 0.5), 0
        calls += 1
    return {
        "accuracy": accuracy(params, data.test_images, data.test_labels),
        "skipped": opt.skipped,
        "calls": calls,
        "factor": factor,
    }


def lost_updates() -> float:
    """Tell what share of updates by 1e-4 float16 weights do not notice."""
    w = np.random.default_rng(0).normal(size=10_000).astype(np.float16)
    return float(np.mean(w + np.float16(1e-4) == w))


def main() -> dict[str, float]:
    """Train, and show what would be lost."""
    result = train(split(), factor=2.0**24) | {"share of lost updates": lost_updates()}
    for name, value in result.items():
        print(f"{name}: {value:g}")
    return result


if __name__ == "__main__":
    main()
