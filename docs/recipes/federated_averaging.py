"""Federated averaging, simulated: what a rule on the server is worth where clients have different data.

Each round every client trains a copy, on images of two digits only, and sends the difference. The mean of the
differences is a direction, and the server makes one step along it: by plain averaging, which is SGD at a rate
of 1; with momentum; or by Adam (Reddi et al. 2021, arXiv:2003.00295). `like("flower")` has their Adam's form;
it ascends, since differences point to where to go. `apply_gradients` gives new arrays, as there is nothing to
be changed in place.
"""

import numpy as np

import gradstep as gs
from gradstep.demo.digits import Split, split
from gradstep.demo.network import Params, accuracy, initial_params, loss_and_grads

CLIENTS, ROUNDS, LOCAL_STEPS, BATCH_SIZE = 5, 40, 8, 32


def locally_trained(params: Params, data: Split, rows: np.ndarray, rng: np.random.Generator) -> Params:
    """Train a copy on a client's own images; give what changed."""
    copy = {layer: {name: array.copy() for name, array in of.items()} for layer, of in params.items()}
    opt = gs.SGD(copy, lr=0.05)
    for _ in range(LOCAL_STEPS):
        chosen = rng.choice(rows, BATCH_SIZE)
        _, grads = loss_and_grads(copy, data.train_images[chosen], data.train_labels[chosen])
        opt.step(grads)
    return {
        layer: {name: copy[layer][name] - array for name, array in of.items()} for layer, of in params.items()
    }


def mean(trees: list[Params]) -> Params:
    """Average what clients have sent."""
    return {
        layer: {name: np.mean([tree[layer][name] for tree in trees], axis=0) for name in of}
        for layer, of in trees[0].items()
    }


def run(server: gs.Optimizer, data: Split) -> list[float]:
    """Run all rounds; give the accuracies on the way."""
    rng = np.random.default_rng(1)
    mine = [np.flatnonzero(data.train_labels // 2 == client) for client in range(CLIENTS)]
    params = initial_params(np.random.default_rng(0), (64, 32, 10))
    curve = []
    for _ in range(ROUNDS):
        sent = [locally_trained(params, data, rows, rng) for rows in mine]
        params = server.apply_gradients(mean(sent), params)
        curve.append(accuracy(params, data.test_images, data.test_labels))
    return curve


def main() -> dict[str, list[float]]:
    """Compare three servers."""
    data = split()
    servers = {
        "averaging": gs.SGD(lr=1.0, maximize=True),
        "momentum": gs.SGD(lr=1.0, momentum=0.9, maximize=True),
        "Adam": gs.Adam.like("flower", lr=0.03, eps=1e-3),
    }
    curves = {name: run(server, data) for name, server in servers.items()}
    print("round  " + "  ".join(f"{name:>9}" for name in curves))
    for number in (0, 4, 9, 19, ROUNDS - 1):
        print(f"{number + 1:5}  " + "  ".join(f"{curve[number]:9.2%}" for curve in curves.values()))
    return curves


if __name__ == "__main__":
    main()
