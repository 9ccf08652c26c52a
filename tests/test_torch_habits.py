"""What users of torch do around an optimizer comes to the same with either: each habit is tried with both."""

from __future__ import annotations

import copy
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="gigabytes: `make test-torch` installs it")

import gradstep.torch  # noqa: E402
import torch_habits_of_memory  # noqa: E402
from torch_habits import HABITS, MADE, begun  # noqa: E402
from torch_networks import TORCHS, apart, train  # noqa: E402


def test_both_kinds_of_habits_are_tried() -> None:
    assert {do.__module__ for do in HABITS.values()} == {"torch_habits", torch_habits_of_memory.__name__}


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("which", HABITS)
def test_comes_to_the_same(which: str, name: str) -> None:
    nets = []
    for module in (gradstep.torch, torch.optim):

        def make(params: Any, module: Any = module, **options: Any) -> Any:
            return getattr(module, name)(params, **{**MADE[name], **options})

        nets.append(HABITS[which](make))
    assert apart(*nets) < (1e-5 if "bfloat16" in which else 1e-8)


@pytest.mark.parametrize("name", TORCHS)
def test_looks_as_torchs(name: str) -> None:
    ours, theirs = (getattr(module, name)([torch.ones(2)]) for module in (gradstep.torch, torch.optim))
    assert repr(ours) == repr(theirs)
    assert list(ours.defaults.items()) == list(theirs.defaults.items())


def test_the_state_goes_along_with_the_dtype() -> None:
    net, _, opt = begun(gradstep.torch.Adam)
    exact = copy.deepcopy((net, opt))
    net.float()
    for of_one, its in ((net, opt), exact):
        for t in range(3):
            for p in of_one.parameters():
                p.grad = torch.full_like(p, 0.1 - 0.1 * t)
            its.step()
    assert {value.dtype for entries in opt.state.values() for value in entries.values()} == {torch.float32}
    assert apart(net.double(), exact[0]) < 1e-5


def test_a_dict_of_another_number_of_parameters_is_refused_in_torchs_words() -> None:
    net, _, opt = begun(gradstep.torch.Adam)
    other = gradstep.torch.Adam(net[0].parameters())
    with pytest.raises(ValueError, match="contains a parameter group that doesn't match the size of optimiz"):
        other.load_state_dict(opt.state_dict())
    broken = opt.state_dict()
    broken["gradstep"]["counts"].pop()
    with pytest.raises(ValueError, match="has not got a count for each of the 6 parameters"):
        opt.load_state_dict(broken)


def test_a_model_that_has_no_shape_as_yet_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"params\['0.0'\] has no shape as yet; run the model once before its optimizer"
    ):
        gradstep.torch.Adam(torch.nn.LazyLinear(2).parameters())


def test_the_state_of_what_leaves_its_group_does_not_hold_that_of_the_others() -> None:
    net, loss, opt = begun(gradstep.torch.Adam)
    p = opt.param_groups[0]["params"].pop()
    before = opt.state[p]["exp_avg"]
    train(net, loss, opt, 1)
    after = opt.state[p]["exp_avg"]
    assert torch.equal(after, before)
    assert after.data_ptr() != before.data_ptr()
    opt.param_groups[0]["params"].append(p)
    train(net, loss, opt, 1)
    assert opt.state[p]["step"].item() == 4
