"""Steps of gradstep.torch: which tensors there may be, what may change between two, hooks, refusals."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import numpy as np
import pytest

import gradstep as gs

torch = pytest.importorskip("torch", reason="gigabytes: `make test-torch` installs it")

from torch.optim.optimizer import (  # noqa: E402
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

import gradstep.torch  # noqa: E402
from gradstep.torch import engine, tensors  # noqa: E402
from torch_networks import apart, made, train, trained  # noqa: E402


@pytest.fixture(params=["native", "by any version of torch"], autouse=True)
def _look(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tensors are looked at natively; and without what versions of torch before 2.10 have not got."""
    if request.param != "native":
        monkeypatch.setattr(engine, "EXCHANGE", None)
    else:
        assert tensors.EXCHANGE is not None


def parameter(*shape: int, dtype: Any = torch.float32) -> Any:
    return torch.nn.Parameter(torch.ones(*shape, dtype=dtype))


def test_updates_the_tensors_own_memory() -> None:
    p = parameter(3)
    address, version = p.data_ptr(), p._version
    opt = gradstep.torch.SGD([p], lr=0.5)
    p.grad = torch.tensor([1.0, 2.0, 3.0])
    assert opt.step() is None
    assert p.tolist() == [0.5, 0.0, -0.5]
    assert (p.data_ptr(), p._version) == (address, version + 1)
    assert p.grad.tolist() == [1.0, 2.0, 3.0]


def test_autograd_notices_the_step() -> None:
    p = parameter(3)
    opt = gradstep.torch.SGD([p], lr=0.5)
    loss = p.square().sum()
    p.grad = torch.ones(3)
    opt.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_a_parameter_without_gradient_is_left_alone() -> None:
    a, b, c = parameter(2), parameter(2), parameter(2)
    opt = gradstep.torch.Adam([a, b, c], lr=0.1)
    c.requires_grad_(False)
    for _ in range(2):
        a.grad = torch.ones(2)
        opt.step()
    assert (b.tolist(), c.tolist(), b._version) == ([1.0, 1.0], [1.0, 1.0], 0)
    assert list(opt.state) == [a]
    b.grad = torch.ones(2)
    opt.step()
    assert [opt.state[p]["step"].item() for p in (a, b)] == [3, 1]
    opt.zero_grad()
    opt.step()
    assert [opt.state[p]["step"].item() for p in (a, b)] == [3, 1]
    assert opt.step_count == 4


def test_gradients_of_other_forms() -> None:
    rng = torch.Generator().manual_seed(0)
    g = torch.randn(4, 6, generator=rng)
    spread = torch.zeros(8, 6, 2)
    spread[::2, :, 0] = g
    for given in (
        g,
        g.t().contiguous().t(),
        spread[::2, :, 0],
        g.expand(4, 6),
        g.repeat(3, 1)[4:8],
        torch.complex(g, -g).conj().imag,
    ):
        p, q = parameter(4, 6), parameter(4, 6)
        p.grad, q.grad = given, g.clone()
        gradstep.torch.Adam([p], lr=0.1).step()
        gradstep.torch.Adam([q], lr=0.1).step()
        assert torch.equal(p, q)
    p = parameter(2, 3)
    p.grad = torch.ones(1, 1).expand(2, 3)
    gradstep.torch.SGD([p], lr=1.0).step()
    assert not p.any()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_gradients_of_other_dtypes(dtype: Any) -> None:
    """Which torch allows where it is told, since version 2.10."""
    p, q = parameter(3, 5), parameter(3, 5)
    p.grad_dtype = None
    g = torch.randn(3, 5, generator=torch.Generator().manual_seed(0)).to(dtype)
    for opt, r, given in (
        (gradstep.torch.Adam([p], lr=0.1), p, g),
        (gradstep.torch.Adam([q], lr=0.1), q, g.float()),
    ):
        for _ in range(3):
            r.grad = given
            opt.step()
    assert torch.equal(p, q)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
def test_complex_parameters(dtype: Any) -> None:
    ends = []
    for module in (gradstep.torch, torch.optim):
        z = torch.nn.Parameter(torch.tensor([[1 + 2j, 3 - 1j]], dtype=dtype))
        opt = module.Adam([z], lr=0.1)
        for t in range(4):
            z.grad = torch.tensor([[0.5 + t, 1j]], dtype=dtype).conj()
            if module is torch.optim:  # which does not take them lazily
                z.grad = z.grad.resolve_conj()
            opt.step()
        ends.append(z.detach())
        assert opt.state[z]["exp_avg"].dtype is dtype
    torch.testing.assert_close(*ends)


