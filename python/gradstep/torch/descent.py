"""Plain steps along the gradient, and by its sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep import optimizers
from gradstep.torch.base import Optimizer

if TYPE_CHECKING:
    from typing import Unpack

    from torch.optim.optimizer import ParamsT

    from gradstep.torch.words import Number, Pair, RootOptions


class SGD(Optimizer):
    """``torch.optim.SGD``, with the step of `gradstep.SGD`.

    The formula is torch's, and so are the arguments and the state dict.

    Args:
        params: as of `Optimizer`.
        lr, momentum, dampening, weight_decay, nesterov: as of `gradstep.SGD`.
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
        >>> opt = gradstep.torch.SGD([w], lr=0.1)
        >>> w.square().sum().backward()
        >>> opt.step()
        >>> w.data
        tensor([0.8000, 0.8000])
    """

    kind = optimizers.SGD

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-3,
        momentum: Number = 0,
        dampening: Number = 0,
        weight_decay: Number = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
        **options: Unpack[RootOptions],
    ) -> None:
        super().__init__(params, locals(), options)


class Rprop(Optimizer):
    """``torch.optim.Rprop``, with the step of `gradstep.Rprop`.

    The formula is torch's, and so are the arguments and the state dict.

    Args:
        params: as of `Optimizer`.
        etas: eta_minus and eta_plus.
        step_sizes: step_min and step_max.
        lr: as of `gradstep.Rprop`.
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
        >>> opt = gradstep.torch.Rprop([w], lr=0.1)
        >>> w.square().sum().backward()
        >>> opt.step()
        >>> w.data
        tensor([0.9000, 0.9000])
    """

    kind = optimizers.Rprop

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-2,
        etas: Pair = (0.5, 1.2),
        step_sizes: Pair = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        **options: Unpack[RootOptions],
    ) -> None:
        super().__init__(params, locals(), options)


class Lion(Optimizer):
    """`gradstep.Lion` as an optimizer of torch's kind.

    The formula is that of `gradstep.Lion`; torch has no such class.

    Args:
        params: as of `Optimizer`.
        betas: beta1 and beta2.
        lr, weight_decay: as of `gradstep.Lion`.
        maximize: take the gradients with the other sign.
        options: those of `gradstep.torch.words.Options`.

    Raises:
        TypeError, ValueError: as of `Optimizer`.

    Example:
        >>> import torch
        >>> import gradstep.torch
        >>> w = torch.nn.Parameter(torch.ones(2))
        >>> opt = gradstep.torch.Lion([w], lr=0.1)
        >>> w.square().sum().backward()
        >>> opt.step()
        >>> w.data
        tensor([0.9000, 0.9000])
    """

    kind = optimizers.Lion

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-4,
        betas: Pair = (0.9, 0.99),
        weight_decay: Number = 0.0,
        *,
        maximize: bool = False,
        **options: Unpack[RootOptions],
    ) -> None:
        super().__init__(params, locals(), options)
