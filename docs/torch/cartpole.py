"""PPO on CartPole: a pole is kept upright by a policy of torch, trained by one optimizer or another.

The algorithm is that of CleanRL's ``ppo.py`` with its settings: eight environments, 128 steps of each between
updates, four epochs of four minibatches, networks of 64 and 64, a rate that falls to nothing, gradients
limited to a norm of 0.5. The environment is CartPole-v1's equations of motion, written in NumPy. Nothing but
the optimizer differs between the runs:

    python docs/torch/cartpole.py --optimizer torch
    python docs/torch/cartpole.py --optimizer gradstep --seeds 3
    python docs/torch/cartpole.py --all
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

import gradstep as gs
import gradstep.torch

ENVIRONMENTS, STEPS, EPOCHS, MINIBATCHES = 8, 128, 4, 4
RATE, GAMMA, LAMBDA, CLIP, ENTROPY, VALUE, MAX_NORM = 2.5e-4, 0.99, 0.95, 0.2, 0.01, 0.5, 0.5
BATCH = ENVIRONMENTS * STEPS

Optimizer = torch.optim.Optimizer


class CartPoles:
    """Poles on carts, several at once: forces of ±10 N, steps of 20 ms, at most 500 of them."""

    def __init__(self, count: int, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.state = self.fresh(count)
        self.age = np.zeros(count, int)

    def fresh(self, count: int) -> NDArray[np.float64]:
        """Begin nearly upright and at rest."""
        return self.random.uniform(-0.05, 0.05, (count, 4))

    def step(self, right: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[Any]]:
        """Push the carts; give where they are, which began anew, and how long these had lasted."""
        _, speed, angle, turning = self.state.T
        force, sin, cos = np.where(right, 10.0, -10.0), np.sin(angle), np.cos(angle)
        push = (force + 0.05 * turning**2 * sin) / 1.1
        twist = (9.8 * sin - cos * push) / (0.5 * (4 / 3 - 0.1 * cos**2 / 1.1))
        slide = push - 0.05 * twist * cos / 1.1
        self.state = self.state + 0.02 * np.stack([speed, slide, turning, twist], axis=1)
        self.age += 1
        fallen = (
            (abs(self.state[:, 0]) > 2.4) | (abs(self.state[:, 2]) > np.deg2rad(12.0)) | (self.age >= 500)
        )
        lasted = self.age[fallen]
        self.state[fallen], self.age[fallen] = self.fresh(len(lasted)), 0
        return self.state, fallen, lasted


class Agent(nn.Module):
    """An actor and a critic."""

    def __init__(self) -> None:
        super().__init__()
        self.actor, self.critic = network(2, 0.01), network(1, 1.0)


def network(outputs: int, gain: float) -> nn.Sequential:
    """Make a network of two hidden layers with orthogonal weights."""
    layers = [nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, outputs)]
    for layer, scale in zip(layers[::2], (2**0.5, 2**0.5, gain), strict=True):
        nn.init.orthogonal_(layer.weight, scale)  # type: ignore[arg-type]
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return nn.Sequential(*layers)


#: What makes an optimizer that lowers its rate over so many steps; and whether it limits the norm itself.
OPTIMIZERS: dict[str, tuple[Callable[[Any, int], tuple[Optimizer, Any]], bool]] = {}


def contender(limits: bool) -> Callable[[Callable[[Any, int], tuple[Optimizer, Any]]], Any]:
    """Enter an optimizer in the table."""

    def enter(make: Callable[[Any, int], tuple[Optimizer, Any]]) -> Any:
        OPTIMIZERS[make.__name__.rstrip("_").replace("_", " ")] = make, limits
        return make

    return enter


def falling(opt: Optimizer, steps: int) -> tuple[Optimizer, Any]:
    """Let torch lower the rate to nothing."""
    return opt, torch.optim.lr_scheduler.LambdaLR(opt, lambda t: 1.0 - t / steps)


@contender(limits=False)
def torch_(params: Any, steps: int) -> tuple[Optimizer, Any]:
    """As CleanRL has it."""
    return falling(torch.optim.Adam(params, lr=RATE, eps=1e-5), steps)


@contender(limits=False)
def torch_foreach(params: Any, steps: int) -> tuple[Optimizer, Any]:
    """The same for all tensors at once."""
    return falling(torch.optim.Adam(params, lr=RATE, eps=1e-5, foreach=True), steps)


@contender(limits=False)
def torch_fused(params: Any, steps: int) -> tuple[Optimizer, Any]:
    """The same in a kernel of its own."""
    return falling(torch.optim.Adam(params, lr=RATE, eps=1e-5, fused=True), steps)


@contender(limits=False)
def gradstep_(params: Any, steps: int) -> tuple[Optimizer, Any]:
    """One line is another."""
    return falling(gradstep.torch.Adam(params, lr=RATE, eps=1e-5), steps)


@contender(limits=True)
def gradstep_with_clip_norm(params: Any, steps: int) -> tuple[Optimizer, Any]:
    """The limit and the schedule are part of the step, too."""
    rate = gs.schedules.Linear(RATE, 0.0, steps)
    return gradstep.torch.Adam(params, lr=rate, eps=1e-5, clip_norm=MAX_NORM), None


class Training:
    """A run, an iteration at a time.

    Attributes:
        seconds: what each iteration took; and what its updates took: gradients, limit and step.
        lasted: how long each pole stood that has fallen so far.
    """

    def __init__(self, name: str, seed: int, iterations: int) -> None:
        torch.manual_seed(seed)
        self.generator = torch.Generator().manual_seed(seed)
        self.agent, self.poles = Agent(), CartPoles(ENVIRONMENTS, seed)
        make, self.limits = OPTIMIZERS[name]
        self.opt, self.scheduler = make(self.agent.parameters(), iterations * EPOCHS * MINIBATCHES)
        self.seconds: list[tuple[float, float]] = []
        self.lasted: list[float] = []

    def iterate(self) -> None:
        """Play and learn."""
        begun = time.perf_counter()
        batch, lasted = play(self.agent, self.poles, self.generator)
        self.lasted += lasted
        before = time.perf_counter()
        for _ in range(EPOCHS):
            for part in torch.randperm(BATCH, generator=self.generator).reshape(MINIBATCHES, -1):
                self.opt.zero_grad()
                loss(self.agent, [field[part] for field in batch]).backward()  # type: ignore[no-untyped-call]
                if not self.limits:
                    nn.utils.clip_grad_norm_(self.agent.parameters(), MAX_NORM)
                self.opt.step()
                if self.scheduler is not None:
                    self.scheduler.step()
        ended = time.perf_counter()
        self.seconds.append((ended - begun, ended - before))

    def standing(self) -> float:
        """Give how long the last hundred poles stood on average."""
        return float(np.mean(self.lasted[-100:]))


@torch.no_grad()
def play(
    agent: Agent, poles: CartPoles, generator: torch.Generator
) -> tuple[list[torch.Tensor], list[float]]:
    """Let the actor act, and compute the advantages of what it did."""
    seen = torch.zeros(STEPS, ENVIRONMENTS, 4)
    actions = torch.zeros(STEPS, ENVIRONMENTS, dtype=torch.int64)
    chances, values, over = (torch.zeros(STEPS + 1, ENVIRONMENTS) for _ in range(3))
    ages: list[float] = []
    for t in range(STEPS):
        seen[t] = torch.from_numpy(poles.state)
        odds = agent.actor(seen[t]).log_softmax(-1)
        actions[t] = torch.multinomial(odds.exp(), 1, generator=generator)[:, 0]
        chances[t] = odds.gather(1, actions[t][:, None])[:, 0]
        values[t] = agent.critic(seen[t])[:, 0]
        _, fallen, lasted = poles.step(actions[t].numpy() == 1)
        over[t] = torch.from_numpy(fallen.astype(np.float32))
        ages += lasted.tolist()
    values[STEPS] = agent.critic(torch.as_tensor(poles.state, dtype=values.dtype))[:, 0]
    advantages, later = torch.zeros(STEPS, ENVIRONMENTS), torch.zeros(ENVIRONMENTS)
    for t in reversed(range(STEPS)):
        goes_on = 1.0 - over[t]
        delta = 1.0 + GAMMA * values[t + 1] * goes_on - values[t]
        advantages[t] = later = delta + GAMMA * LAMBDA * goes_on * later
    returns = advantages + values[:STEPS]
    return [
        field.flatten(0, 1) for field in (seen, actions, chances[:STEPS], advantages, returns, values[:STEPS])
    ], ages


def loss(agent: Agent, batch: list[torch.Tensor]) -> torch.Tensor:
    """Compute PPO's clipped losses of policy and value, and the entropy."""
    seen, actions, chances, advantages, returns, values = batch
    odds = agent.actor(seen).log_softmax(-1)
    ratio = (odds.gather(1, actions[:, None])[:, 0] - chances).exp()
    advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    policy = torch.max(-advantages * ratio, -advantages * ratio.clamp(1 - CLIP, 1 + CLIP)).mean()
    value = agent.critic(seen)[:, 0]
    near = values + (value - values).clamp(-CLIP, CLIP)
    errors = torch.max((value - returns) ** 2, (near - returns) ** 2)
    entropy = -(odds.exp() * odds).sum(-1).mean()
    total: torch.Tensor = policy - ENTROPY * entropy + VALUE * 0.5 * errors.mean()
    return total


