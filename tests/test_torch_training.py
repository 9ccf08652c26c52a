"""gradstep.torch trains as torch does: three networks, schedulers, compiled forward passes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

import gradstep as gs

torch = pytest.importorskip("torch", reason="gigabytes: `make test-torch` installs it")

import gradstep.torch  # noqa: E402
from torch_networks import NETWORKS, TORCHS, apart, made, train, trained  # noqa: E402

#: Of thirty steps in float64. torch's NAdam has its momenta in float32.
TOLERANCE = {"NAdam": 1e-5}

OPTIONS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in TORCHS),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("RMSprop", {"lr": 1e-3, "momentum": 0.9, "centered": True}),
    ("Adam", {"amsgrad": True, "betas": (0.8, 0.95), "weight_decay": 0.1}),
    ("AdamW", {"weight_decay": 0.1, "maximize": True, "lr": 1e-4}),
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {"weight_decay": 0.1, "betas": (0.9, 0.9)}),
]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_networks_go_torchs_way(network: str, name: str, options: dict[str, Any]) -> None:
    ours, theirs = (
        trained(network, lambda params: getattr(module, name)(params, **options), dtype=torch.float64)[0]  # noqa: B023
        for module in (gradstep.torch, torch.optim)
    )
    start, _ = made(network, torch.float64)
    assert apart(ours, theirs) < TOLERANCE.get(name, 1e-10)
    assert apart(start, theirs) > 1e-4


@pytest.mark.parametrize("name", [name for name in gradstep.torch.__all__ if name != "Optimizer"])
def test_every_class_has_the_bits_of_its_namesake(name: str) -> None:
    """Of gradstep's own class on the same gradients."""
    net, loss = made("perceptron")
    opt = getattr(gradstep.torch, name)(net.parameters(), lr=0.01)
    arrays = [p.detach().numpy().copy() for p in net.parameters()]
    plain = getattr(gs, name)(arrays, lr=0.01)

    def follow(_: Any) -> None:
        plain.step([p.grad.numpy() for p in net.parameters()])
        for p, array in zip(net.parameters(), arrays, strict=True):
            assert (p.detach().numpy() == array).all()

    train(net, loss, opt, 5, then=follow)
    assert opt.step_count == 5
    for slots, entries in zip(plain.state.values(), opt.state.values(), strict=False):
        for slot, array in slots.items():
            assert (entries[slot].numpy() == array).all()


SCHEDULERS: dict[str, Any] = {
    "StepLR": lambda opt: torch.optim.lr_scheduler.StepLR(opt, 5, 0.5),
    "OneCycleLR": lambda opt: torch.optim.lr_scheduler.OneCycleLR(opt, 0.01, total_steps=31),
    "CosineAnnealingLR": lambda opt: torch.optim.lr_scheduler.CosineAnnealingLR(opt, 30),
    "LambdaLR": lambda opt: torch.optim.lr_scheduler.LambdaLR(opt, lambda t: 1 / (1 + t)),
    "CyclicLR": lambda opt: torch.optim.lr_scheduler.CyclicLR(opt, 1e-4, 1e-2, 5, cycle_momentum=True),
}


def stepped(scheduler: Any, _: Any) -> None:
    scheduler.step()


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_torchs_schedulers_take_effect(scheduler: str) -> None:
    nets = []
    for module in (gradstep.torch, torch.optim):
        net, loss = made("perceptron")
        opt = module.Adam(net.parameters(), lr=0.01)
        schedule = SCHEDULERS[scheduler](opt)
        train(net, loss, opt, 30, then=partial(stepped, schedule))
        assert opt.param_groups[0]["lr"] != 0.01
        nets.append(net)
    assert apart(*nets) < 1e-4


def test_plateau_takes_effect() -> None:
    net, loss = made("perceptron")
    opt = gradstep.torch.SGD(net.parameters(), lr=0.1)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, patience=0)
    for _ in range(3):
        schedule.step(1.0)
    assert opt.lr == pytest.approx(1e-3)
    before = [p.clone() for p in net.parameters()]
    train(net, loss, opt, 1)
    for p, old in zip(net.parameters(), before, strict=True):
        torch.testing.assert_close(p, old - opt.lr * p.grad)


