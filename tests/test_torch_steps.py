"""Steps of gradstep.torch: which tensors there may be, what may change between two, hooks."""

from __future__ import annotations

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
from gradstep.torch import tensors  # noqa: E402
from torch_looks import look, parameter  # noqa: E402, F401
from torch_networks import apart, made, train, trained  # noqa: E402

pytestmark = pytest.mark.usefixtures("look")


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
