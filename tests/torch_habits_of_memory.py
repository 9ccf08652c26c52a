"""More of them: parameters, groups and state that are others than they were, or lie elsewhere."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from torch_habits import Make, begun, habit
from torch_networks import made, train


@habit
def tied_parameters(make: Make) -> Any:
    torch.manual_seed(0)
    net = nn.ModuleList([nn.Embedding(6, 4), nn.Linear(4, 6, bias=False)]).double()
    net[1].weight = net[0].weight
    opt = make(net.parameters())
    for _ in range(5):
        opt.zero_grad()
        nn.functional.cross_entropy(net[1](net[0](torch.tensor([1, 2]))), torch.tensor([2, 3])).backward()
        opt.step()
    return net


@habit
def parameters_of_a_size_of_0_and_of_no_axes(make: Make) -> Any:
    shapes = ((0, 3), (), (2,), (1, 1, 1))
    net = nn.ParameterList([torch.ones(shape, dtype=torch.float64) for shape in shapes])
    opt = make(net)
    for _ in range(3):
        opt.zero_grad()
        sum((i + 1) * p.square().sum() for i, p in enumerate(net)).backward()
        opt.step()
    return nn.ParameterList([*net][1:])


@habit
def parts_of_a_larger_buffer(make: Make) -> Any:
    buffer, grads = torch.ones(10, dtype=torch.float64), torch.arange(10, dtype=torch.float64)
    net = nn.ParameterList([buffer[:4].view(2, 2), buffer[4:]])
    opt = make(net)
    net[0].grad, net[1].grad = grads[:4].view(2, 2), grads[4:]
    for _ in range(3):
        opt.step()
    return nn.ParameterList([buffer])


@habit
def channels_last_from_the_middle_on(make: Make) -> Any:
    net, loss = made("convolutional", torch.float64)
    net.to(memory_format=torch.contiguous_format)
    opt = make(net.parameters())
    train(net, loss, opt, 3)
    net.to(memory_format=torch.channels_last)
    train(net, loss, opt, 3, seed=5)
    return net


@habit
def another_dtype_before_the_first_step(make: Make) -> Any:
    net, loss = made("perceptron")
    opt = make(net.parameters())
    net.double()
    if "Adagrad" in type(opt).__name__:  # of which torch has made the state already
        opt = make(net.parameters())
    train(net, loss, opt, 3)
    return net


@habit
def other_tensors_in_the_place_of_parameters(make: Make) -> Any:
    net, loss, opt = begun(make)
    opt.zero_grad()
    torch.utils.swap_tensors(net[0].weight, nn.Parameter(torch.ones(32, 8, dtype=torch.float64)))
    with torch.no_grad():
        net[2].weight.set_(torch.full((32, 32), 0.01, dtype=torch.float64))
    net[4].weight.data = torch.ones(3, 32, dtype=torch.float64)[1:2]
    train(net, loss, opt, 3)
    return net


@habit
def groups_made_anew(make: Make) -> Any:
    net, loss, opt = begun(make)
    group = opt.param_groups[0]
    params = list(net.parameters())
    opt.param_groups = [{**group, "params": params[3::-1]}, {**group, "params": params[4:], "lr": 0.002}]
    train(net, loss, opt, 3)
    opt.param_groups.pop()
    train(net, loss, opt, 3)
    opt.param_groups[0]["params"].append(params[5])
    train(net, loss, opt, 3)
    opt.add_param_group({"params": [params[4]], "lr": 0.001})
    train(net, loss, opt, 3)
    return net


@habit
def a_group_without_parameters(make: Make) -> Any:
    net, loss = made("perceptron", torch.float64)
    opt = make([{"params": []}, {"params": net.parameters()}])
    train(net, loss, opt, 3)
    return net


@habit
def back_to_an_earlier_state(make: Make) -> Any:
    net, loss, opt = begun(make)
    saved = copy.deepcopy((net.state_dict(), opt.state_dict()))
    train(net, loss, opt, 3)
    net.load_state_dict(saved[0])
    opt.load_state_dict(saved[1])
    train(net, loss, opt, 3)
    return net


@habit
def the_state_read_before_there_is_any(make: Make) -> Any:
    net, loss = made("perceptron", torch.float64)
    opt = make(net.parameters())
    entries = opt.state[net[0].weight]
    train(net, loss, opt, 3)
    assert opt.state[net[0].weight] is entries
    assert entries.keys() == opt.state[net[2].weight].keys()
    other = make(net.parameters())
    other.load_state_dict(opt.state_dict())
    train(net, loss, other, 3)
    return net


@habit
def distributed_checkpoints_of_one_process(make: Make) -> Any:
    from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict, set_optimizer_state_dict

    net, loss, opt = begun(make)
    saved = copy.deepcopy(get_optimizer_state_dict(net, opt))
    opt = make(net.parameters())
    set_optimizer_state_dict(net, opt, optim_state_dict=saved)
    train(net, loss, opt, 3)
    return net


@habit
def a_weight_in_parts(make: Make) -> Any:
    net, loss = made("perceptron", torch.float64)
    nn.utils.parametrizations.weight_norm(net[0])
    opt = make(net.parameters())
    train(net, loss, opt, 3)
    return net


@habit
def second_derivatives(make: Make) -> Any:
    net, loss, opt = begun(make)
    for i in range(3):
        opt.zero_grad()
        value = loss(net, torch.Generator().manual_seed(i))
        grads = torch.autograd.grad(value, list(net.parameters()), create_graph=True)
        (value + sum(g.square().sum() for g in grads)).backward()
        opt.step()
    return net


@habit
def bfloat16_within_autocast(make: Make) -> Any:
    net, loss = made("perceptron")
    with torch.autocast("cpu", torch.bfloat16):
        values = [loss(net, torch.Generator().manual_seed(i)) for i in range(3)]
    sum(values).backward()
    opt = make(net.parameters())
    opt.step()
    return net.double()
