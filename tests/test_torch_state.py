"""The state of gradstep.torch's optimizers: read, written, saved, copied."""

from __future__ import annotations

import copy
import io
import pickle
from collections import defaultdict
from functools import partial
from typing import Any

import pytest

import gradstep as gs

torch = pytest.importorskip("torch", reason="gigabytes: `make test-torch` installs it")

import gradstep.torch  # noqa: E402
from torch_networks import apart, made, train, trained  # noqa: E402


def adam(steps: int = 3, **options: Any) -> tuple[Any, Any]:
    return trained("perceptron", lambda params: gradstep.torch.Adam(params, **{"lr": 0.01, **options}), steps)


def go_on(net: Any, opt: Any, steps: int = 3) -> Any:
    train(net, made("perceptron")[1], opt, steps, seed=5)
    return net


def test_is_empty_at_first_and_then_as_torchs() -> None:
    net, loss = made("perceptron")
    opt = gradstep.torch.Adam(net.parameters())
    state = opt.state
    assert isinstance(state, defaultdict)
    assert (len(state), opt.state_dict()["state"]) == (0, {})
    train(net, loss, opt, 2)
    assert opt.state is state
    assert list(state) == list(net.parameters())
    entries = state[net[0].weight]
    assert {key: type(value) for key, value in entries.items()} == dict.fromkeys(
        ["step", "exp_avg", "exp_avg_sq"], torch.Tensor
    )
    assert (entries["step"].dtype, entries["step"].shape, entries["step"].item()) == (torch.float32, (), 2.0)
    train(net, loss, opt, 1)
    assert entries["step"].item() == 3.0  # it is live, and so are the others
    before = entries["exp_avg"].clone()
    train(net, loss, opt, 1)
    assert not torch.equal(entries["exp_avg"], before)


def test_written_into_it_takes_effect() -> None:
    nets = []
    for module in (gradstep.torch, torch.optim):
        net, opt = trained("perceptron", partial(module.Adam, lr=0.01), 3)
        p = net[0].weight
        opt.state[p]["exp_avg"].zero_()
        opt.state[p]["step"].fill_(7)
        opt.state[net[2].weight]["exp_avg_sq"] = torch.ones_like(net[2].weight)
        opt.state[net[2].bias] = {}
        del opt.state[net[0].bias]
        nets.append(go_on(net, opt))
        assert opt.state[p]["step"].item() == 10
        assert opt.state[net[2].bias]["step"].item() == 3
    assert apart(*nets) < 1e-5


@pytest.mark.parametrize(
    "reset", [lambda opt: opt.state.clear(), lambda opt: setattr(opt, "state", defaultdict(dict))]
)
def test_it_may_be_reset(reset: Any) -> None:
    nets = []
    for module in (gradstep.torch, torch.optim):
        net, opt = trained("perceptron", partial(module.Adam, lr=0.01), 3)
        reset(opt)
        nets.append(go_on(net, opt))
    assert apart(*nets) < 1e-5


def test_a_parameter_may_be_replaced_with_its_state() -> None:
    """As those do that add rows to a parameter in the middle of a training."""
    nets = []
    for module in (gradstep.torch, torch.optim):
        p = torch.nn.Parameter(torch.ones(3, 2))
        opt = module.Adam([{"params": [p], "name": "points"}], lr=0.1)
        p.grad = torch.ones(3, 2)
        opt.step()
        group = opt.param_groups[0]
        entries = opt.state.pop(group["params"][0])
        for slot in ("exp_avg", "exp_avg_sq"):
            entries[slot] = torch.cat([entries[slot], torch.zeros(2, 2)])
        group["params"][0] = p = torch.nn.Parameter(torch.cat([p.detach(), torch.ones(2, 2)]))
        opt.state[p] = entries
        for _ in range(2):
            p.grad = torch.full((5, 2), 0.5)
            opt.step()
        nets.append(torch.nn.ParameterList([p]))
    assert apart(*nets) < 1e-6


