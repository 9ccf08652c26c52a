"""Policy gradient: REINFORCE on a cart with a pole, all in NumPy, the return ascended.

    ∇J = E[Σₜ ∇log π(aₜ|sₜ)·Aₜ],   Aₜ = (Gₜ − mean)/sd of the returns Gₜ = Σ γᵏrₜ₊ₖ of all episodes

Many small arrays, a step for each batch of episodes, and a gradient that is mostly noise: `maximize=True`
takes the gradient as it is printed, `clip_norm` bounds what a strange batch can do (Williams 1992; the cart
is that of Barto, Sutton and Anderson 1983, with Gym's numbers).
"""

import numpy as np

import gradstep as gs

EPISODES, LONGEST, UPDATES, DISCOUNT = 16, 200, 80, 0.99
Arrays = dict[str, np.ndarray]


def advance(state: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Push carts for 0.02 s; give the new states, and whether the poles have fallen or the carts left."""
    _, speed, angle, turn = state.T
    sin, cos = np.sin(angle), np.cos(angle)
    pull = (np.where(right, 10.0, -10.0) + 0.05 * turn**2 * sin) / 1.1
    of_turn = (9.8 * sin - cos * pull) / (0.5 * (4 / 3 - 0.1 * cos**2 / 1.1))
    of_speed = pull - 0.05 * of_turn * cos / 1.1
    moved = state + 0.02 * np.column_stack([speed, of_speed, turn, of_turn])
    return moved, (np.abs(moved[:, 0]) > 2.4) | (np.abs(moved[:, 2]) > 12 * np.pi / 180)


def hidden(params: Arrays, states: np.ndarray) -> np.ndarray:
    """Compute the hidden layer of the policy."""
    activations: np.ndarray = np.tanh(states @ params["w1"] + params["b1"])
    return activations


def chances(params: Arrays, states: np.ndarray) -> np.ndarray:
    """Compute the probability of a push to the right."""
    logits = hidden(params, states) @ params["w2"] + params["b2"]
    probabilities: np.ndarray = 1 / (1 + np.exp(-logits))
    return probabilities


def play(params: Arrays, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Play episodes side by side; give states, actions, and which of them count."""
    state, alive = rng.uniform(-0.05, 0.05, (EPISODES, 4)), np.ones(EPISODES, bool)
    states, actions, counting = [], [], []
    for _ in range(LONGEST):
        right = rng.random(EPISODES) < chances(params, state)
        states.append(state)
        actions.append(right)
        counting.append(alive)
        state, fallen = advance(state, right)
        alive = alive & ~fallen
        if not alive.any():
            break
    return np.array(states), np.array(actions), np.array(counting)


def gradient(params: Arrays, states: np.ndarray, actions: np.ndarray, counting: np.ndarray) -> Arrays:
    """Estimate ∇J."""
    returns, later = np.zeros(counting.shape), np.zeros(EPISODES)
    for t in reversed(range(len(counting))):
        later = counting[t] + DISCOUNT * later
        returns[t] = later
    s, a, g = states[counting], actions[counting], returns[counting]
    advantage = (g - g.mean()) / (g.std() + 1e-8)
    delta = (a - chances(params, s)) * advantage / EPISODES  # of log π by the logit
    h = hidden(params, s)
    back = np.outer(delta, params["w2"]) * (1 - h**2)
    return {"w1": s.T @ back, "b1": back.sum(axis=0), "w2": h.T @ delta, "b2": delta.sum(keepdims=True)}


def main() -> dict[str, list[float]]:
    """Learn to balance."""
    rng = np.random.default_rng(0)
    params = {
        "w1": rng.normal(scale=0.5, size=(4, 32)),
        "b1": np.zeros(32),
        "w2": rng.normal(scale=0.1, size=32),
        "b2": np.zeros(1),
    }
    opt = gs.Adam(params, lr=gs.schedules.Linear(0.02, 0.002, steps=UPDATES), maximize=True, clip_norm=5.0)
    lengths = []
    for update in range(UPDATES):
        states, actions, counting = play(params, rng)
        opt.step(gradient(params, states, actions, counting))
        lengths.append(float(counting.sum(axis=0).mean()))
        if update % 16 == 0 or update == UPDATES - 1:
            print(f"update {update:3}: poles stand for {lengths[-1]:5.1f} of {LONGEST} steps")
    return {"lengths": lengths}


if __name__ == "__main__":
    main()