def test_single_numbers_that_stand_for_their_negative() -> None:
    p = parameter(1)
    p.grad = torch.complex(torch.ones(1), torch.full((1,), 2.0)).conj().imag
    assert p.grad.is_neg()
    opt = gradstep.torch.SGD([p], lr=0.5)
    opt.step()
    assert p.item() == 2.0


def test_parameters_of_every_memory_order() -> None:
    for p in (
        torch.nn.Parameter(torch.ones(2, 3, 4, 5).to(memory_format=torch.channels_last)),
        torch.nn.Parameter(torch.ones(3, 4).t()),
        torch.nn.Parameter(torch.ones(())),
        torch.nn.Parameter(torch.ones(0, 3)),
        torch.nn.Parameter(torch.ones(7)[2:5]),
        torch.nn.Parameter(torch.ones(1, 5, 1)),
    ):
        opt = gradstep.torch.SGD([p, parameter(2)], lr=0.5)
        p.grad = torch.ones_like(p)
        opt.step()
        assert (p == 0.5).all()


def test_other_data_of_a_parameter() -> None:
    nets = []
    for module in (gradstep.torch, torch.optim):
        net, opt = trained("perceptron", partial(module.Adam, lr=0.01), 3)
        net[0].weight.data = torch.zeros_like(net[0].weight)
        net[2].weight.data = net[2].weight.data.t().contiguous().t()
        train(net, made("perceptron")[1], opt, 3, seed=5)
        assert opt.state[net[0].weight]["step"].item() == 6
        nets.append(net)
    assert apart(*nets) < 1e-5


def test_hyperparameters_in_groups_take_effect() -> None:
    nets = []
    for module in (gradstep.torch, torch.optim):
        net, loss = made("perceptron")
        opt = module.Adam([{"params": net[0].parameters()}, {"params": net[2].parameters(), "lr": 0.02}])
        train(net, loss, opt, 2)
        opt.param_groups[0]["lr"] = 0.05
        train(net, loss, opt, 2)
        opt.param_groups[1].update(betas=(0.5, 0.9), weight_decay=0.3, eps=1e-3, maximize=True)
        train(net, loss, opt, 2)
        opt.param_groups[0]["decoupled_weight_decay"] = True
        opt.param_groups[0]["weight_decay"] = 0.5
        train(net, loss, opt, 2)
        nets.append(net)
    assert apart(*nets) < 1e-4


def test_momentum_may_be_switched_on() -> None:
    nets = []
    for module in (gradstep.torch, torch.optim):
        net, loss = made("perceptron")
        opt = module.SGD(net.parameters(), lr=0.1)
        train(net, loss, opt, 2)
        assert len(opt.state) == 0
        opt.param_groups[0]["momentum"] = 0.9
        train(net, loss, opt, 3)
        nets.append(net)
    assert apart(*nets) < 1e-5


def test_rates_in_a_tensor_are_read_at_each_step() -> None:
    p, rate = parameter(2), torch.tensor(0.5)
    opt = gradstep.torch.SGD([p], lr=rate)
    for value, after in ((0.5, 0.5), (0.25, 0.25)):
        rate.fill_(value)
        p.grad = torch.ones(2)
        opt.step()
        assert p[0].item() == after


def test_the_rate_as_an_attribute() -> None:
    opt = gradstep.torch.Adam([{"params": [parameter(1)]}, {"params": [parameter(1)], "lr": 0.5}], lr=0.25)
    assert opt.lr == (0.25, 0.5)
    opt.lr = 0.125
    assert [group["lr"] for group in opt.param_groups] == [0.125, 0.125]
    assert opt.lr == (0.125, 0.125)


def test_options_as_attributes() -> None:
    p = parameter(4)
    opt = gradstep.torch.SGD([p], lr=1.0, measure=True)
    assert opt.clip_norm is None
    opt.clip_norm = 1.0
    p.grad = torch.ones(4)
    opt.step()
    assert (opt.grad_norm, opt.param_norm) == (2.0, 2.0)
    assert opt.update_norm == pytest.approx(1.0, rel=1e-5)
    for name in ("grad_norm", "step_count", "accumulate"):
        with pytest.raises(AttributeError):
            setattr(opt, name, 1)
    opt.add_param_group({"params": [parameter(2)]})
    assert opt.clip_norm == 1.0  # it stays


def test_closures() -> None:
    p = parameter(2)
    opt = gradstep.torch.SGD([p], lr=gs.feedback.Plateau(gs.schedules.Constant(0.5), patience=0))
    calls = []

    def closure() -> Any:
        assert torch.is_grad_enabled()
        opt.zero_grad()
        loss = p.sum()
        loss.backward()
        calls.append(loss.item())
        return loss

    with torch.no_grad():
        assert opt.step(closure).item() == 2.0
    assert calls == [2.0]
    for _ in range(3):
        opt.step(closure, loss=5.0)  # told in its place, and no better
    assert opt.lr < 0.5


