"""Variants of Adam that torch has, too: another momentum, a warm-up of its own, the largest gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep import optimizers
from gradstep.torch.base import Optimizer

if TYPE_CHECKING:
    from typing import Unpack

    from torch.optim.optimizer import ParamsT

    from gradstep.torch.words import Number, Pair, RootOptions


class NAdam(Optimizer):
    """``torch.optim.NAdam``, with the step of `gradstep.NAdam`.

    The formula is torch's, and so are the arguments and the state dict.

    Args:
        params: as of `Optimizer`.
        betas: beta1 and beta2.
        lr, eps, weight_decay, momentum_decay: as of `gradstep.NAdam`.
        decoupled_weight_decay: whether the parameter shrinks, instead of the decay entering the gradient.
        maximize: take the gradients with the other sign.
        foreach: as of `Optimizer`, without effect.
        capturable, differentiable: as of `Optimizer`, False.
        options: those of `gradstep.torch.words.Options`.

    Raises:
        TypeError, ValueError: as of `Optimizer`.

    Example:
        >>> import torch
        >>> import gradstep.torch
        >>> w = torch.nn.Parameter(torch.ones(2))
        >>> opt = gradstep.torch.NAdam([w], lr=0.1)
        >>> w.square().sum().backward()
        >>> opt.step()
        >>> w.data
        tensor([0.8944, 0.8944])
    """

    kind = optimizers.NAdam

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 2e-3,
        betas: Pair = (0.9, 0.999),
        eps: Number = 1e-8,
        weight_decay: Number = 0,
        momentum_decay: Number = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        **options: Unpack[RootOptions],
    ) -> None:
        super().__init__(params, locals(), options)


class RAdam(Optimizer):
    """``torch.optim.RAdam``, with the step of `gradstep.RAdam`.

    The formula is torch's, and so are the arguments and the state dict.

    Args:
        params: as of `Optimizer`.
        betas: beta1 and beta2.
        lr, eps, weight_decay: as of `gradstep.RAdam`.
        decoupled_weight_decay: whether the parameter shrinks, instead of the decay entering the gradient.
        maximize: take the gradients with the other sign.
        foreach: as of `Optimizer`, without effect.
        capturable, differentiable: as of `Optimizer`, False.
        options: those of `gradstep.torch.words.Options`.

    Raises:
        TypeError, ValueError: as of `Optimizer`.

    Example:
        >>> import torch
        >>> import gradstep.torch
        >>> w = torch.nn.Parameter(torch.ones(2))
        >>> opt = gradstep.torch.RAdam([w], lr=0.1)
        >>> w.square().sum().backward()
        >>> opt.step()
        >>> w.data
        tensor([0.8000, 0.8000])
    """

    kind = optimizers.RAdam

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-3,
        betas: Pair = (0.9, 0.999),
        eps: Number = 1e-8,
        weight_decay: Number = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        **options: Unpack[RootOptions],
    ) -> None:
        super().__init__(params, locals(), options)


class Adamax(Optimizer):
    """``torch.optim.Adamax``, with the step of `gradstep.Adamax`.

    The formula is torch's, and so are the arguments and the state dict.

    Args:
        params: as of `Optimizer`.
        betas: beta1 and beta2.
        lr, eps, weight_decay: as of `gradstep.Adamax`.
        maximize: take the gradients with the other sign.
        foreach: as of `Optimizer`, without effect.
        differentiable, capturable: as of `Optimizer`, False.
        options: those of `gradstep.torch.words.Options`.

    Raises:
        TypeError, ValueError: as of `Optimizer`.

    Example:
        >>> import torch
        >>> import gradstep.torch
        >>> w = torch.nn.Parameter(torch.ones(2))
        >>> opt = gradstep.torch.Adamax([w], lr=0.1)
        >>> w.square().sum().backward()
        >>> opt.step()
        >>> w.data
        tensor([0.9000, 0.9000])
    """

    kind = optimizers.Adamax

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 2e-3,
        betas: Pair = (0.9, 0.999),
        eps: Number = 1e-8,
        weight_decay: Number = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
        **options: Unpack[RootOptions],
    ) -> None:
        super().__init__(params, locals(), options)
