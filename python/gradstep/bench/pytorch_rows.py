"""Updates of some rows in PyTorch, on a tensor over the memory of the array. Imported only where torch is."""

from collections.abc import Callable
from typing import Any

import torch

import gradstep as gs
from gradstep.bench import hypers


def step(p: Any, *, adam: bool) -> Callable[[Any, Any], object]:
    """Make the step by a sparse gradient, as `torch.nn.Embedding(sparse=True)` makes one."""
    torch.set_num_threads(gs.get_num_threads())
    tensor = torch.nn.Parameter(torch.from_numpy(p))
    opt: Any = (
        torch.optim.SparseAdam([tensor], lr=hypers.LR, betas=(hypers.BETA1, hypers.BETA2), eps=hypers.EPS)
        if adam
        else torch.optim.SGD([tensor], lr=hypers.LR)
    )

    def take(indices: Any, values: Any) -> None:
        tensor.grad = torch.sparse_coo_tensor(
            torch.from_numpy(indices)[None], torch.from_numpy(values), tensor.shape, check_invariants=False
        )
        opt.step()

    return take
