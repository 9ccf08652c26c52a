"""The cases of torch's own optimizer tests, as far as they come with its package: ``optim_db``.

Of `torch.testing._internal.common_optimizers` run, for the ten classes that both have: every input on the
CPU, in float32 and float64, as a list and in groups with names; the flags ``foreach`` and ``fused``; every
scheduler that stands there; every input that is to be refused. What is refused in torch and taken here, or
refused with another error, stands in `TAKEN` and `OTHERWISE`. ``capturable`` inputs are refused here.
"""

from __future__ import annotations

import copy
import warnings
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="gigabytes: `make test-torch` installs it")
database = pytest.importorskip(
    "torch.testing._internal.common_optimizers", reason="it needs what torch's own tests need"
)

import gradstep.torch  # noqa: E402
from torch_networks import TORCHS, apart, made  # noqa: E402

INFOS = {info.optim_cls.__name__: info for info in database.optim_db if info.optim_cls.__name__ in TORCHS}

#: What only says how torch would go about it, and is no error here.
TAKEN = (
    "lr as Tensor doesn't work with foreach & not capturable",
    "betas must be either both floats or both Tensors",
    r"betas\[0\] as a Tensor is not supported for capturable=False and foreach=True",
)

#: Two parameters that are one share their memory, which is no warning here but an error.
OTHERWISE = {"a param group cannot have duplicate parameters": ValueError}


def inputs(name: str) -> list[Any]:
    found: list[Any] = INFOS[name].optim_inputs_func(device="cpu", dtype=torch.float32)
    return [one for one in found if not one.kwargs.get("capturable")]


INPUTS = [(name, number) for name in INFOS for number in range(len(inputs(name)))]


def options(name: str, number: int) -> dict[str, Any]:
    return dict(inputs(name)[number].kwargs)


def label(case: object) -> str:
    name, number = case if isinstance(case, tuple) else ("", 0)
    return f"{name}-{inputs(name)[number].desc}".replace(" ", "_")


def steps(module: Any, name: str, dtype: Any, shape_params: Any = list, **options: Any) -> tuple[Any, Any]:
    """Some steps by the same gradients, the last without that of a parameter."""
    net, _ = made("perceptron", dtype)
    opt = getattr(module, name)(shape_params(net), **options)
    generator = torch.Generator().manual_seed(2)
    for t in range(7):
        for p in net.parameters():
            p.grad = torch.randn(p.shape, generator=generator).to(dtype)
        if t == 6:
            net[2].bias.grad = None
        opt.step()
    return net, opt


def plain(net: Any) -> list[Any]:
    return list(net.parameters())


def in_groups(net: Any) -> list[dict[str, Any]]:
    params = list(net.named_parameters())
    return [{"params": params[:2], "lr": 0.002}, {"params": params[2:]}]


def test_all_ten_are_there() -> None:
    assert sorted(INFOS) == sorted(TORCHS)
    assert len(INPUTS) > 60


@pytest.fixture(autouse=True)
def _double() -> Any:
    """In which torch's NAdam keeps its momenta."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("params", [plain, in_groups])
@pytest.mark.parametrize("case", INPUTS, ids=label)
def test_every_input_goes_torchs_way(case: tuple[str, int], params: Any) -> None:
    for dtype, tolerance in ((torch.float64, 1e-10), (torch.float32, 1e-4)):
        ours, opt = steps(gradstep.torch, case[0], dtype, params, **options(*case))
        theirs, other = steps(torch.optim, case[0], dtype, params, **options(*case))
        assert apart(ours, theirs) < tolerance
        for mine, his in zip(opt.param_groups, other.param_groups, strict=True):
            assert {**mine, "params": 0} == {**his, "params": 0}
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert list(opt.state.get(p, {})) == list(other.state.get(q, {}))
            for slot, value in other.state.get(q, {}).items():
                torch.testing.assert_close(
                    opt.state[p][slot].double(), value.double(), rtol=tolerance, atol=tolerance
                )


@pytest.mark.parametrize("flag", ["foreach", "fused"])
@pytest.mark.parametrize("name", INFOS)
def test_flags_make_no_difference(name: str, flag: str) -> None:
    if flag not in INFOS[name].supported_impls:
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{flag}'"):
            steps(gradstep.torch, name, torch.float32, plain, **{flag: True})
        return
    ours, opt = steps(gradstep.torch, name, torch.float32, plain, **{flag: True})
    without, _ = steps(gradstep.torch, name, torch.float32, plain)
    assert apart(ours, without) == 0
    assert opt.param_groups[0][flag] is True


@pytest.mark.parametrize("name", INFOS)
def test_every_scheduler(name: str) -> None:
    for several in INFOS[name].scheduler_inputs:
        nets = []
        for module in (gradstep.torch, torch.optim):
            net, loss = made("perceptron")
            opt = getattr(module, name)(net.parameters(), lr=0.01)
            schedulers = [make(opt) for make in several]
            generator = torch.Generator().manual_seed(2)
            for _ in range(12):
                opt.zero_grad()
                value = loss(net, generator)
                value.backward()
                opt.step()
                for scheduler in schedulers:
                    plateau = isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau)
                    scheduler.step(value.item()) if plateau else scheduler.step()
            nets.append(net)
        assert apart(*nets) < 1e-2 if name in ("RMSprop", "Rprop") else 1e-4


@pytest.mark.parametrize("name", INFOS)
def test_every_input_that_is_refused(name: str) -> None:
    found = INFOS[name].optim_error_inputs_func(device="cpu", dtype=torch.float32)
    assert len(found) > 6
    for error in found:
        given, wanted = error.optimizer_error_input, error.error_type
        params = given.params if given.params is not None else [torch.nn.Parameter(torch.randn(2, 2))]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if given.desc in TAKEN:
                getattr(gradstep.torch, name)(params, **given.kwargs)
                continue
            if issubclass(wanted, Warning):
                wanted = OTHERWISE.get(given.desc)
                if wanted is None:
                    continue  # a warning of torch's base class, which is ours, too
            with pytest.raises(wanted):
                getattr(gradstep.torch, name)(params, **given.kwargs)


@pytest.mark.parametrize("name", INFOS)
def test_state_dicts_are_interchangeable(name: str) -> None:
    for number in range(len(inputs(name))):
        ours, opt = steps(gradstep.torch, name, torch.float64, plain, **options(name, number))
        saved = copy.deepcopy(opt.state_dict())  # torch does not copy what it loads
        for source, target in ((gradstep.torch, torch.optim), (torch.optim, gradstep.torch)):
            _, first = steps(source, name, torch.float64, plain, **options(name, number))
            net, _ = made("perceptron", torch.float64)
            net.load_state_dict(ours.state_dict())
            second = getattr(target, name)(net.parameters())
            second.load_state_dict(first.state_dict())
            reference, _ = made("perceptron", torch.float64)
            reference.load_state_dict(ours.state_dict())
            third = getattr(torch.optim, name)(reference.parameters())
            third.load_state_dict(copy.deepcopy(saved))
            generator = torch.Generator().manual_seed(3)
            for _ in range(4):
                for p, q in zip(net.parameters(), reference.parameters(), strict=True):
                    p.grad = torch.randn(p.shape, generator=generator)
                    q.grad = p.grad.clone()
                second.step()
                third.step()
            assert apart(net, reference) < 1e-9