def test_schedules_of_gradstep_count_the_steps() -> None:
    schedule = gs.schedules.Cosine(0.05, steps=20).warmup(5)
    net, opt = trained("perceptron", lambda params: gradstep.torch.AdamW(params, lr=schedule), 12)
    again, loss = made("perceptron")
    theirs = torch.optim.AdamW(again.parameters(), lr=1.0)
    rates = torch.optim.lr_scheduler.LambdaLR(theirs, schedule)
    train(again, loss, theirs, 12, then=lambda _: rates.step())
    assert apart(net, again) < 1e-4
    assert (opt.step_count, opt.lr) == (12, schedule(12))


def test_clip_norm_is_torchs() -> None:
    ours, opt = trained("recurrent", lambda params: gradstep.torch.Adam(params, clip_norm=0.1))
    assert opt.grad_norm > 0.1
    theirs, loss = made("recurrent")
    plain = torch.optim.Adam(theirs.parameters())
    generator = torch.Generator().manual_seed(1)
    for _ in range(30):
        plain.zero_grad()
        loss(theirs, generator).backward()
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.1)
        plain.step()
    assert apart(ours, theirs) < 1e-4


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_under_compiled_forward_passes(backend: str) -> None:
    nets = []
    for compiles in (False, True):
        net, loss = made("perceptron")
        opt = gradstep.torch.Adam(net.parameters(), lr=0.01)
        train(torch.compile(net, backend=backend) if compiles else net, loss, opt, 10)
        nets.append(net)
    assert apart(*nets) < 1e-4


def compiler() -> str | None:
    """What inductor compiles with, if there is anything."""
    from torch._inductor import cpp_builder

    try:
        return str(cpp_builder.get_cpp_compiler())
    except Exception:  # its class has another name and place in each version of torch
        return None


@pytest.mark.skipif(compiler() is None, reason="inductor finds no C++ compiler: install g++, or set CXX")
@pytest.mark.parametrize("name", ["perceptron", "convolutional"])
def test_under_forward_passes_compiled_to_machine_code(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    torch.compiler.reset()
    nets = []
    for compiles in (False, True):
        net, loss = made(name)
        opt = gradstep.torch.Adam(net.parameters(), lr=0.01)
        train(torch.compile(net) if compiles else net, loss, opt, 10)
        nets.append(net)
    assert list(tmp_path.rglob("*.so"))  # which it was compiled to
    assert apart(*nets) < 1e-4


@pytest.mark.parametrize("backend", ["eager", "inductor"])
def test_inside_a_compiled_step(backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of a step can be compiled, so it is a break in the graph."""
    if backend == "inductor" and compiler() is None:
        pytest.skip("inductor finds no C++ compiler: install g++, or set CXX")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    torch.compiler.reset()
    net, _ = made("perceptron")
    opt = gradstep.torch.Adam(net.parameters(), lr=0.01)
    x = torch.randn(16, 8)

    def step() -> None:
        opt.zero_grad()
        (net(x) - 1.0).square().mean().backward()
        opt.step()

    compiled = torch.compile(step, backend=backend)
    for _ in range(5):
        compiled()
    other, _ = made("perceptron")
    plain = torch.optim.Adam(other.parameters(), lr=0.01)
    for _ in range(5):
        plain.zero_grad()
        (other(x) - 1.0).square().mean().backward()
        plain.step()
    assert (opt.step_count, apart(net, other) < 1e-4) == (5, True)


def test_with_a_scaler_of_gradients() -> None:
    net, loss = made("perceptron")
    opt = gradstep.torch.SGD(net.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    generator = torch.Generator().manual_seed(1)
    for _ in range(3):
        opt.zero_grad()
        scaler.scale(loss(net, generator)).backward()
        scaler.step(opt)
        scaler.update()
    plain, _ = trained("perceptron", lambda params: torch.optim.SGD(params, lr=0.1), 3)
    assert apart(net, plain) < 1e-5
    opt.zero_grad()
    (scaler.scale(loss(net, generator)) * float("inf")).backward()
    scaler.step(opt)
    assert opt.step_count == 3


@pytest.mark.parametrize("ours", [False, True])
def test_with_the_scale_of_a_step(ours: bool) -> None:
    net, loss = made("perceptron")
    opt = (gradstep.torch if ours else torch.optim).SGD(net.parameters(), lr=0.1)
    (128 * loss(net, torch.Generator().manual_seed(1))).backward()
    if ours:
        opt.step(scale=1 / 128)
    else:
        for p in net.parameters():
            p.grad /= 128
        opt.step()
    plain, _ = trained("perceptron", lambda params: torch.optim.SGD(params, lr=0.1), 1)
    assert apart(net, plain) < 1e-6
