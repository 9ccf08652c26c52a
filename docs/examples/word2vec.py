"""Words as vectors: skip-gram with negative sampling, on Python's own documentation.

A word c beside a word w is to be told from k words n that are drawn at random:

    loss = −log σ(u_w·v_c) − Σ log σ(−u_w·v_n)

What it teaches: a batch of pairs has gradients for the rows of its words only. `gs.Rows` takes them as they
fall out of the chain rule, the same word several times, and a step costs as much as the batch is large: the
size of the vocabulary does not matter. AdaGrad does just what it does with all the zeros.

What to look at: the loss falls below that of chance, (k + 1)·log 2, and words of one kind are near each
other. The last line tells how long a step takes with the rows and with a dense gradient, which is made of
them first.
"""

import re
import time
from collections import Counter
from pydoc_data.topics import topics

import numpy as np

import gradstep as gs

WIDTH = 50
WINDOW = 4
NEGATIVES = 5
BATCH = 512
STEPS = 4000
LEAST = 10
"""Words that are rarer are left out."""

PAIRS = [("int", "float"), ("list", "tuple"), ("try", "except"), ("left", "right"), ("true", "false")]


def corpus() -> tuple[list[str], np.ndarray]:
    """Read the text: the words from the most to the least frequent, and the number of each in the text."""
    text = re.findall(r"[a-z]{2,}", " ".join(topics[name] for name in sorted(topics)).lower())
    words = [word for word, count in Counter(text).most_common() if count >= LEAST]
    numbers = {word: i for i, word in enumerate(words)}
    return words, np.array([numbers[word] for word in text if word in numbers])


def thinned(rng: np.random.Generator, text: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Leave out most of the most frequent words, as Mikolov et al. (2013) do."""
    kept: np.ndarray = text[rng.random(text.size) < np.sqrt(1e-3 / share[text])]
    return kept


def loss_and_grads(
    words: np.ndarray, contexts: np.ndarray, w: np.ndarray, c: np.ndarray
) -> tuple[float, dict[str, gs.Rows]]:
    """Compute the mean loss of pairs, and its gradient; `c` has the true context, then those drawn."""
    u, v = words[w], contexts[c]
    scores = np.einsum("bd,bkd->bk", u, v)
    signs = np.full(c.shape[1], -1, np.float32)
    signs[0] = 1
    loss = np.logaddexp(0, -signs * scores).sum(1).mean()
    d_scores = -signs / (1 + np.exp(signs * scores)) / len(w)
    d_u = np.einsum("bk,bkd->bd", d_scores, v)
    d_v = d_scores[:, :, None] * u[:, None]
    return float(loss), {"words": gs.Rows(w, d_u), "contexts": gs.Rows(c, d_v)}


def rank(unit: np.ndarray, words: list[str], a: str, b: str) -> int:
    """Tell how many words are nearer to a than b is."""
    near = unit @ unit[words.index(a)]
    return int((near > near[words.index(b)]).sum()) - 1


def main() -> dict[str, object]:
    """Learn the vectors, show what is near to some words, and compare the times of a step."""
    rng = np.random.default_rng(0)
    words, text = corpus()
    counts = np.bincount(text, minlength=len(words))
    share = counts / counts.sum()
    noise = np.cumsum(share**0.75 / (share**0.75).sum())
    text = thinned(rng, text, share)
    params: dict[str, np.ndarray] = {
        "words": rng.uniform(-0.5, 0.5, (len(words), WIDTH)).astype(np.float32) / WIDTH,
        "contexts": np.zeros((len(words), WIDTH), np.float32),
    }
    opt = gs.Adagrad(params, lr=gs.schedules.Linear(0.3, 0.05, STEPS))
    print(f"{text.size:,} words of a text with {len(words):,} different ones")
    losses, chance = [], (NEGATIVES + 1) * np.log(2)
    recent = []
    for step in range(STEPS):
        at = rng.integers(WINDOW, text.size - WINDOW, BATCH)
        beside = at + rng.integers(1, WINDOW + 1, BATCH) * rng.choice([-1, 1], BATCH)
        drawn = np.searchsorted(noise, rng.random((BATCH, NEGATIVES)))
        contexts = np.column_stack([text[beside], np.minimum(drawn, len(words) - 1)])
        loss, grads = loss_and_grads(params["words"], params["contexts"], text[at], contexts)
        opt.step(grads)
        recent.append(loss)
        if (step + 1) % (STEPS // 8) == 0:
            losses.append(float(np.mean(recent)))
            recent.clear()
            print(f"step {step + 1:5}: loss {losses[-1]:.3f}, {losses[-1] / chance:.0%} of chance")
    unit = params["words"] / np.linalg.norm(params["words"], axis=1, keepdims=True)
    ranks = {}
    for a, b in PAIRS:
        if a in words and b in words:
            ranks[f"{a} {b}"] = rank(unit, words, a, b)
            nearest = np.argsort(-(unit @ unit[words.index(a)]))[1:6]
            print(f"near {a!r}: {', '.join(words[i] for i in nearest)}")
    compare(opt, params, grads)
    return {"losses": losses, "chance": float(chance), "ranks": ranks, "words": len(words)}


def compare(opt: gs.Optimizer, params: dict[str, np.ndarray], grads: dict[str, gs.Rows]) -> None:
    """Time a step with rows, and one with the dense gradients that they stand for."""

    def dense() -> None:
        full = {name: np.zeros_like(p) for name, p in params.items()}
        for name, rows in grads.items():
            np.add.at(full[name], rows.indices, rows.values)
        opt.step(full)

    seconds = []
    for step in (lambda: opt.step(grads), dense):
        begin = time.perf_counter()
        for _ in range(20):
            step()
        seconds.append((time.perf_counter() - begin) / 20)
    print(f"a step: {seconds[0] * 1e6:,.0f} µs by rows, {seconds[1] * 1e6:,.0f} µs with dense gradients")


if __name__ == "__main__":
    main()
