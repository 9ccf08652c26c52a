"""AdaGrad against SGD on sparse features: rare ones get the larger steps.

What it teaches: where a feature is zero in most samples, its weight gets a gradient only now and then. SGD
gives every weight the same rate, which has to be small enough for the features that are always there.
AdaGrad divides the rate of each weight by the root of the squared gradients that it has had itself.

    SGD      p ← p − η·g
    AdaGrad  s ← s + g²,  p ← p − η·g/(√s + ε)

A bag of words as in text: 20 words occur in half of the documents, 200 words in one of a hundred each. Every
word has a weight of +1 or −1, and a document's target is the sum of its words' weights. One pass over the
documents, one at a time, at the rate that is best for each rule among the same seven.

What to look at: on the frequent words both are good. On the rare ones, seen ten times each, SGD is still half
way, and no rate mends that: a larger one diverges on the frequent words.
"""

import numpy as np

import gradstep as gs

DOCUMENTS, FREQUENT, RARE = 1000, 20, 200
RATES = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0]
DIVERGED = 1e6

rng = np.random.default_rng(0)
probabilities = np.r_[np.full(FREQUENT, 0.5), np.full(RARE, 0.01)]
words = (rng.uniform(size=(DOCUMENTS, FREQUENT + RARE)) < probabilities).astype(float)
true_weights = rng.choice([-1.0, 1.0], size=FREQUENT + RARE)
targets = words @ true_weights


def train(optimizer: type[gs.Optimizer], rate: float) -> dict[str, float]:
    """Learn from each document once; return the mean squared errors of the prediction and of the weights."""
    weights = np.zeros(FREQUENT + RARE)
    opt = optimizer(weights, lr=rate)
    for document, target in zip(words, targets, strict=True):
        error = document @ weights - target
        if abs(error) > DIVERGED:
            break
        opt.step(2 * error * document)
    squares = (weights - true_weights) ** 2
    return {
        "rate": rate,
        "loss": float(np.mean((words @ weights - targets) ** 2)),
        "frequent": float(np.mean(squares[:FREQUENT])),
        "rare": float(np.mean(squares[FREQUENT:])),
    }


def main() -> dict[str, dict[str, float]]:
    """Train both rules at every rate, and compare the best of each."""
    best = {}
    print("rule       rate          loss  error of frequent  error of rare words")
    for optimizer in (gs.SGD, gs.Adagrad):
        runs = [train(optimizer, rate) for rate in RATES]
        for run in runs:
            errors = f"{run['frequent']:17.4g}  {run['rare']:19.4g}"
            print(f"{optimizer.__name__:7}  {run['rate']:6}  {run['loss']:12.4g}  {errors}")
        best[optimizer.__name__] = min(runs, key=lambda run: run["loss"])
    for name, run in best.items():
        print(f"best of {name}: rate {run['rate']}, loss {run['loss']:.4f}, rare words {run['rare']:.4f}")
    return best


if __name__ == "__main__":
    main()
