"""Rules that torch has not got, whose steps follow from norms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep import optimizers
from gradstep.torch.base import Optimizer

if TYPE_CHECKING:
    from typing import Unpack

    from torch.optim.optimizer import ParamsT

    from gradstep.torch.words import Number, Pair, RootOptions


class LAMB(Optimizer):
    """`gradstep.LAMB` as an optimizer of torch's kind.

    The formula is that of `gradstep.LAMB`; torch has no such class.

    Args:
        params: as of `Optimizer`.
        betas: beta1 and beta2.
        lr, eps, weight_decay: as of `gradstep.LAMB`.
        maximize: take the gradients with the other sign.
        options: those of `gradstep.torch.words.Options`.

    Raises:
        TypeError, ValueError: as of `Optimizer`.

    Example:
        >>> import torch
        >>> import gradstep.torch
        >>> w = torch.nn.Parameter(torch.ones(2))
        >>> opt = gradstep.torch.LAMB([w], lr=0.1)
        >>> w.square().sum().backward()
        >>> opt.step()
        >>> w.data
        tensor([0.9000, 0.9000])
    """

    kind = optimizers.LAMB

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-3,
        betas: Pair = (0.9, 0.999),
        eps: Number = 1e-6,
        weight_decay: Number = 0.0,
        *,
        maximize: bool = False,
        **options: Unpack[RootOptions],
    ) -> None:
        super().__init__(params, locals(), options)


class LARS(Optimizer):
    """`gradstep.LARS` as an optimizer of torch's kind.

    The formula is that of `gradstep.LARS`; torch has no such class.

    Args:
        params: as of `Optimizer`.
        lr, momentum, trust_coefficient, eps, weight_decay, nesterov: as of `gradstep.LARS`.
        maximize: take the gradients with the other sign.
        options: those of `gradstep.torch.words.Options`.

    Raises:
        TypeError, ValueError: as of `Optimizer`.

    Example:
        >>> import torch
        >>> import gradstep.torch
        >>> w = torch.nn.Parameter(torch.ones(2))
        >>> opt = gradstep.torch.LARS([w], lr=0.1)
        >>> w.square().sum().backward()
        >>> opt.step()
        >>> w.data
        tensor([0.9999, 0.9999])
    """

    kind = optimizers.LARS

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-1,
        momentum: Number = 0.9,
        trust_coefficient: Number = 1e-3,
        eps: Number = 0.0,
        weight_decay: Number = 0.0,
        *,
        nesterov: bool = False,
        maximize: bool = False,
        **options: Unpack[RootOptions],
    ) -> None:
        super().__init__(params, locals(), options)


class DoG(Optimizer):
    """`gradstep.DoG` as an optimizer of torch's kind.

    The formula is that of `gradstep.DoG`; torch has no such class.

    Args:
        params: as of `Optimizer`.
        lr, reps_rel, eps, weight_decay: as of `gradstep.DoG`.
        maximize: take the gradients with the other sign.
        options: those of `gradstep.torch.words.Options`.

    Raises:
        TypeError, ValueError: as of `Optimizer`.

    Example:
        >>> import torch
        >>> import gradstep.torch
        >>> w = torch.nn.Parameter(torch.ones(2))
        >>> opt = gradstep.torch.DoG([w], lr=0.1)
        >>> w.square().sum().backward()
        >>> opt.step()
        >>> w.data
        tensor([1.0000, 1.0000])
    """

    kind = optimizers.DoG

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1.0,
        reps_rel: Number = 1e-6,
        eps: Number = 1e-8,
        weight_decay: Number = 0.0,
        *,
        maximize: bool = False,
        **options: Unpack[RootOptions],
    ) -> None:
        super().__init__(params, locals(), options)


class Prodigy(Optimizer):
    """`gradstep.Prodigy` as an optimizer of torch's kind.

    The formula is that of `gradstep.Prodigy`; torch has no such class.

    Args:
        params: as of `Optimizer`.
        betas: beta1 and beta2.
        lr, beta3, eps, d0, d_coef, growth_rate, weight_decay, safeguard_warmup, use_bias_correction: as
            of `gradstep.Prodigy`.
        maximize: take the gradients with the other sign.
        options: those of `gradstep.torch.words.Options`.

    Raises:
        TypeError, ValueError: as of `Optimizer`.

    Example:
        >>> import torch
        >>> import gradstep.torch
        >>> w = torch.nn.Parameter(torch.ones(2))
        >>> opt = gradstep.torch.Prodigy([w], lr=0.1)
        >>> w.square().sum().backward()
        >>> opt.step()
        >>> w.data
        tensor([1.0000, 1.0000])
    """

    kind = optimizers.Prodigy

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1.0,
        betas: Pair = (0.9, 0.999),
        beta3: Number | None = None,
        eps: Number = 1e-8,
        d0: Number = 1e-6,
        d_coef: Number = 1.0,
        growth_rate: Number = float("inf"),
        weight_decay: Number = 0.0,
        *,
        safeguard_warmup: bool = False,
        use_bias_correction: bool = False,
        maximize: bool = False,
        **options: Unpack[RootOptions],
    ) -> None:
        super().__init__(params, locals(), options)
