"""A rate for each array, or for each element.

Arrays get theirs by their names: `groups=` takes a pattern for each, with the options of its group. The
elements of one array get theirs from outside: `updates` at a rate of 1 gives what would be added, to be
multiplied by an array of rates, as PyBOP has them for quantities of different scale.
"""

import numpy as np

import gradstep as gs

SCALES = np.array([1e-3, 1.0, 1e3])
TARGET = np.array([2e-3, -1.0, 5e3])


def by_array() -> dict[str, np.ndarray]:
    """Fit three arrays of different scale, each at a rate of its own."""
    names = ("small", "middle", "large")
    params = {name: np.zeros(1) for name in names}
    rates = {name: {"lr": 0.1 * scale} for name, scale in zip(names, SCALES, strict=True)}
    opt = gs.Adam(params, groups=rates)
    for _ in range(300):
        opt.step({name: 2 * (params[name] - TARGET[i]) for i, name in enumerate(names)})
    return params


def by_element(rates: np.ndarray) -> np.ndarray:
    """Fit one array whose elements are of different scale."""
    x = np.zeros(3)
    opt = gs.Adam(lr=1.0)
    for _ in range(300):
        x = x + rates * opt.updates(2 * (x - TARGET))
    return x


def main() -> dict[str, np.ndarray]:
    """Fit by both ways, and at one rate for all."""
    results = {
        "by array": np.concatenate(list(by_array().values())),
        "by element": by_element(0.1 * SCALES),
        "one rate": by_element(np.full(3, 0.1)),
    }
    for name, x in results.items():
        print(f"{name:10} off by {np.abs(x - TARGET).max():.3g}")
    return results


if __name__ == "__main__":
    main()
