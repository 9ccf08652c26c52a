"""gradstep.torch in fewer bits: gradients that are read where they are, the state and its dicts."""

from __future__ import annotations

import copy
import io
import pickle
import tracemalloc
from functools import partial
from typing import Any

import numpy as np
import pytest

import gradstep as gs

torch = pytest.importorskip("torch", reason="gigabytes: `make test-torch` installs it")

import gradstep.torch  # noqa: E402
from torch_looks import look  # noqa: E402, F401
from torch_networks import apart, made, train  # noqa: E402

NARROW = ("bfloat16", "8bit")


ORDERS = {
    "as the parameter": lambda g: g,
    "transposed": lambda g: g.t().contiguous().t(),
    "every second": lambda g: g.repeat_interleave(2, 1)[:, ::2],
    "expanded": lambda g: g[:1].expand(300, 200),
}


@pytest.mark.usefixtures("look")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_gradients_of_other_dtypes_are_read_where_they_are(dtype: Any, order: str) -> None:
    p, q = (torch.nn.Parameter(torch.ones(300, 200)) for _ in range(2))
    p.grad_dtype = None
    g = ORDERS[order](torch.randn(300, 200, generator=torch.Generator().manual_seed(0)).to(dtype))
    p.grad, q.grad = g, g.float()
    mine, theirs = gradstep.torch.Adam([p], lr=0.1), gradstep.torch.Adam([q], lr=0.1)
    for _ in range(3):
        tracemalloc.start()
        mine.step()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        theirs.step()
        if mine.step_count > 1:  # the state of the first is shown from then on
            assert most < 4_000  # NumPy tells of its arrays; these would have 240,000 bytes
    assert torch.equal(p, q)


def test_tensors_of_bfloat16_are_read_where_they_are_by_gradstep_itself() -> None:
    p, q = np.ones((300, 200), np.float32), np.ones((300, 200), np.float32)
    g = torch.randn(300, 200).bfloat16()
    mine, theirs = gs.Adam(p), gs.Adam(q)
    for given in (g, g.t().contiguous().t(), g):
        tracemalloc.start()
        mine.step(given)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        theirs.step(given.float().contiguous())
        assert most < 4_000
    np.testing.assert_array_equal(p, q)
    with pytest.raises(ValueError, match=r"grads has shape \(2,\), but params has shape \(300, 200\)"):
        mine.step(torch.ones(2, dtype=torch.bfloat16))


def test_bfloat16_that_a_schedule_changes_in_the_middle_of_a_step_is_noticed() -> None:
    p = torch.nn.Parameter(torch.ones(4))
    p.grad_dtype = None

    def wicked(t: Any) -> float:
        if t == 1:
            p.grad.data = torch.ones(4, dtype=torch.float16)
        return 0.5

    opt = gradstep.torch.SGD([p], lr=gs.schedules.Lambda(wicked))
    p.grad = torch.ones(4, dtype=torch.bfloat16)
    opt.step()
    with pytest.raises(ValueError, match="has changed during the step"):
        opt.step()
    assert p.tolist() == [0.5] * 4


def adamw(net: Any, **options: Any) -> Any:
    return gradstep.torch.AdamW(net.parameters(), **{"lr": 1e-2, "seed": 5, **options})


