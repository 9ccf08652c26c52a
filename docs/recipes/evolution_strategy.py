"""An evolution strategy: it maximizes what has no gradient, here the accuracy itself.

The gradient of the mean reward around θ is E[reward(θ + σε)·ε]/σ, estimated by pairs ε and −ε; ranks take the
place of rewards, so that their scale does not matter (Salimans et al. 2017, arXiv:1703.03864). That is to be
ascended: `maximize=True`; `like("openai_es")` is their Adam, with its ε added before the correction. They
watch the ratio of the step's norm to the parameters' norm: `measure=True` has both, at no further pass.
"""

import numpy as np

import gradstep as gs
from gradstep.demo.digits import split

GENERATIONS, PAIRS, SIGMA, DECAY = 150, 64, 0.05, 0.005


def ranks(rewards: np.ndarray) -> np.ndarray:
    """Spread rewards evenly from -1/2 to 1/2."""
    places = np.empty(len(rewards))
    places[rewards.argsort(kind="stable")] = np.linspace(-0.5, 0.5, len(rewards))
    return places


def main() -> dict[str, float]:
    """Train a linear classifier of digits by its accuracy on 256 images at a time."""
    data = split()
    images = data.train_images - data.train_images.mean(axis=0)
    rng = np.random.default_rng(0)
    theta = rng.normal(scale=0.01, size=(64, 10))
    rate = gs.schedules.Cosine(0.05, steps=GENERATIONS)
    opt = gs.Adam.like("openai_es", theta, lr=rate, maximize=True, measure=True)
    print("generation  accuracy  |step|/|theta|")
    ratios = []
    for generation in range(GENERATIONS):
        rows = rng.integers(len(images), size=256)
        noise = rng.normal(size=(PAIRS, *theta.shape))
        noise = np.concatenate([noise, -noise])
        scores = images[rows] @ (theta + SIGMA * noise)
        rewards = np.mean(scores.argmax(axis=2) == data.train_labels[rows], axis=1)
        gradient = np.tensordot(ranks(rewards), noise, axes=1) / (len(noise) * SIGMA)
        opt.step(gradient - DECAY * theta)
        ratios.append((opt.update_norm or 0.0) / (opt.param_norm or 1.0))
        if generation % 30 == 0 or generation == GENERATIONS - 1:
            print(f"{generation:10}  {rewards.mean():8.2%}  {ratios[-1]:14.4f}")
    tested = (data.test_images - data.train_images.mean(axis=0)) @ theta
    accuracy = float(np.mean(tested.argmax(axis=1) == data.test_labels))
    print(f"test accuracy {accuracy:.2%}")
    return {"accuracy": accuracy, "first ratio": ratios[0], "last ratio": ratios[-1]}


if __name__ == "__main__":
    main()
