"""What users of torch do around an optimizer: each habit takes what makes one, and gives a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from torch_networks import made, train

nn, schedulers = torch.nn, torch.optim.lr_scheduler

#: Optimizers, and what they are made with.
MADE: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 0.05, "momentum": 0.9},
    "Adam": {"lr": 0.01, "weight_decay": 0.1},
    "AdamW": {"lr": 0.01},
    "RMSprop": {"lr": 0.01, "momentum": 0.5},
    "Adagrad": {"lr": 0.05},
}

Make = Callable[..., Any]
#: What is done; it gives the network.
HABITS: dict[str, Callable[[Make], Any]] = {}


def habit(do: Callable[[Make], Any]) -> Callable[[Make], Any]:
    HABITS[do.__name__.replace("_", " ")] = do
    return do


def begun(make: Make, steps: int = 3, **options: Any) -> tuple[Any, Any, Any]:
    """A network that has made some steps, its loss and its optimizer."""
    net, loss = made("perceptron", torch.float64)
    opt = make(net.parameters(), **options)
    train(net, loss, opt, steps)
    return net, loss, opt


def scheduled(make: Make, of: Callable[[Any], Any], **options: Any) -> Any:
    net, loss, opt = begun(make, 0, **options)
    scheduler = of(opt)
    train(net, loss, opt, 12, then=lambda _: scheduler.step())
    return net


@habit
def one_cycle_of_rates_and_momenta(make: Make) -> Any:
    def of(opt: Any) -> Any:
        cycles = {"momentum", "betas"} & {*opt.defaults}
        return schedulers.OneCycleLR(opt, 0.02, total_steps=20, cycle_momentum=bool(cycles))

    return scheduled(make, of)


@habit
def warm_restarts(make: Make) -> Any:
    return scheduled(make, lambda opt: schedulers.CosineAnnealingWarmRestarts(opt, 3))


@habit
def one_scheduler_after_another(make: Make) -> Any:
    def of(opt: Any) -> Any:
        first, second = (
            schedulers.LinearLR(opt, 0.1, total_iters=4),
            schedulers.ExponentialLR(opt, 0.9),
        )
        return schedulers.SequentialLR(opt, [first, second], [4])

    return scheduled(make, of)


@habit
def a_rate_in_a_tensor_that_a_scheduler_writes(make: Make) -> Any:
    rate = torch.tensor(0.01, dtype=torch.float64)
    return scheduled(make, lambda opt: schedulers.ExponentialLR(opt, 0.9), lr=rate)


@habit
def a_plateau(make: Make) -> Any:
    net, loss, opt = begun(make, 0)
    scheduler = schedulers.ReduceLROnPlateau(opt, patience=1)
    train(net, loss, opt, 9, then=lambda _: scheduler.step(1.0))
    assert opt.param_groups[0]["lr"] < MADE[type(opt).__name__]["lr"] / 50
    return net


@habit
def averages_of_a_model(make: Make) -> Any:
    net, loss, opt = begun(make, 0)
    swa = torch.optim.swa_utils
    averaged = swa.AveragedModel(net, multi_avg_fn=swa.get_ema_multi_avg_fn(0.9))
    scheduler = swa.SWALR(opt, swa_lr=0.005)

    def then(_: Any) -> None:
        averaged.update_parameters(net)
        scheduler.step()

    train(net, loss, opt, 6, then=then)
    return averaged


@habit
def a_search_that_goes_back(make: Make) -> Any:
    net, loss, opt = begun(make, 0)

    def closure() -> Any:
        opt.zero_grad()
        value = loss(net, torch.Generator().manual_seed(1))
        value.backward()
        return value

    for _ in range(5):
        before = [p.detach().clone() for p in net.parameters()]
        with torch.no_grad():
            value = opt.step(closure)
            if loss(net, torch.Generator().manual_seed(1)) > 0.95 * value:
                for p, old in zip(net.parameters(), before, strict=True):
                    p.copy_(old)
                opt.param_groups[0]["lr"] *= 0.5
    return net


@habit
def a_step_inside_of_a_closure(make: Make) -> Any:
    net, loss, opt = begun(make)
    calls: list[Any] = []

    def closure() -> Any:
        opt.zero_grad()
        value = loss(net, torch.Generator().manual_seed(1))
        value.backward()
        if not calls:
            calls.append(opt.step())
        return value

    opt.step(closure)
    return net


@habit
def a_hook_that_writes_the_rate(make: Make) -> Any:
    net, loss, opt = begun(make, 0)
    given: list[Any] = []

    def before(opt: Any, args: Any, kwargs: Any) -> None:
        given.append((len(args), kwargs))
        opt.param_groups[0]["lr"] *= 0.5

    opt.register_step_pre_hook(before)
    opt.register_step_post_hook(lambda _, args, kwargs: given.append((len(args), kwargs)))
    train(net, loss, opt, 3)
    assert given == 6 * [(1, {})]  # as in torch, the optimizer itself
    opt.step(lambda: None)
    assert given[-1] == (2, {})
    return net


@habit
def steps_in_the_middle_of_a_backward_pass(make: Make) -> Any:
    net, loss = made("perceptron", torch.float64)
    opts = {p: make([p]) for p in net.parameters()}

    def at_once(p: Any) -> None:
        opts[p].step()
        opts[p].zero_grad()

    for p in net.parameters():
        p.register_post_accumulate_grad_hook(at_once)
    for i in range(4):
        loss(net, torch.Generator().manual_seed(i)).backward()
    return net


@habit
def gradients_that_come_and_go(make: Make) -> Any:
    net, loss, opt = begun(make)
    for i in range(8):
        net[2].weight.requires_grad_(i % 3 != 1)
        opt.zero_grad(set_to_none=i % 2 == 0)
        loss(net, torch.Generator().manual_seed(i)).backward()
        if i % 4 == 3:
            net[0].weight.grad = None
        opt.step()
    return net


@habit
def gradients_added_up(make: Make) -> Any:
    net, loss, opt = begun(make)
    opt.zero_grad()
    for i in range(6):
        (loss(net, torch.Generator().manual_seed(i)) / 3).backward()
        if i % 3 == 2:
            opt.step()
            opt.zero_grad()
    return net


@habit
def gradients_in_the_memory_of_parameters_and_of_each_other(make: Make) -> Any:
    net, _, opt = begun(make, weight_decay=0.0)  # which torch's AdamW would see in the gradient
    net[0].weight.grad = net[0].weight.data
    net[0].bias.grad = net[2].bias.grad = torch.ones(32, dtype=torch.float64)
    for _ in range(2):
        opt.step()
    return net
