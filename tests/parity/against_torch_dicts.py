"""Runs that begin in torch and go on here, and the other way."""

from __future__ import annotations

import warnings
from inspect import signature
from typing import Any

import numpy as np
import pytest
import torch
from against_torch import CASES, descend, in_their_words

import gradstep as gs
from trajectories import STEPS, TOLERANCES, Case, Params, gradient, start

BREAK = 20
#: Limits are no part of torch's optimizers.
MOVED = [case for case in CASES if not any(name.startswith("clip") for name in case.options)]


def in_torch(case: Case, params: Params) -> tuple[Any, dict[str, Any]]:
    """An optimizer of torch, and its tensors."""
    kind = getattr(torch.optim, case.rule)
    _, options = in_their_words(case.options, signature(kind))
    tensors = {name: torch.tensor(p, requires_grad=True) for name, p in params.items()}
    return kind(list(tensors.items()), **options), tensors


def here(case: Case, params: Params) -> gs.Optimizer:
    opt: gs.Optimizer = getattr(gs, case.rule).like("torch", params, **case.options)
    return opt


def moved_here(case: Case, theirs: Any, params: Params, step_count: int) -> gs.Optimizer:
    """The run of torch's optimizer with one of ours."""
    opt = here(case, params)
    # An Adam with decoupled decay is an AdamW to torch.
    rule = gs.Adam if case.rule == "Adam" else None
    saved = gs.from_torch_state_dict(theirs.state_dict(), params, rule=rule, step_count=step_count)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert opt.load_state_dict(saved) == {}
    return opt


def assert_together(
    opt: gs.Optimizer, params: Params, theirs: Any, tensors: Any, dtype: str, case: Case
) -> None:
    """Both go on as one."""
    steps = case.float32_steps if dtype == "float32" else STEPS
    path, largest = descend(tensors, theirs), {name: np.max(np.abs(p)) for name, p in start(dtype).items()}
    # As of the steps before the break.
    for t in range(max(steps - BREAK, 5)):
        opt.step(gradient(params, t))
        for name, p in next(path).items():
            largest[name] = max(largest[name], np.max(np.abs(p)))
            error = np.max(np.abs(params[name] - p)) / largest[name]
            assert error <= TOLERANCES[dtype], f"{case}, step {t + 1} after the break, {name}: {error:.2g}"


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("case", MOVED, ids=str)
def test_from_torch_and_back(case: Case, dtype: str) -> None:
    torch.set_default_dtype(getattr(torch, dtype))
    theirs, tensors = in_torch(case, start(dtype))
    for _, _ in zip(range(BREAK), descend(tensors, theirs), strict=False):
        pass
    params = {name: p.detach().numpy().copy() for name, p in tensors.items()}
    opt = moved_here(case, theirs, params, BREAK)
    for i, of_one in theirs.state_dict()["state"].items():
        for slot, tensor in of_one.items():
            if slot not in ("step", "mu_product") and tensor is not None:
                np.testing.assert_array_equal(opt.state[list(params)[i]][slot], tensor.numpy())
    assert_together(opt, params, theirs, tensors, dtype, case)

    again, tensors = in_torch(case, params)
    again.load_state_dict(gs.to_torch_state_dict(opt, tensor=torch.from_numpy))
    for group, wanted in zip(again.param_groups, theirs.param_groups, strict=True):
        assert {**group, "params": []} == {**wanted, "params": []}
    for name, p in tensors.items():
        for slot, array in opt.state[name].items():
            np.testing.assert_array_equal(again.state[p][slot].numpy(), array)
    assert_together(opt, params, again, tensors, dtype, case)


def test_a_parameter_without_gradients_and_complex_ones() -> None:
    torch.set_default_dtype(torch.float64)
    z, late = torch.tensor([1 + 2j, 3 - 1j], requires_grad=True), torch.ones(3, requires_grad=True)
    theirs = torch.optim.Adam([z, late], lr=0.1, amsgrad=True)
    for t in range(3):
        z.grad = torch.tensor([0.5 + t, 1j], dtype=z.dtype)
        theirs.step()
    params = {"z": z.detach().numpy().copy(), "late": late.detach().numpy().copy()}
    opt = gs.Adam(params, lr=0.1, amsgrad=True)
    opt.load_state_dict(gs.from_torch_state_dict(theirs.state_dict(), {"z": z, "late": late}))
    assert opt.counts == {"z": 3, "late": 0}
    z.grad, late.grad = torch.tensor([1j, 2.0], dtype=z.dtype), torch.tensor([1.0, 2.0, 3.0])
    theirs.step()
    opt.step({"z": z.grad.numpy(), "late": late.grad.numpy()})
    np.testing.assert_allclose(params["z"], z.detach().numpy(), rtol=1e-14)
    np.testing.assert_allclose(params["late"], late.detach().numpy(), rtol=1e-14)


def test_groups_and_rates_of_a_scheduler() -> None:
    model = torch.nn.Linear(3, 2)
    theirs = torch.optim.AdamW(
        [{"params": [model.weight]}, {"params": [model.bias], "weight_decay": 0.0}], lr=torch.tensor(0.5)
    )
    scheduler = torch.optim.lr_scheduler.ExponentialLR(theirs, 0.5)
    for _ in range(3):
        model(torch.ones(1, 3)).sum().backward()
        theirs.step()
        scheduler.step()
    params = [{"weight": model.weight.detach().numpy()}, {"bias": model.bias.detach().numpy()}]
    opt = gs.AdamW([{"params": params[0]}, {"params": params[1], "weight_decay": 0.0}], lr=0.0625)
    opt.load_state_dict(gs.from_torch_state_dict(theirs.state_dict(), ["0.weight", "1.bias"]))
    assert opt.step_count == 3
