"""Adam and its kin: a running mean over the root of a running mean square."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep import optimizers
from gradstep.torch.base import Optimizer

if TYPE_CHECKING:
    from typing import Literal, Unpack

    from torch.optim.optimizer import ParamsT

    from gradstep.torch.words import Number, Pair, RootOptions


class Adam(Optimizer):
    """``torch.optim.Adam``, with the step of `gradstep.Adam`.

    The formula is torch's, and so are the arguments and the state dict.

    Args:
        params: as of `Optimizer`.
        betas: beta1 and beta2.
        lr, eps, weight_decay, amsgrad: as of `gradstep.Adam`.
        decoupled_weight_decay: whether the parameter shrinks, instead of the decay entering the gradient.
        maximize: take the gradients with the other sign.
        foreach, fused: as of `Optimizer`, without effect.
        capturable, differentiable: as of `Optimizer`, False.
        options: those of `gradstep.torch.words.Options`.

    Raises:
        TypeError, ValueError: as of `Optimizer`.

    Example:
        >>> import torch
        >>> import gradstep.torch
        >>> w = torch.nn.Parameter(torch.ones(2))
        >>> opt = gradstep.torch.Adam([w], lr=0.1)
        >>> w.square().sum().backward()
        >>> opt.step()
        >>> w.data
        tensor([0.9000, 0.9000])
    """

    kind = optimizers.Adam

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-3,
        betas: Pair = (0.9, 0.999),
        eps: Number = 1e-8,
        weight_decay: Number = 0,
        amsgrad: bool | Literal["corrected"] = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
        **options: Unpack[RootOptions],
    ) -> None:
        super().__init__(params, locals(), options)


class AdamW(Optimizer):
    """``torch.optim.AdamW``, with the step of `gradstep.AdamW`.

    The formula is torch's, and so are the arguments and the state dict.

    Args:
        params: as of `Optimizer`.
        betas: beta1 and beta2.
        lr, eps, weight_decay, amsgrad: as of `gradstep.AdamW`.
        maximize: take the gradients with the other sign.
        foreach, fused: as of `Optimizer`, without effect.
        capturable, differentiable: as of `Optimizer`, False.
        options: those of `gradstep.torch.words.Options`.

    Raises:
        TypeError, ValueError: as of `Optimizer`.

    Example:
        >>> import torch
        >>> import gradstep.torch
        >>> w = torch.nn.Parameter(torch.ones(2))
        >>> opt = gradstep.torch.AdamW([w], lr=0.1)
        >>> w.square().sum().backward()
        >>> opt.step()
        >>> w.data
        tensor([0.8990, 0.8990])
    """

    kind = optimizers.AdamW

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-3,
        betas: Pair = (0.9, 0.999),
        eps: Number = 1e-8,
        weight_decay: Number = 1e-2,
        amsgrad: bool | Literal["corrected"] = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        **options: Unpack[RootOptions],
    ) -> None:
        super().__init__(params, locals() | {"decoupled_weight_decay": True}, options)
