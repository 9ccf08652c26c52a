"""Whole iterations of a PPO-like loop in torch, by torch's optimizers and by gradstep's, in paired ratios.

Two networks of 64 and 64, batches of 64, one thread. Each contender has its own networks, which are all the
same at first; they take turns, iteration by iteration, in another order each time, so that whatever the
machine does meets all of them. ``python benches/torch_loops.py`` prints the tables that docs/torch.md has.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

import gradstep as gs
import gradstep.torch

#: What makes an optimizer of a network's parameters. The last one is what the others are compared with.
CONTENDERS: dict[str, Callable[[Any], Any]] = {
    "torch, default": lambda params: torch.optim.Adam(params, lr=3e-4),
    "torch, foreach": lambda params: torch.optim.Adam(params, lr=3e-4, foreach=True),
    "torch, fused": lambda params: torch.optim.Adam(params, lr=3e-4, fused=True),
    "gradstep.torch": lambda params: gradstep.torch.Adam(params, lr=3e-4),
}
OURS = "gradstep.torch"


class Player:
    """An actor, a critic and their optimizer, with the time of the iteration and of its parts."""

    def __init__(self, make: Callable[[Any], Any], batch: int) -> None:
        torch.manual_seed(0)
        self.actor, self.critic = network(4), network(1)
        self.opt = make([*self.actor.parameters(), *self.critic.parameters()])
        self.seen = torch.randn(batch, 8)
        self.actions = torch.randint(4, (batch, 1))
        self.chances, self.advantages, self.returns = (torch.randn(batch) for _ in range(3))

    def iterate(self) -> tuple[float, float]:
        """Take one step as PPO does; give the seconds of all of it, and of ``step`` and ``zero_grad``."""
        begun = time.perf_counter()
        odds = self.actor(self.seen).log_softmax(-1)
        ratio = (odds.gather(1, self.actions)[:, 0] - self.chances).exp()
        clipped = torch.min(self.advantages * ratio, self.advantages * ratio.clamp(0.8, 1.2))
        entropy = -(odds.exp() * odds).sum(-1).mean()
        error = (self.critic(self.seen)[:, 0] - self.returns).square().mean()
        loss: Any = -clipped.mean() + 0.5 * error - 0.01 * entropy
        before = time.perf_counter()
        self.opt.zero_grad()
        cleared = time.perf_counter()
        loss.backward()
        gone = time.perf_counter()
        self.opt.step()
        ended = time.perf_counter()
        return ended - begun, ended - gone + cleared - before


def network(outputs: int) -> nn.Sequential:
    """Make a network of 64 and 64."""
    return nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, outputs))


def race(rounds: int, batch: int) -> dict[str, list[tuple[float, float]]]:
    """Let all contenders take turns."""
    players = {name: Player(make, batch) for name, make in CONTENDERS.items()}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in players}
    order = list(players)
    random = np.random.default_rng(0)
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            times[name].append(players[name].iterate())
    return {name: of_one[rounds // 10 :] for name, of_one in times.items()}


def show(times: dict[str, list[tuple[float, float]]]) -> None:
    """Print the medians, and those of the paired ratios."""
    print("| optimizer | iteration, µs | step and zero_grad, µs | gradstep's iteration: times as fast |")
    print("|---|---|---|---|")
    for name, of_one in times.items():
        whole, own = (1e6 * statistics.median(row[i] for row in of_one) for i in range(2))
        ratio = statistics.median(a[0] / b[0] for a, b in zip(of_one, times[OURS], strict=True))
        print(f"| {name} | {whole:.0f} | {own:.0f} | {ratio:.2f} |")


def overhead(rounds: int) -> None:
    """Print what a step of twelve tensors takes beyond the native step of twelve arrays."""
    params = [*network(4).parameters(), *network(1).parameters()]
    arrays = [p.detach().numpy().copy() for p in params]
    ours, native = gradstep.torch.Adam(params), gs.Adam(arrays)
    pool = [[torch.randn_like(p) for p in params] for _ in range(8)]
    beyond, alone, scheduled = [], [], []
    for i in range(rounds):
        grads = pool[i % 8]
        views = [g.numpy() for g in grads]
        for p, g in zip(params, grads, strict=True):
            p.grad = g.clone()
        begun = time.perf_counter()
        native.step(views)
        between = time.perf_counter()
        ours.step()
        ended = time.perf_counter()
        beyond.append((ended - between) - (between - begun))
        alone.append(between - begun)
        ours.param_groups[0]["lr"] = 1e-3 / (1 + i)
        begun = time.perf_counter()
        ours.step()
        scheduled.append(time.perf_counter() - begun - alone[-1])
    for what, found in (
        ("native step of 12 arrays", alone),
        ("beyond it, of 12 tensors", beyond),
        ("the same where a scheduler has set another rate", scheduled),
    ):
        print(f"{what}: {1e6 * statistics.median(found[rounds // 10 :]):.1f} µs")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=4000)
    parser.add_argument("--batch", type=int, default=64)
    given = parser.parse_args()
    torch.set_num_threads(1)
    gs.set_num_threads(1)
    gc.disable()
    show(race(given.rounds, given.batch))
    print()
    overhead(given.rounds)


if __name__ == "__main__":
    main()
