"""The update rules in PyTorch, on tensors that share the arrays' memory. Imported only where torch is."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch

import gradstep as gs
from gradstep.bench import hypers
from gradstep.bench.workloads import Floats

Make = Callable[[list[Floats], list[Floats]], Callable[[], object]]

BETAS = (hypers.BETA1, hypers.BETA2)
OPTIMIZERS: Mapping[str, tuple[Any, dict[str, Any]]] = {
    "sgd": (torch.optim.SGD, {}),
    "momentum": (torch.optim.SGD, {"momentum": hypers.MOMENTUM}),
    "adagrad": (torch.optim.Adagrad, {"eps": hypers.ADAGRAD_EPS}),
    "rmsprop": (torch.optim.RMSprop, {"alpha": hypers.ALPHA, "eps": hypers.EPS}),
    "adam": (torch.optim.Adam, {"betas": BETAS, "eps": hypers.EPS}),
    "adamw": (torch.optim.AdamW, {"betas": BETAS, "eps": hypers.EPS, "weight_decay": hypers.WEIGHT_DECAY}),
    "adam-clip": (torch.optim.Adam, {"betas": BETAS, "eps": hypers.EPS}),
}


def steps(implementation: str) -> dict[str, Make]:
    """Make the steps of one of torch's implementations: "loop" (torch's default), "foreach" or "fused".

    Rules that torch does not have in it are left out.
    """
    flags = {"foreach": implementation == "foreach"}
    if implementation == "fused":
        flags = {"fused": True}
    return {
        key: maker(optimizer, {**options, **flags}, clips=key == "adam-clip")
        for key, (optimizer, options) in OPTIMIZERS.items()
        if flags.keys() <= inspect.signature(optimizer).parameters.keys()
    }


def maker(optimizer: Any, options: dict[str, Any], *, clips: bool) -> Make:
    """Make the function that makes a step."""

    def make(params: list[Floats], grads: list[Floats]) -> Callable[[], object]:
        torch.set_num_threads(gs.get_num_threads())
        tensors = [torch.nn.Parameter(torch.from_numpy(p)) for p in params]
        for tensor, g in zip(tensors, grads, strict=True):
            tensor.grad = torch.from_numpy(g)
        opt = optimizer(tensors, lr=hypers.LR, **options)
        step: Callable[[], object] = opt.step
        if not clips:
            return step

        def clip_and_step() -> None:
            torch.nn.utils.clip_grad_norm_(tensors, hypers.MAX_NORM)
            step()

        return clip_and_step

    return make


def scheduler(lr: float, warmup: int, decay: int) -> Callable[[], object]:
    """Make the step of a scheduler: linear warmup, then a cosine."""
    opt = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    phases = [
        torch.optim.lr_scheduler.LinearLR(opt, start_factor=1 / (warmup + 1), total_iters=warmup),
        torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=decay),
    ]
    # torch warns where a scheduler steps before its optimizer.
    opt.step()
    step: Callable[[], object] = torch.optim.lr_scheduler.SequentialLR(opt, phases, milestones=[warmup]).step
    return step