def main(arguments: list[str] | None = None) -> dict[str, list[Training]]:
    """Train with each optimizer that was asked for, in turns of an iteration, and tell how it went."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--optimizer", choices=OPTIMIZERS, default="gradstep")
    parser.add_argument("--all", action="store_true", help="each optimizer, in turns")
    parser.add_argument("--seeds", type=int, default=1, help="how many runs of each")
    parser.add_argument("--steps", type=int, default=100_000, help="of all environments together")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    names = list(OPTIMIZERS) if given.all else [given.optimizer]
    runs: dict[str, list[Training]] = {name: [] for name in names}
    iterations = max(1, given.steps // BATCH)
    for seed in range(given.seeds):
        for name in names:
            runs[name].append(Training(name, seed, iterations))
        for _ in range(iterations):
            for name in names:
                runs[name][-1].iterate()
    first = np.concatenate([run.seconds for run in runs[names[0]]])
    print(f"| {'optimizer':24} | seconds | of updates | as fast | updates as fast | steps stood at the end |")
    print("|---|---|---|---|---|---|")
    for name, of_one in runs.items():
        seconds = np.concatenate([run.seconds for run in of_one])
        whole, updates = seconds.sum(axis=0) / given.seeds
        ratio, of_updates = np.median(first / seconds, axis=0)
        stood = ", ".join(f"{run.standing():.0f}" for run in of_one)
        print(f"| {name:24} | {whole:.1f} | {updates:.1f} | {ratio:.2f} | {of_updates:.2f} | {stood} |")
    return runs


if __name__ == "__main__":
    main()
