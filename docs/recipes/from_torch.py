"""Start from torch: a training that began there goes on here, and may go back.

In torch, parameters and the state of their optimizer are had by

    params = {name: p.detach().numpy() for name, p in model.named_parameters()}
    theirs = optimizer.state_dict()

whose arrays share torch's memory, so that steps here move the model there, and back again by

    optimizer.load_state_dict(gs.to_torch_state_dict(opt, tensor=torch.from_numpy))

torch need not be installed to read a dict whose tensors are arrays already. This program makes one itself,
in the middle of a training, and sees that it ends as it does without the detour.
"""

import numpy as np

import gradstep as gs

STEPS, BREAK = 100, 40

Arrays = dict[str, np.ndarray]


def gradients(params: Arrays) -> Arrays:
    """Compute those of the squared error of a line."""
    x = np.linspace(-1.0, 1.0, 50)
    error = params["weight"] * x + params["bias"] - (3.0 * x - 1.0)
    return {"weight": np.array([np.mean(error * x)]), "bias": np.array([np.mean(error)])}


def start() -> Arrays:
    """Make new parameters."""
    return {"weight": np.zeros(1), "bias": np.zeros(1)}


def go_on(params: Arrays, theirs: dict[str, object]) -> gs.Optimizer:
    """Make an optimizer that is where torch's was."""
    opt = gs.AdamW(params, lr=0.1, amsgrad=True)
    opt.load_state_dict(gs.from_torch_state_dict(theirs, names=list(params)))
    return opt


def main() -> dict[str, object]:
    """Train with and without the detour."""
    straight = start()
    opt = gs.AdamW(straight, lr=0.1, amsgrad=True)
    for _ in range(STEPS):
        opt.step(gradients(straight))

    params = start()
    first = gs.AdamW(params, lr=0.1, amsgrad=True)
    for _ in range(BREAK):
        first.step(gradients(params))
    theirs = gs.to_torch_state_dict(first)
    for key, value in theirs["param_groups"][0].items():
        print(f"{key:24} {value}")
    second = go_on(params, theirs)
    print(f"goes on after step {second.step_count}")
    while second.step_count < STEPS:
        second.step(gradients(params))
    same = all(np.array_equal(params[name], p) for name, p in straight.items())
    print(f"weight {params['weight'][0]:.3f}, bias {params['bias'][0]:.3f}; the same as without: {same}")
    return {"step_count": second.step_count, "same": same, "keys": list(theirs["param_groups"][0])}


if __name__ == "__main__":
    main()
