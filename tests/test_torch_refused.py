"""What a step of gradstep.torch refuses, and that nothing is changed then."""

from __future__ import annotations

import re
from typing import Any

import pytest

import gradstep as gs

torch = pytest.importorskip("torch", reason="gigabytes: `make test-torch` installs it")

import gradstep.torch  # noqa: E402
from gradstep.torch import engine  # noqa: E402
from torch_looks import look, parameter  # noqa: E402, F401

pytestmark = pytest.mark.usefixtures("look")


def test_bad_gradients_change_nothing() -> None:
    p, q = parameter(2, 2), parameter(2)
    opt = gradstep.torch.Adam([q, p], lr=0.1)
    q.grad = torch.ones(2)
    p.grad = torch.eye(2).to_sparse()
    with pytest.raises(
        TypeError, match=r"grads\['0.1'\] is a [Tt]ensor with layout torch.sparse_coo on cpu; dense"
    ):
        opt.step()
    assert (q.tolist(), opt.step_count, len(opt.state)) == ([1.0, 1.0], 0, 0)


BAD_PARAMETERS: dict[str, tuple[Any, type[Exception], str]] = {
    "meta": (
        lambda: torch.ones(2, device="meta"),
        TypeError,
        "params['0.0'] is a tensor with layout torch.strided on meta; dense tensors on the CPU are updated",
    ),
    "sparse": (
        lambda: torch.eye(2).to_sparse(),
        TypeError,
        "params['0.0'] is a tensor with layout torch.sparse_coo on cpu; dense tensors on the CPU are updated",
    ),
    "bfloat16": (
        lambda: torch.ones(2, dtype=torch.bfloat16),
        TypeError,
        "params['0.0'] has dtype bfloat16; float32, float64, complex64, complex128 are updated; keep the "
        "parameters in float32, their gradients may be bfloat16",
    ),
    "integers": (
        lambda: torch.ones(2, dtype=torch.int64),
        TypeError,
        "params['0.0'] has dtype int64; float32, float64, complex64, complex128 are updated",
    ),
    "a conjugate": (
        lambda: torch.ones(2, dtype=torch.complex64).conj(),
        ValueError,
        "params['0.0'] is a lazy conjugate or negative; resolve_conj() or resolve_neg() makes its own",
    ),
    "gaps": (lambda: torch.ones(4)[::2], ValueError, "params['0.0'] is not dense in memory"),
    "an expanded one": (lambda: torch.ones(1).expand(3), ValueError, "params['0.0'] is not dense in memory"),
}


@pytest.mark.parametrize("case", BAD_PARAMETERS)
def test_bad_parameters_are_refused(case: str) -> None:
    make, error, message = BAD_PARAMETERS[case]
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        gradstep.torch.SGD([make()])


def test_parameters_that_share_memory_are_refused() -> None:
    memory = torch.ones(4)
    with pytest.raises(ValueError, match="share memory"):
        gradstep.torch.SGD([memory[:3], memory[2:]])


BAD_OPTIONS: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "capturable": (
        {"capturable": True},
        ValueError,
        "param_groups[0]['capturable'] must be False: there is no CUDA",
    ),
    "differentiable": (
        {"differentiable": True},
        ValueError,
        "param_groups[0]['differentiable'] must be False: ",
    ),
    "a rate": ({"lr": -1.0}, ValueError, "lr of params[0] must be finite and at least 0, got -1.0"),
    "a rate of two": (
        {"lr": torch.ones(2)},
        ValueError,
        "param_groups[0]['lr'] must be a number, got a tensor of",
    ),
    "betas": ({"betas": 0.9}, ValueError, "param_groups[0]['betas'] must be 2 numbers, got 0.9"),
    "no option": ({"weight_decy": 1.0}, TypeError, "Adam() got an unexpected keyword argument 'weight_decy'"),
    "a directory": ({"state_dir": "x"}, TypeError, "Adam takes no state_dir: the state is in tensors"),
    "a beta alone": ({"beta1": 0.5}, TypeError, "Adam takes no beta1: it is in betas"),
    "copies": ({"copy_to": []}, TypeError, "Adam takes no copy_to: half.copy_(p) of each parameter after a"),
    "patterns": ({"groups": {"*": {}}}, TypeError, "Adam takes no groups: param_groups has them"),
    "unknown narrow state": (
        {"state_dtype": "float16"},
        ValueError,
        "state_dtype must be one of None, 'bfloat16', '8bit', got 'float16'",
    ),
    "a function": ({"lr": abs}, TypeError, "lr of params[0] must be a float or a schedule"),
}


@pytest.mark.parametrize("case", BAD_OPTIONS)
def test_bad_options_are_refused(case: str) -> None:
    options, error, message = BAD_OPTIONS[case]
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        gradstep.torch.Adam([parameter(2)], **options)


def test_bad_values_in_groups_are_refused_and_change_nothing() -> None:
    p = parameter(2)
    opt = gradstep.torch.Adam([p], lr=0.1)
    p.grad = torch.ones(2)
    for key, value, error in (
        ("lr", -1.0, ValueError),
        ("lr", "fast", TypeError),
        ("betas", (0.9, 1.5), ValueError),
        ("capturable", True, ValueError),
    ):
        before = opt.param_groups[0][key]
        opt.param_groups[0][key] = value
        for _ in range(2):
            with pytest.raises(error):
                opt.step()
        opt.param_groups[0][key] = before
    del opt.param_groups[0]["eps"]
    with pytest.raises(KeyError, match=r"param_groups\[0\] has no 'eps'"):
        opt.step()
    assert (p.tolist(), opt.step_count) == ([1.0, 1.0], 0)


def test_what_a_schedule_does_in_the_middle_of_a_step_is_noticed() -> None:
    p = parameter(4)

    def wicked(t: Any) -> float:
        if t == 1:
            p.data = torch.zeros(4)
        return 0.5

    opt = gradstep.torch.SGD([p], lr=gs.schedules.Lambda(wicked))
    p.grad = torch.ones(4)
    opt.step()
    if vars(engine)["EXCHANGE"] is not None:
        with pytest.raises(ValueError, match="has changed during the step"):
            opt.step()
        assert not p.any()