def test_hooks_of_steps() -> None:
    p = parameter(2)
    opt = gradstep.torch.SGD([p], lr=0.5)
    seen: list[Any] = []
    handles = [
        opt.register_step_pre_hook(lambda *_: seen.append(("before", p[0].item()))),
        opt.register_step_post_hook(lambda *_: seen.append(("after", p[0].item()))),
        register_optimizer_step_pre_hook(lambda *_: seen.append("before all")),
        register_optimizer_step_post_hook(lambda *_: seen.append("after all")),
    ]
    p.grad = torch.ones(2)
    try:
        opt.step()
    finally:
        for handle in handles:
            handle.remove()
    assert seen == ["before all", ("before", 1.0), ("after", 0.5), "after all"]
    opt.step()
    assert len(seen) == 4


def test_the_profiler_sees_steps() -> None:
    p = parameter(2)
    opt = gradstep.torch.SGD([p], lr=0.5)
    p.grad = torch.ones(2)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        opt.step()
        opt.zero_grad()
    names = {event.key for event in profile.key_averages()}
    assert {"Optimizer.step#SGD.step", "Optimizer.zero_grad#SGD.zero_grad"} <= names


def test_zero_grad() -> None:
    p = parameter(2)
    opt = gradstep.torch.SGD([p])
    p.grad = g = torch.ones(2)
    opt.zero_grad(set_to_none=False)
    assert p.grad is g
    assert g.tolist() == [0.0, 0.0]
    opt.zero_grad()
    assert p.grad is None


def test_names_are_in_errors() -> None:
    net, _ = made("perceptron")
    opt = gradstep.torch.Adam(net.named_parameters())
    assert opt.param_groups[0]["param_names"][0] == "0.weight"
    net[0].weight.grad = torch.ones_like(net[0].weight)
    net[0].weight.data = torch.ones(3, 3)
    with pytest.raises(ValueError, match=r"'0\.0\.weight'"):
        opt.step()


def test_is_an_optimizer_of_torch() -> None:
    p = parameter(2)
    for name in gradstep.torch.__all__:
        if name != "Optimizer":
            opt = getattr(gradstep.torch, name)([p])
            assert isinstance(opt, torch.optim.Optimizer)
            assert repr(opt).startswith(f"{name} (\nParameter Group 0\n")
    with pytest.raises(TypeError, match="Optimizer has no rule of its own"):
        gradstep.torch.Optimizer([p], {}, {})


def test_of_a_subclass() -> None:
    class Mine(gradstep.torch.Adam):
        def step(self, closure: Any = None, **options: Any) -> Any:
            self.calls = getattr(self, "calls", 0) + 1
            return super().step(closure, **options)

    p = parameter(2)
    opt = Mine([p], lr=0.1)
    p.grad = torch.ones(2)
    opt.step()
    assert (opt.calls, opt.step_count) == (1, 1)


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


def test_tensors_are_gradients_of_ndarrays() -> None:
    p, q = np.ones((2, 3), np.float32), np.ones((2, 3), np.float32)
    g = torch.arange(6.0).reshape(2, 3)
    gs.SGD(p, lr=0.5).step(g)
    gs.SGD(q, lr=0.5).step(g.numpy())
    np.testing.assert_array_equal(p, q)
    narrow = g.bfloat16()
    gs.SGD(p, lr=0.5).step(narrow)
    gs.SGD(q, lr=0.5).step(narrow.float().numpy())
    np.testing.assert_array_equal(p, q)
    with pytest.raises(ValueError, match=r"could not be read where it is: .*require gradient"):
        gs.SGD(p).step(g.requires_grad_())


def test_tensors_are_parameters_of_gradstep_itself() -> None:
    p = torch.ones(3)
    opt = gs.SGD({"w": p}, lr=0.5)
    opt.step({"w": torch.ones(3)})
    assert p.tolist() == [0.5, 0.5, 0.5]


def test_what_is_watched_must_be_tensors_of_the_parameters() -> None:
    if tensors.EXCHANGE is None:
        pytest.skip("this version of torch has no table of functions")
    opt = gs.SGD([np.ones(2)])
    for wrong in ([], [np.ones(2)], [torch.ones(2), torch.ones(2)]):
        with pytest.raises(ValueError, match="there must be a tensor for each parameter"):
            opt._watch(tensors.EXCHANGE, wrong)
    opt._watch(tensors.EXCHANGE, [torch.ones(2)])
    # Another tensor's memory: nothing is updated.
    assert opt._step_watched([{"params": [torch.ones(2)]}], [((), (), 1)]) == -1