def test_what_makes_no_sense_in_it_is_refused_and_changes_nothing() -> None:
    net, opt = adam()
    p = net[0].weight
    before = [q.clone() for q in net.parameters()]
    for key, value, error, message in (
        ("exp_avg", torch.zeros(3), ValueError, r"\['exp_avg'\] has shape \(3,\), but the parameter has"),
        ("exp_avg", 0.0, TypeError, r"\['exp_avg'\] must be a tensor, got float"),
        ("momentum", torch.zeros(3), ValueError, "has 'momentum', but with these options there is 'exp_avg'"),
        ("step", torch.tensor(0.5), ValueError, r"\['step'\] must be a whole number ≥ 0, got 0.5"),
    ):
        kept = dict(opt.state[p])
        opt.state[p][key] = value
        with pytest.raises(error, match=message):
            opt.step()
        opt.state[p] = kept
    assert all(torch.equal(q, old) for q, old in zip(net.parameters(), before, strict=True))
    opt.step()


def test_a_dict_brings_back_the_run() -> None:
    schedule = gs.schedules.Cosine(0.05, steps=20)
    net, opt = adam(lr=schedule, clip_norm=1.0)
    file = io.BytesIO()
    torch.save({"net": net.state_dict(), "opt": opt.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    again, _ = made("perceptron")
    again.load_state_dict(saved["net"])
    other = gradstep.torch.Adam(again.parameters(), lr=schedule, clip_norm=1.0)
    other.load_state_dict(saved["opt"])
    assert (other.step_count, other.lr) == (3, schedule(3))
    assert apart(go_on(net, opt), go_on(again, other)) == 0


def test_a_dict_of_torchs_leaves_schedules_and_options() -> None:
    schedule = gs.schedules.Linear(0.05, 0.0, steps=20)
    _, theirs = trained("perceptron", lambda params: torch.optim.Adam(params, lr=0.3, eps=1e-6), 4)
    net, _ = made("perceptron")
    opt = gradstep.torch.Adam(net.parameters(), lr=schedule, l1=0.25)
    opt.load_state_dict(theirs.state_dict())
    group = opt.param_groups[0]
    assert (group["lr"], group["eps"], group["l1"]) == (schedule, 1e-6, 0.25)
    assert (opt.step_count, opt.lr) == (4, schedule(4))


def test_torchs_sgd_does_not_count() -> None:
    _, theirs = trained("perceptron", lambda params: torch.optim.SGD(params, lr=0.3, momentum=0.9), 4)
    net, _ = made("perceptron")
    opt = gradstep.torch.SGD(net.parameters(), lr=gs.schedules.Linear(0.05, 0.0, steps=20), momentum=0.9)
    with pytest.warns(gs.CheckpointWarning, match="does not count the steps, and schedules go on at 1"):
        opt.load_state_dict(theirs.state_dict())


def test_what_a_loaded_dict_shares_with_others_stays_theirs() -> None:
    _, first = adam()
    net, _ = made("perceptron")
    second = gradstep.torch.Adam(net.parameters())
    saved = first.state_dict()
    second.load_state_dict(saved)
    before = saved["state"][0]["exp_avg"].clone()
    go_on(net, second)
    assert torch.equal(saved["state"][0]["exp_avg"], before)


def test_a_dict_that_does_not_fit_changes_nothing() -> None:
    net, opt = adam()
    saved = copy.deepcopy(opt.state_dict())
    saved["state"][1]["exp_avg"] = torch.zeros(3)
    before = copy.deepcopy(opt.state_dict())
    with pytest.raises(ValueError, match=r"state\['0.1'\]\['exp_avg'\] has shape \(3,\)"):
        opt.load_state_dict(saved)
    after = opt.state_dict()
    assert after["param_groups"] == before["param_groups"]
    for i, entries in before["state"].items():
        for slot, value in entries.items():
            assert torch.equal(after["state"][i][slot], value)
    go_on(net, opt)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair)), None])
