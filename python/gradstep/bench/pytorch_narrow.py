"""AdamW with 8-bit state of PyTorch's world, on the CPU. Imported only where torch is."""

from collections.abc import Callable, Iterator
from typing import Any

import torch

import gradstep as gs
from gradstep.bench.contenders import is_installed


def steps(g: Any) -> Iterator[tuple[str, Callable[[], object]]]:
    """Make a step of each library that is installed, by its name."""
    torch.set_num_threads(gs.get_num_threads())
    if is_installed("bitsandbytes"):
        import bitsandbytes

        yield "bitsandbytes, 8 bits", step(bitsandbytes.optim.AdamW8bit, g)
    if is_installed("torchao"):
        from torchao.optim import AdamW8bit

        yield "torchao, 8 bits", step(AdamW8bit, g)


def step(kind: Callable[[list[Any]], Any], g: Any) -> Callable[[], object]:
    """Make the step of one optimizer; its first one makes the state, and may compile."""
    p = torch.nn.Parameter(torch.zeros(len(g)))
    p.grad = torch.from_numpy(g.copy())
    opt = kind([p])
    opt.step()
    taken: Callable[[], object] = opt.step
    return taken
