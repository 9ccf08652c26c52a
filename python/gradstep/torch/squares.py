"""Steps over the root of squares, summed up or averaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep import optimizers
from gradstep.torch.base import Optimizer

if TYPE_CHECKING:
    from typing import Unpack

    from torch.optim.optimizer import ParamsT

    from gradstep.torch.words import Number, RootOptions


class Adagrad(Optimizer):
    """``torch.optim.Adagrad``, with the step of `gradstep.Adagrad`.

    The formula is torch's, and so are the arguments and the state dict.

    Args:
        params: as of `Optimizer`.
        lr, lr_decay, weight_decay, initial_accumulator_value, eps: as of `gradstep.Adagrad`.
        maximize: take the gradients with the other sign.
        foreach, fused: as of `Optimizer`, without effect.
        differentiable: as of `Optimizer`, False.
        options: those of `gradstep.torch.words.Options`.

    Raises:
        TypeError, ValueError: as of `Optimizer`.

    Example:
        >>> import torch
        >>> import gradstep.torch
        >>> w = torch.nn.Parameter(torch.ones(2))
        >>> opt = gradstep.torch.Adagrad([w], lr=0.1)
        >>> w.square().sum().backward()
        >>> opt.step()
        >>> w.data
        tensor([0.9000, 0.9000])
    """

    kind = optimizers.Adagrad

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-2,
        lr_decay: Number = 0,
        weight_decay: Number = 0,
        initial_accumulator_value: float = 0,
        eps: Number = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        **options: Unpack[RootOptions],
    ) -> None:
        super().__init__(params, locals(), options)


class RMSprop(Optimizer):
    """``torch.optim.RMSprop``, with the step of `gradstep.RMSprop`.

    The formula is torch's, and so are the arguments and the state dict.

    Args:
        params: as of `Optimizer`.
        lr, alpha, eps, weight_decay, momentum, centered: as of `gradstep.RMSprop`.
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
        >>> opt = gradstep.torch.RMSprop([w], lr=0.01)
        >>> w.square().sum().backward()
        >>> opt.step()
        >>> w.data
        tensor([0.9000, 0.9000])
    """

    kind = optimizers.RMSprop

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-2,
        alpha: Number = 0.99,
        eps: Number = 1e-8,
        weight_decay: Number = 0,
        momentum: Number = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        **options: Unpack[RootOptions],
    ) -> None:
        super().__init__(params, locals(), options)


class Adadelta(Optimizer):
    """``torch.optim.Adadelta``, with the step of `gradstep.Adadelta`.

    The formula is torch's, and so are the arguments and the state dict.

    Args:
        params: as of `Optimizer`.
        lr, rho, eps, weight_decay: as of `gradstep.Adadelta`.
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
        >>> opt = gradstep.torch.Adadelta([w], lr=0.1)
        >>> w.square().sum().backward()
        >>> opt.step()
        >>> w.data
        tensor([0.9997, 0.9997])
    """

    kind = optimizers.Adadelta

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1.0,
        rho: Number = 0.9,
        eps: Number = 1e-6,
        weight_decay: Number = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
        **options: Unpack[RootOptions],
    ) -> None:
        super().__init__(params, locals(), options)
