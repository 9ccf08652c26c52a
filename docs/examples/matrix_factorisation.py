"""Ratings as products: users and films as vectors, learned from a few of all ratings.

    rating of film j by user i ≈ μ + b_i + c_j + p_i·q_j

What it teaches: each batch of ratings has gradients for the rows of its users and films only, matrices (p,
q) and vectors of biases (b, c) alike, and `gs.Rows` takes them as they are. Adam is its lazy form here: the
moments of a user who is not in the batch stay as they are. Weight decay would shrink all rows at each step,
and is refused together with rows. What one wants of it is written where the gradient is: λ times the rows
that were used.

What to look at: the error on ratings that were not learned from falls far below what the biases alone can
do. Without λ it stays higher, though that on the others is lower: they are learned by heart.
"""

import numpy as np

import gradstep as gs

USERS, FILMS, WIDTH = 3000, 1500, 6
RATINGS = 80_000
NOISE = 0.4
BATCH = 1000
EPOCHS = 15


def make_ratings(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw ratings that depend on tastes; a few films get most of them."""
    tastes, films = rng.normal(size=(USERS, WIDTH)), rng.normal(size=(FILMS, WIDTH)) / np.sqrt(WIDTH)
    popular = 1 / np.arange(10, FILMS + 10)
    i = rng.integers(USERS, size=RATINGS)
    j = rng.choice(FILMS, RATINGS, p=popular / popular.sum())
    biases = rng.normal(scale=0.4, size=USERS)[i] + rng.normal(scale=0.4, size=FILMS)[j]
    products = np.einsum("nd,nd->n", tastes[i], films[j])
    return i, j, 3.5 + biases + products + rng.normal(scale=NOISE, size=RATINGS)


def predicted(params: dict[str, np.ndarray], mean: float, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Compute what users i would give to films j."""
    products = np.einsum("nd,nd->n", params["p"][i], params["q"][j])
    ratings: np.ndarray = mean + params["b"][i] + params["c"][j] + products
    return ratings


def grads_of(
    params: dict[str, np.ndarray], errors: np.ndarray, i: np.ndarray, j: np.ndarray, decay: float
) -> dict[str, gs.Rows]:
    """Differentiate half the squared errors, and decay/2 times the squared rows."""
    p, q = params["p"][i], params["q"][j]
    return {
        "p": gs.Rows(i, errors[:, None] * q + decay * p),
        "q": gs.Rows(j, errors[:, None] * p + decay * q),
        "b": gs.Rows(i, errors + decay * params["b"][i]),
        "c": gs.Rows(j, errors + decay * params["c"][j]),
    }


def train(decay: float, width: int) -> dict[str, float]:
    """Learn from nine of ten ratings. Returns the errors on these and on the others."""
    rng = np.random.default_rng(0)
    i, j, ratings = make_ratings(rng)
    held = np.arange(RATINGS) % 10 == 0
    learned = np.flatnonzero(~held)
    mean = float(ratings[learned].mean())
    params = {
        "p": rng.normal(scale=0.1, size=(USERS, width)),
        "q": rng.normal(scale=0.1, size=(FILMS, width)),
        "b": np.zeros(USERS),
        "c": np.zeros(FILMS),
    }
    steps = EPOCHS * (learned.size // BATCH)
    opt = gs.Adam(params, lr=gs.schedules.Cosine(0.02, steps))
    print(f"λ = {decay}, vectors of {width}")
    for epoch in range(EPOCHS):
        for batch in rng.permutation(learned)[: learned.size // BATCH * BATCH].reshape(-1, BATCH):
            errors = predicted(params, mean, i[batch], j[batch]) - ratings[batch]
            opt.step(grads_of(params, errors, i[batch], j[batch], decay))
        found = {
            name: float(np.sqrt(np.mean((predicted(params, mean, i[of], j[of]) - ratings[of]) ** 2)))
            for name, of in (("learned", learned), ("held out", np.flatnonzero(held)))
        }
        if epoch % 4 == 0 or epoch == EPOCHS - 1:
            errors_of = ", ".join(f"{error:.3f} {name}" for name, error in found.items())
            print(f"  epoch {epoch + 1:2}: error {errors_of}")
    return found


def main() -> dict[str, dict[str, float]]:
    """Learn with biases only, with vectors too, and without λ."""
    runs = {
        "biases": train(decay=0.1, width=0),
        "vectors": train(decay=0.1, width=WIDTH),
        "no λ": train(decay=0.0, width=WIDTH),
    }
    print(f"the ratings were made with noise of {NOISE}")
    return runs


if __name__ == "__main__":
    main()