def test_copies_go_their_own_way(again: Any) -> None:
    net, opt = adam(lr=gs.schedules.Linear(0.05, 0.0, steps=20), clip_norm=0.5)

    def through_torch(pair: Any) -> Any:
        file = io.BytesIO()
        torch.save(pair, file)
        file.seek(0)
        return torch.load(file, weights_only=False)

    other, copied = (again or through_torch)((net, opt))
    assert copied.param_groups[0]["params"][0] is other[0].weight
    assert (type(copied), copied.step_count, copied.clip_norm) == (type(opt), 3, 0.5)
    assert apart(net, other) == 0
    go_on(net, opt)
    assert apart(net, other) > 1e-4
    assert apart(net, go_on(other, copied)) == 0


def test_hooks_of_state_dicts() -> None:
    _, opt = adam()
    seen: list[Any] = []
    opt.register_state_dict_pre_hook(lambda _: seen.append("before"))

    def after(_: Any, state_dict: dict[str, Any]) -> dict[str, Any]:
        assert type(state_dict["state"][0]) is dict
        return {**state_dict, "note": 1}

    opt.register_state_dict_post_hook(after)
    assert opt.state_dict()["note"] == 1
    assert seen == ["before"]
    assert "note" in opt.state_dict()  # they stay

    opt.register_load_state_dict_pre_hook(lambda _, state_dict: seen.append(len(state_dict)))
    opt.register_load_state_dict_post_hook(lambda _: seen.append("loaded"))
    opt.load_state_dict(opt.state_dict())
    assert seen[-2:] == [4, "loaded"]


def test_adding_a_group_keeps_the_state() -> None:
    nets = []
    for module in (gradstep.torch, torch.optim):
        net, loss = made("perceptron")
        opt = module.Adam(net[0].parameters(), lr=0.01)
        train(net, loss, opt, 3)
        opt.add_param_group({"params": list(net[2].parameters()), "lr": 0.002})
        net.zero_grad()
        train(net, loss, opt, 3)
        assert [opt.state[p]["step"].item() for p in opt.state] == [6, 6, 3, 3]
        nets.append(net)
    assert apart(*nets) < 1e-5


def test_a_group_that_cannot_be_added_is_not() -> None:
    net, opt = adam()
    with pytest.raises(TypeError, match=r"params\['1.0'\] has dtype float16"):
        opt.add_param_group({"params": [torch.ones(2, dtype=torch.float16)]})
    assert len(opt.param_groups) == 1
    go_on(net, opt)


def test_rules_that_remember_numbers() -> None:
    net, opt = trained("perceptron", lambda params: gradstep.torch.Prodigy(params), 30)
    saved = opt.state_dict()
    assert saved["gradstep"]["scalars"][0]["d"] > 1e-6
    again, _ = made("perceptron")
    again.load_state_dict(net.state_dict())
    other = gradstep.torch.Prodigy(again.parameters())
    other.load_state_dict(saved)
    assert apart(go_on(net, opt), go_on(again, other)) == 0


def test_averages() -> None:
    net, opt = adam(5, ema=0.5)
    own = [p.detach().clone() for p in net.parameters()]
    averaged = [q for group in opt.averaged for q in group]
    version = net[0].weight._version
    with opt.swap_averaged():
        assert all(torch.equal(p, q) for p, q in zip(net.parameters(), averaged, strict=True))
        with pytest.raises(RuntimeError, match="no step is made inside swap_averaged"):
            opt.step()
    assert net[0].weight._version == version + 2
    assert all(torch.equal(p, q) for p, q in zip(net.parameters(), own, strict=True))
    assert torch.equal(opt.state[net[0].weight]["ema"], averaged[0])
    free, schedule_free = trained("perceptron", gradstep.torch.ScheduleFreeAdamW, 3)
    assert schedule_free.averaged[0][0].shape == free[0].weight.shape
    with pytest.raises(ValueError, match="keeps no averages"):
        _ = adam(1)[1].averaged


def test_accumulated_gradients_wait() -> None:
    net, opt = adam(3, accumulate=2)
    with pytest.raises(RuntimeError, match="1 gradients wait for their update"):
        opt.state_dict()
    go_on(net, opt, 1)
    assert opt.state_dict()["state"][0]["step"].item() == 2
