"""Steps whose gradients are not finite: skipped, with a log, and an end when there are too many in a row.

With `nonfinite="skip"` such a step moves nothing, no parameter, no state, no count: `step` returns False, and
`opt.skipped` counts it. Which arrays it was says the error of `nonfinite="raise"`, asked for on the spot.
"""

import numpy as np

import gradstep as gs

MOST_IN_A_ROW = 3


def gradients(step: int, params: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Compute those of w² + b², with a fault in some steps."""
    grads = {name: 2 * p for name, p in params.items()}
    if step in (3, 4, 20) or step > 40:
        grads["w"][0] = np.nan
    return grads


def why(opt: gs.Optimizer, grads: dict[str, np.ndarray]) -> str:
    """Ask which arrays they were."""
    opt.nonfinite = "raise"
    try:
        opt.step(grads)
    except gs.NonFiniteError as error:
        return str(error)
    finally:
        opt.nonfinite = "skip"
    return "they are finite"


def main() -> dict[str, object]:
    """Descend until too many steps in a row were skipped."""
    params = {"w": np.ones(3), "b": np.ones(1)}
    opt = gs.Adam(params, lr=0.1, nonfinite="skip")
    log: list[str] = []
    in_a_row = step = 0
    while in_a_row < MOST_IN_A_ROW:
        grads = gradients(step, params)
        if opt.step(grads):
            in_a_row = 0
        else:
            in_a_row += 1
            log.append(f"step {step} skipped: {why(opt, grads)}")
        step += 1
    print(*log, f"{MOST_IN_A_ROW} in a row: stopped after {opt.step_count} updates", sep="\n")
    finite = all(bool(np.isfinite(p).all()) for p in params.values())
    return {"log": log, "skipped": opt.skipped, "updates": opt.step_count, "finite": finite}


if __name__ == "__main__":
    main()