def wide() -> tuple[Any, Any]:
    """A network with a parameter of more than 4,096 elements, and others."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(80, 64), torch.nn.Tanh(), torch.nn.Linear(64, 3))

    def loss(net: Any, generator: Any) -> Any:
        x = torch.randn(16, 80, generator=generator)
        return (net(x) - x[:, :3]).square().mean()

    return net, loss


@pytest.mark.parametrize("state_dtype", NARROW)
def test_has_the_bits_of_gradstep_itself(state_dtype: Any) -> None:
    net, loss = wide()
    opt = adamw(net, state_dtype=state_dtype)
    arrays = [p.detach().clone().numpy() for p in net.parameters()]
    plain = gs.AdamW(arrays, lr=1e-2, state_dtype=state_dtype, seed=5)

    def same(_: Any) -> None:
        plain.step([p.grad.numpy() for p in net.parameters()])
        for p, array in zip(net.parameters(), arrays, strict=True):
            np.testing.assert_array_equal(p.detach().numpy(), array)

    train(net, loss, opt, 5, then=same)
    assert opt.seed == 5


def test_the_state_is_of_live_tensors() -> None:
    net, loss = wide()
    weight, bias = net[0].weight, net[0].bias
    opt = adamw(net, state_dtype="bfloat16")
    train(net, loss, opt, 2)
    first = opt.state[weight]["exp_avg"]
    assert (first.dtype, first.shape) == (torch.bfloat16, weight.shape)
    before = first.clone()
    train(net, loss, opt, 1)
    assert not torch.equal(first, before)
    opt.param_groups[0]["state_dtype"] = "8bit"
    train(net, loss, opt, 1)
    assert {name: (value.dtype, tuple(value.shape)) for name, value in opt.state[weight].items()} == {
        "step": (torch.float32, ()),
        "exp_avg.codes": (torch.int8, (64, 80)),
        "exp_avg.exponents": (torch.uint8, (40,)),
        "exp_avg_sq.codes": (torch.uint8, (64, 80)),
        "exp_avg_sq.exponents": (torch.uint8, (40,)),
    }
    assert opt.state[bias]["exp_avg"].dtype is torch.float32  # it is small
    # Other tensors in their place are taken over.
    opt.state[weight]["exp_avg.codes"] = torch.zeros(64, 80, dtype=torch.int8)
    opt.state[weight]["exp_avg.exponents"] = torch.zeros(40, dtype=torch.uint8)
    assert not opt.state_dict(decoded=True)["state"][0]["exp_avg"].any()


@pytest.mark.parametrize("state_dtype", NARROW)
@pytest.mark.parametrize("again", ["a dict", "a copy", "a pickle"])
def test_runs_go_on_bit_for_bit(state_dtype: Any, again: str) -> None:
    net, loss = wide()
    opt = adamw(net, state_dtype=state_dtype)
    train(net, loss, opt, 5)
    if again == "a copy":
        other, copied = copy.deepcopy((net, opt))
    elif again == "a pickle":
        other, copied = pickle.loads(pickle.dumps((net, opt)))
    else:
        file = io.BytesIO()
        torch.save({"net": net.state_dict(), "opt": opt.state_dict()}, file)
        file.seek(0)
        saved = torch.load(file, weights_only=True)
        other, _ = wide()
        other.load_state_dict(saved["net"])
        copied = adamw(other)  # the dict says how its state is kept
        copied.load_state_dict(saved["opt"])
    for one, its in ((net, opt), (other, copied)):
        train(one, loss, its, 5, seed=7)
    assert apart(net, other) == 0
    assert copied.param_groups[0]["state_dtype"] == state_dtype


@pytest.mark.parametrize("state_dtype", NARROW)
def test_torch_goes_on_from_it_and_it_from_torchs(state_dtype: Any) -> None:
    net, loss = wide()
    opt = adamw(net, state_dtype=state_dtype)
    train(net, loss, opt, 5)
    nets, losses = [], []
    for given in (opt.state_dict(decoded=True), *([opt.state_dict()] if state_dtype == "bfloat16" else [])):
        other = copy.deepcopy(net)
        theirs = torch.optim.AdamW(other.parameters(), lr=1e-2)
        theirs.load_state_dict(copy.deepcopy(given))  # torch works in the tensors that it is given
        assert theirs.state[other[0].weight]["exp_avg"].dtype is torch.float32
        losses.append(train(other, loss, theirs, 3, seed=7))
        nets.append(other)
    assert apart(nets[0], nets[-1]) == 0
    back = adamw(nets[0], state_dtype=state_dtype)
    back.load_state_dict(theirs.state_dict())
    kept = back.state_dict(decoded=True)["state"][0]["exp_avg_sq"]
    torch.testing.assert_close(kept, theirs.state[nets[-1][0].weight]["exp_avg_sq"], rtol=0.08, atol=0)
    assert train(net, loss, opt, 3, seed=7) == pytest.approx(losses[0], rel=0.02)


def test_gradstep_itself_reads_a_dict_of_bfloat16() -> None:
    net, loss = wide()
    opt = adamw(net, state_dtype="bfloat16")
    train(net, loss, opt, 2)
    names = [name for name, _ in net.named_parameters()]
    read = gs.from_torch_state_dict(opt.state_dict(), names)
    plain = gs.AdamW({name: p.detach().numpy() for name, p in net.named_parameters()}, lr=1e-2)
    plain.load_state_dict(read)
    exact = opt.state[net[0].weight]["exp_avg"].float().numpy()
    np.testing.assert_array_equal(plain.state["0.weight"]["exp_avg"], exact)


def test_a_decoded_dict_does_not_ask_for_fewer_bits() -> None:
    net, loss = wide()
    opt = adamw(net, state_dtype="8bit")
    train(net, loss, opt, 2)
    other = adamw(net)
    other.load_state_dict(opt.state_dict(decoded=True))
    assert other.state[net[0].weight]["exp_avg"].dtype is torch.float32
    assert opt.param_groups[0]["state_dtype"] == "8bit"  # whose own it was not


def test_eight_bits_are_no_others() -> None:
    net, loss = wide()
    opt = adamw(net, state_dtype="8bit")
    train(net, loss, opt, 2)
    opt.param_groups[0]["state_dtype"] = None
    with pytest.raises(
        ValueError,
        match=r"has 'exp_avg.codes', but with these options there is 'exp_avg', 'exp_avg_sq'; "
        r"state_dict\(decoded=True\) has none of 8 bits",
    ):
        opt.step()
    opt.param_groups[0]["state_dtype"] = "8bit"
    train(net, loss, opt, 1)
    saved = copy.deepcopy(opt.state_dict())
    del saved["state"][0]["exp_avg.exponents"]
    with pytest.raises(ValueError, match=r"has 'exp_avg.codes', but not 'exp_avg.exponents'"):
        opt.load_state_dict(saved)
    saved["state"][0]["exp_avg.exponents"] = torch.zeros(3)
    with pytest.raises(ValueError, match=r"has shape \(3,\), but there are blocks for \(40,\)"):
        opt.load_state_dict(saved)
    train(net, loss, opt, 1)


def test_a_group_has_its_own() -> None:
    net, loss = made("perceptron")
    groups = [{"params": net[0].parameters(), "state_dtype": "bfloat16"}, {"params": net[2].parameters()}]
    opt = gradstep.torch.Adam(groups)
    train(net, loss, opt, 1)
    dtypes = [opt.state[layer.weight]["exp_avg"].dtype for layer in (net[0], net[2])]
    assert dtypes == [torch.bfloat16, torch.float32]


def test_what_cannot_be_kept_in_fewer_bits_is_refused() -> None:
    make = partial(gradstep.torch.SGD, state_dtype="bfloat16")
    with pytest.raises(ValueError, match="state_dtype"):
        make([torch.ones(3, dtype=torch.float64)], momentum=0.9)
    with pytest.raises(ValueError, match="state_dtype"):
        make([torch.ones(3)])
