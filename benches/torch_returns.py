"""Whether PPO comes to the same returns by gradstep's steps as by torch's: whole runs, paired by seed.

The runs are those of docs/torch/cartpole.py. Two questions are asked:

- ``--double``: in float64 roundings do not grow to what changes an action within a run. Is every episode
  of every run as long as with torch, to the step?
- Without it, in float32, they do grow. Are the returns as far from those of torch's default as are those of
  torch itself, where only roundings differ: with ``fused=True``, and from first weights moved by one bit?

``python benches/torch_returns.py --seeds 40 --keep returns.jsonl`` goes on with what the file has. And
``--roundings`` tells how far the parameters are from those of float64 after some hundred steps of float32.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import torch
from numpy.typing import NDArray

FIRST = "torch"
NUDGED = "torch, one bit moved"
CONTENDERS = (FIRST, "torch fused", NUDGED, "gradstep", "gradstep with clip norm")
#: How many times signs are drawn for the test.
DRAWS = 100_000


class Run(TypedDict):
    """What came of one run: how long each episode was, and the mean of the last hundred."""

    optimizer: str
    seed: int
    double: bool
    steps: int
    lasted: list[int]


def program() -> Any:
    """Load docs/torch/cartpole.py, with one contender more."""
    path = Path(__file__).parent.parent / "docs" / "torch" / "cartpole.py"
    spec = importlib.util.spec_from_file_location("cartpole", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def nudged(params: Any, steps: int) -> Any:
        params = list(params)
        with torch.no_grad():
            for p in params:
                p.copy_(torch.nextafter(p, torch.full_like(p, torch.inf)))
        return module.OPTIMIZERS[FIRST][0](params, steps)

    module.OPTIMIZERS[NUDGED] = nudged, False
    return module


def played(cartpole: Any, optimizer: str, seed: int, double: bool, steps: int) -> Run:
    """Train once."""
    torch.set_default_dtype(torch.float64 if double else torch.float32)
    iterations = max(1, steps // cartpole.BATCH)
    training = cartpole.Training(optimizer, seed, iterations)
    for _ in range(iterations):
        training.iterate()
    lasted = [int(age) for age in training.lasted]
    return {"optimizer": optimizer, "seed": seed, "double": double, "steps": steps, "lasted": lasted}


def all_played(given: argparse.Namespace) -> dict[str, list[Run]]:
    """Train with every optimizer from every seed, or read what came of it."""
    cartpole = program()
    kept: dict[tuple[str, int, bool, int], Run] = {}
    if given.keep is not None and given.keep.exists():
        for line in given.keep.read_text(encoding="utf-8").splitlines():
            run: Run = json.loads(line)
            kept[run["optimizer"], run["seed"], run["double"], run["steps"]] = run
    runs: dict[str, list[Run]] = {name: [] for name in CONTENDERS if name not in given.without}
    for seed in range(given.first, given.first + given.seeds):
        for name in runs:
            key = name, seed, given.double, given.steps
            if key not in kept:
                kept[key] = played(cartpole, *key)
                if given.keep is not None:
                    with given.keep.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(kept[key]) + "\n")
            runs[name].append(kept[key])
    return runs


def returns(runs: list[Run]) -> NDArray[np.float64]:
    """Give the mean return of the last hundred episodes of each run."""
    return np.array([np.mean(run["lasted"][-100:]) for run in runs])


def chance(differences: NDArray[np.float64]) -> float:
    """Give how often differences of random signs have a mean as far from 0: the exact test of paired runs."""
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (DRAWS, len(differences)))
    means = abs((signs * differences).mean(axis=1))
    return float(np.mean(means >= abs(differences.mean()) - 1e-12))


def show(runs: dict[str, list[Run]]) -> None:
    """Print how the runs of each optimizer compare with those of torch's default."""
    first = returns(runs[FIRST])
    print("| optimizer | return | less torch's | chance | apart in a run | same runs | same episodes |")
    print("|---|---|---|---|---|---|---|")
    for name, of_one in runs.items():
        own = returns(of_one)
        row = f"| {name} | {own.mean():.1f} ± {own.std(ddof=1):.1f} |"
        if name == FIRST:
            print(f"{row} | | | | |")
            continue
        differences = own - first
        error = differences.std(ddof=1) / len(own) ** 0.5
        pairs = [(a["lasted"], b["lasted"]) for a, b in zip(of_one, runs[FIRST], strict=True)]
        runs_alike = sum(a == b for a, b in pairs)
        alike = sum(alike_at_first(a, b) for a, b in pairs)
        episodes = sum(len(b) for _, b in pairs)
        print(
            f"{row} {differences.mean():+.1f} ± {error:.1f} | {chance(differences):.2f} "
            f"| {abs(differences).mean():.1f} | {runs_alike} of {len(pairs)} | {alike:,} of {episodes:,} |"
        )


def alike_at_first(a: list[int], b: list[int]) -> int:
    """Count the episodes of the same length until the first that is of another."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def roundings(steps: int = 300, count: int = 20_000) -> dict[str, tuple[float, float]]:
    """Print and give how far float32 ends from float64, and where to, by steps of each optimizer."""
    cartpole = program()
    random = torch.Generator().manual_seed(0)
    start = torch.randn(count, generator=random) / 10
    grads = [torch.randn(count, generator=random) / 100 for _ in range(steps)]

    def end(name: str, dtype: Any) -> Any:
        p = torch.nn.Parameter(start.to(dtype).clone())
        opt, scheduler = cartpole.OPTIMIZERS[name][0]([p], steps)
        for g in grads:
            p.grad = g.to(dtype)
            opt.step()
            scheduler.step()
        return p.detach().double()

    exact = end(FIRST, torch.float64)
    found = {}
    print("| optimizer | root mean square | mean |")
    print("|---|---|---|")
    for name in (FIRST, "torch foreach", "torch fused", "gradstep"):
        errors = end(name, torch.float32) - exact
        found[name] = float(errors.square().mean().sqrt()), float(errors.mean())
        print(f"| {name} | {found[name][0]:.2e} | {found[name][1]:+.1e} ± {errors.std() / count**0.5:.1e} |")
    return found


def main(arguments: list[str] | None = None) -> dict[str, list[Run]]:
    """Train, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10, help="how many runs of each")
    parser.add_argument("--first", type=int, default=0, help="the first of the seeds")
    parser.add_argument("--steps", type=int, default=100_000, help="of all environments together")
    parser.add_argument("--without", nargs="*", default=[], choices=CONTENDERS[1:], help="leave these out")
    parser.add_argument("--double", action="store_true", help="all of it in float64")
    parser.add_argument("--keep", type=Path, help="a file of the runs, which is gone on with")
    parser.add_argument("--roundings", action="store_true", help="only compare float32 with float64")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if given.roundings:
        roundings()
        return {}
    try:
        runs = all_played(given)
    finally:
        torch.set_default_dtype(torch.float32)
    show(runs)
    return runs


if __name__ == "__main__":
    main()
